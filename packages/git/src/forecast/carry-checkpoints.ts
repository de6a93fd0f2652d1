import { type AttemptId, checkpointRef } from "@dispatch/core";
import { asOid, type Git } from "../open-git.ts";
import type { LiveBranch } from "./forecast-conflicts.ts";

/** Brings the newest checkpoint of an attempt into the hub. */
export async function fetchCheckpoint(git: Git, attempt: AttemptId, url: string): Promise<void> {
  const options = ["--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"];
  const ref = checkpointRef(attempt);
  const args = ["-c", "fetch.fsckObjects=true", "fetch", ...options, "--", url, `+${ref}:${ref}`];
  await git.talk({ args, doing: `fetch the checkpoint of ${attempt}`, remote: "node", node: { url, service: "git-upload-pack" } });
}

/** Those of the attempts in `live`; all others are removed, as their work is over or held under other refs. */
export async function keepCheckpoints(git: Git, live: ReadonlySet<AttemptId>): Promise<readonly LiveBranch[]> {
  const prefix = checkpointRef("");
  const { stdout } = await git.run({ args: ["for-each-ref", "--format=%(objectname) %(refname)", prefix], doing: "list checkpoints" });
  const kept: LiveBranch[] = [];
  const old: string[] = [];
  for (const line of stdout
    .toString("utf8")
    .split("\n")
    .filter((text) => text !== "")) {
    const commit = asOid(line.slice(0, 40));
    const attempt = line.slice(41 + prefix.length);
    if (live.has(attempt)) kept.push({ attempt, commit });
    else old.push(`delete ${line.slice(41)} ${commit}\n`);
  }
  if (old.length > 0) await git.run({ args: ["update-ref", "--stdin"], doing: "remove old checkpoints", input: old.join("") });
  return kept;
}
