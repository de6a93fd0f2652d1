import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AttemptId, type AttemptJob, resultRef, type Salvage, salvageRef } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { captureIndex } from "../git/capture-index.ts";
import { captureTree, copyIndex, type Workspace } from "../git/capture-tree.ts";
import { rewrittenRef } from "../git/commit-result.ts";
import { gitAsks, gitText, runGit } from "../git/run-git.ts";
import { swapBack } from "../git/swap-tree.ts";
import { headOf, readWorkspace, removeLocks } from "../git/workspace.ts";
import { filesOf, type Host, readJob, requireOver } from "./host.ts";

/**
 * Puts all that an attempt left under refs of the node's repository: its commits, and one commit of what it did not commit.
 * The same content gives the same commit, so it may be repeated.
 */
export async function salvageAttempt(host: Host, attempt: AttemptId): Promise<Salvage> {
  const files = filesOf(host, attempt);
  requireOver(host, files, attempt);
  const job = readJob(files);
  if (job === undefined) return { tip: null, salvage: null };
  const workspace = readWorkspace(files, job);
  if (workspace === undefined) return { tip: null, salvage: null };
  if (!existsSync(files.worktree)) return await keptSalvage(workspace, attempt);
  removeLocks(workspace.repository, workspace.adminDir, job.branch);
  const salvage = await computeSalvage(workspace, files, job);
  const kept = salvage.salvage ?? salvage.tip;
  const input = `update ${resultRef(attempt)} ${salvage.tip}\nupdate ${salvageRef(attempt)} ${kept}\n`;
  await runGit(["update-ref", "--stdin"], { gitDir: workspace.repository, input });
  return salvage;
}

/** What there is to keep, as commits that no ref names yet. */
export async function computeSalvage(workspace: Workspace, files: AttemptFiles, job: AttemptJob): Promise<{ tip: string; salvage: string | null }> {
  const { repository } = workspace;
  await swapBack(workspace);
  const branch = await commitOf(`refs/heads/${job.branch}`, repository);
  const head = existsSync(join(workspace.adminDir, "HEAD")) ? await headOf(workspace.adminDir, repository) : undefined;
  const tip = head ?? branch ?? job.base;
  const [tipTree = "", time = ""] = (await gitText(["log", "-1", "--format=%T %ct", tip, "--"], { gitDir: repository })).split(" ");
  const index = join(files.dir, "salvage-index");
  copyIndex(workspace.index, index);
  const { tree } = await captureTree({ ...workspace, index }, tipTree);
  const parents = [tip, ...(await leftBehind(repository, tip, [branch, await commitOf(rewrittenRef(job.attempt), repository)]))];
  const staged = await captureIndex(workspace, join(files.dir, "staged-index"));
  if (staged !== undefined && staged !== tipTree && staged !== tree) {
    const message = `Index of ${job.attempt}\n\nWhat the attempt had staged; its worktree held something else.\n`;
    parents.push(await writeCommit(repository, { tree: staged, parents: [tip], time, message }));
  }
  if (tree === tipTree && parents.length === 1) return { tip, salvage: null };
  const message = `Salvage of ${job.attempt}\n\nWhat the attempt left uncommitted.\n`;
  return { tip, salvage: await writeCommit(repository, { tree, parents, time, message }) };
}

/** Commits that the tip does not hold: on the branch when the agent checked out something else, or before it rewrote its history. */
async function leftBehind(repository: string, tip: string, commits: readonly (string | undefined)[]): Promise<string[]> {
  const left: string[] = [];
  for (const commit of commits) {
    if (commit === undefined || commit === tip || left.includes(commit)) continue;
    if (!(await gitAsks(["merge-base", "--is-ancestor", commit, tip], { gitDir: repository }))) left.push(commit);
  }
  return left;
}

async function writeCommit(
  repository: string,
  { tree, parents, time, message }: { tree: string; parents: readonly string[]; time: string; message: string },
): Promise<string> {
  const date = `@${time} +0000`;
  const args = ["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent])];
  return await gitText(args, { gitDir: repository, input: message, env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date } });
}

async function commitOf(ref: string, repository: string): Promise<string | undefined> {
  const found = await gitText(["for-each-ref", "--format=%(objectname)", ref], { gitDir: repository });
  return found === "" ? undefined : found;
}

/** After the worktree was discarded: what the refs say. */
async function keptSalvage(workspace: Workspace, attempt: AttemptId): Promise<Salvage> {
  const tip = await commitOf(resultRef(attempt), workspace.repository);
  const kept = await commitOf(salvageRef(attempt), workspace.repository);
  return { tip: tip ?? null, salvage: kept === undefined || kept === tip ? null : kept };
}
