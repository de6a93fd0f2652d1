import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type AttemptId, type AttemptJob, checkpointRef, FactoryError, type Salvage } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import type { AttemptFiles } from "../attempt-files.ts";
import { runGit } from "../git/run-git.ts";
import { forgetWorktree, readWorkspace, removeLocks } from "../git/workspace.ts";
import { send } from "../process/end-processes.ts";
import { isAlive } from "../process/session-identity.ts";
import { filesOf, type Host, readIdentity, readJob, requireOver } from "./host.ts";
import { computeSalvage } from "./salvage-attempt.ts";
import { waitUntil } from "./wait-until.ts";

/** Removes worktree and branch of an attempt whose content is held elsewhere; the logs stay. Refuses when there is more than what is held. */
export async function discardAttempt(host: Host, attempt: AttemptId, held: Salvage): Promise<void> {
  const files = filesOf(host, attempt);
  requireOver(host, files, attempt);
  const job = readJob(files);
  if (job === undefined) return;
  await endWrapper(host, files);
  if (existsSync(files.worktree)) {
    await requireHeld(files, job, held);
    // In one step, so that a half-removed worktree is never taken for one with deleted files.
    renameSync(files.worktree, files.discardedWorktree);
  }
  await removeRest(files, job);
}

async function requireHeld(files: AttemptFiles, job: AttemptJob, held: Salvage): Promise<void> {
  const workspace = readWorkspace(files, job);
  // No agent ever ran in a worktree that was not completed.
  if (workspace === undefined) return;
  const now = await computeSalvage(workspace, files, job);
  if (now.tip === held.tip && (now.salvage === null || now.salvage === held.salvage)) return;
  throw new FactoryError("SALVAGE_CHANGED", `the worktree of ${job.attempt} holds something that was not collected`, {
    retry: "later",
    hint: "Collect the attempt again.",
    facts: { held, now },
  });
}

/** The wrapper ends right after its last event; this is for one that does not. */
async function endWrapper(host: Host, files: AttemptFiles): Promise<void> {
  const identity = readIdentity(files);
  if (identity === undefined || !isAlive(identity, host.bootId)) return;
  const gone = () => (isAlive(identity, host.bootId) ? undefined : true);
  if (await waitUntil(files.dir, gone, 2000)) return;
  send(identity.pid, "SIGKILL");
  await waitUntil(files.dir, gone, 2000);
}

async function removeRest(files: AttemptFiles, job: AttemptJob): Promise<void> {
  const repository = nodeRepositoryPath(files.home, job.project);
  const adminDir = readWorkspace(files, job)?.adminDir ?? adminDirIn(files.discardedWorktree) ?? join(repository, "worktrees", job.attempt);
  if (existsSync(files.discardedWorktree)) await rm(files.discardedWorktree, { recursive: true, force: true, maxRetries: 3 });
  if (isOurs(adminDir, repository, files)) await forgetWorktree(adminDir);
  removeLocks(repository, undefined, job.branch);
  rmSync(join(repository, `${checkpointRef(job.attempt)}.lock`), { force: true });
  const input = `delete refs/heads/${job.branch}\ndelete ${checkpointRef(job.attempt)}\n`;
  if (existsSync(repository)) await runGit(["update-ref", "--stdin"], { gitDir: repository, input });
}

function adminDirIn(worktree: string): string | undefined {
  const link = join(worktree, ".git");
  return existsSync(link) ? /^gitdir: (.*)$/m.exec(readFileSync(link, "utf8"))?.[1] : undefined;
}

/**
 * Only the folder that says of itself that it belongs to this worktree is removed, or one with its name that says nothing any more:
 * a host that was killed while it removed it has come that far.
 */
function isOurs(adminDir: string, repository: string, files: AttemptFiles): boolean {
  if (dirname(adminDir) !== join(repository, "worktrees")) return false;
  const link = join(adminDir, "gitdir");
  if (!existsSync(link)) return basename(adminDir) === basename(files.worktree);
  return readFileSync(link, "utf8").trim() === join(files.worktree, ".git");
}
