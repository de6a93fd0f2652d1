import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FactoryError, type Oid, type ProjectSource } from "@dispatch/core";
import { fetchOrigin, findOrigin } from "./look-at-origin.ts";
import { type Git, type GitOptions, openGit, resolveRef } from "./open-git.ts";
import { removeStaleLocks } from "./remove-stale-locks.ts";

/** The hub's branch is called main whatever origin calls its branch. */
export const mainRef = "refs/heads/main";

const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/**
 * The hub's own settings. They also win over a person's global ones, which conversations with origin see:
 * no hooks of theirs run here, and neither attributes nor renames decide what a merge does.
 */
const hubSettings: Readonly<Record<string, string>> = {
  "core.bare": "true",
  "core.fsync": "committed,reference",
  "core.logAllRefUpdates": "always",
  "core.hooksPath": "/dev/null",
  "core.attributesFile": "/dev/null",
  "attr.tree": emptyTree,
  "gc.auto": "0",
  // The first line of main's log says where the hub began.
  "gc.reflogExpire": "never",
  "gc.reflogExpireUnreachable": "never",
  "maintenance.auto": "false",
  "merge.directoryRenames": "false",
  "merge.renames": "false",
  "receive.fsckObjects": "true",
  "receive.denyDeletes": "true",
  "receive.denyNonFastForwards": "true",
  "transfer.hideRefs": "refs/gate",
  "push.followTags": "false",
  "push.gpgSign": "false",
};

/** Where temporary indexes of a hub lie. */
export function scratchOf(hub: string): string {
  return join(hub, "scratch");
}

/**
 * Makes or opens a hub and returns its main. A new hub is made beside its place and moved there when it is complete,
 * so a hub that exists is whole, and after a crash calling again is all it takes. `ours`: what lies in its scratch folder is of
 * this process, which may be building there, and removes it itself.
 */
export async function openHub(hub: string, project: ProjectSource, options: GitOptions & { ours?: boolean }): Promise<Oid> {
  const git = openGit(hub, options);
  if (!existsSync(hub)) {
    await makeHub(hub, project, options);
    return readMain(git);
  }
  await removeStaleLocks(hub, "all");
  if (options.ours !== true) await rm(scratchOf(hub), { recursive: true, force: true });
  await applySettings(git);
  await git.run({ args: ["worktree", "prune"], doing: `prune worktrees of ${hub}` });
  return readMain(git);
}

/** The commit main is at. */
export async function readMain(git: Git): Promise<Oid> {
  const main = await resolveRef(git, mainRef);
  if (main !== undefined) return main;
  throw new FactoryError("GIT_FAILED", `${git.dir} has no main`, {
    hint: `its last commit is in ${join(git.dir, "logs", mainRef)}; set it again with git update-ref`,
  });
}

async function makeHub(hub: string, project: ProjectSource, options: GitOptions): Promise<void> {
  const origin = await findOrigin(project, options.env);
  await mkdir(dirname(hub), { recursive: true });
  await removeUnfinished(hub);
  const unfinished = `${hub}.new-${randomBytes(6).toString("hex")}`;
  try {
    const git = openGit(unfinished, options);
    await git.run({ args: ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", unfinished], doing: `make ${hub}` });
    await appendFile(join(unfinished, "config"), settingsText());
    const commit = await fetchOrigin(git, origin);
    await git.run({ args: ["update-ref", "-m", `${origin.branch} of origin`, mainRef, commit], doing: `set main of ${hub}` });
    await rename(unfinished, hub);
  } finally {
    await rm(unfinished, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function removeUnfinished(hub: string): Promise<void> {
  for (const name of await readdir(dirname(hub))) {
    if (name.startsWith(`${basename(hub)}.new-`)) await rm(join(dirname(hub), name), { recursive: true, force: true, maxRetries: 3 });
  }
}

/** All settings as git's configuration file has them: one write in place of one process for each. */
function settingsText(): string {
  return Object.entries(hubSettings)
    .map(([name, value]) => `[${name.slice(0, name.indexOf("."))}]\n\t${name.slice(name.indexOf(".") + 1)} = ${value}\n`)
    .join("");
}

/** Sets what a hub that was there already lacks, or what somebody changed. */
async function applySettings(git: Git): Promise<void> {
  const listed = await git.read("read the hub's settings", "config", "--local", "--list", "-z");
  const present = new Map(listed.split("\0").map((entry) => [entry.slice(0, entry.indexOf("\n")), entry.slice(entry.indexOf("\n") + 1)]));
  for (const [name, value] of Object.entries(hubSettings)) {
    if (present.get(name.toLowerCase()) === value) continue;
    await git.run({ args: ["config", "--local", "--replace-all", name, value], doing: `set ${name} of the hub` });
  }
}
