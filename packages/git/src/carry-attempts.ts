import { type AttemptId, FactoryError, type GeneratedCommit, type Oid, resultRef, salvageRef } from "@dispatch/core";
import { asOid, type Git, resolveRef } from "./open-git.ts";

/** The ref under which a node's repository keeps a commit it was sent. */
function baseRef(commit: Oid): string {
  return `refs/dispatch/base/${asOid(commit)}`;
}

/** Pushes a commit into a node's repository. A commit that is there already is no work. */
export async function sendCommit(git: Git, commit: Oid, url: string): Promise<void> {
  const refspec = `${asOid(commit)}:${baseRef(commit)}`;
  await git.talk({
    args: ["push", "--progress", "--no-verify", "--", url, refspec],
    doing: `send ${commit} to the node`,
    remote: "node",
    node: { url, service: "git-receive-pack" },
  });
}

/**
 * Brings the refs that hold an attempt's work into the hub. What a ref held before stays under refs/dispatch/superseded.
 * Nothing is fetched when the hub has these commits already.
 */
export async function fetchAttempt(git: Git, attempt: AttemptId, url: string, held: { tip: Oid | null; salvage: Oid | null }): Promise<void> {
  const wanted = [
    { ref: resultRef(attempt), commit: held.tip },
    { ref: salvageRef(attempt), commit: held.salvage },
  ];
  const missing: { ref: string; commit: Oid }[] = [];
  for (const { ref, commit } of wanted) {
    if (commit === null) continue;
    const present = await resolveRef(git, ref);
    if (present === asOid(commit)) continue;
    if (present !== undefined) await keepSuperseded(git, ref, present);
    missing.push({ ref, commit });
  }
  if (missing.length === 0) return;
  const refspecs = missing.map(({ ref }) => `+${ref}:${ref}`);
  await fetchFromNode(git, url, refspecs, `fetch the work of ${attempt}`);
  for (const { ref, commit } of missing) {
    const arrived = await resolveRef(git, ref);
    if (arrived === commit) continue;
    throw new FactoryError("GIT_FAILED", `${ref} of the node is ${arrived ?? "missing"}, not ${commit}`, {
      fault: "dependency",
      retry: "later",
      hint: "the attempt wrote again after it was salvaged; salvage it once more",
      facts: { ref, expected: commit, arrived: arrived ?? null },
    });
  }
}

/** Brings a commit with generated files into the hub, where no ref holds it. */
export async function fetchGenerated(git: Git, { url, ref, commit }: GeneratedCommit): Promise<void> {
  await fetchFromNode(git, url, [ref], `fetch the generated files of ${commit}`);
}

async function fetchFromNode(git: Git, url: string, refspecs: readonly string[], doing: string): Promise<void> {
  const options = ["--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"];
  const args = ["-c", "fetch.fsckObjects=true", "fetch", ...options, "--", url, ...refspecs];
  await git.talk({ args, doing, remote: "node", node: { url, service: "git-upload-pack" } });
}

/** refs/dispatch/result/X becomes refs/dispatch/superseded/result/X/<oid>: no folder of one is a file of the other. */
async function keepSuperseded(git: Git, ref: string, commit: Oid): Promise<void> {
  const kept = ref.replace(/^refs\/dispatch\//, "refs/dispatch/superseded/");
  await git.run({ args: ["update-ref", `${kept}/${commit}`, commit], doing: `keep ${commit}` });
}
