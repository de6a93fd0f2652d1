import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AttemptId, type AttemptJob, resultRef, type Salvage, salvageRef } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { captureTree, copyIndex, type Workspace } from "../git/capture-tree.ts";
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
  const branch = await gitText(["for-each-ref", "--format=%(objectname)", `refs/heads/${job.branch}`], { gitDir: repository });
  const head = existsSync(join(workspace.adminDir, "HEAD")) ? await headOf(workspace.adminDir, repository) : undefined;
  const tip = head ?? (branch === "" ? job.base : branch);
  const [tipTree = "", time = ""] = (await gitText(["log", "-1", "--format=%T %ct", tip, "--"], { gitDir: repository })).split(" ");
  const index = join(files.dir, "salvage-index");
  copyIndex(workspace.index, index);
  const { tree } = await captureTree({ ...workspace, index }, tipTree);
  const parents = [tip];
  // Commits on the branch that the agent left behind when it checked out something else.
  if (branch !== "" && branch !== tip && !(await gitAsks(["merge-base", "--is-ancestor", branch, tip], { gitDir: repository }))) parents.push(branch);
  if (tree === tipTree && parents.length === 1) return { tip, salvage: null };
  const date = `@${time} +0000`;
  const salvage = await gitText(["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent])], {
    gitDir: repository,
    input: `Salvage of ${job.attempt}\n\nWhat the attempt left uncommitted.\n`,
    env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  });
  return { tip, salvage };
}

/** After the worktree was discarded: what the refs say. */
async function keptSalvage(workspace: Workspace, attempt: AttemptId): Promise<Salvage> {
  const named = async (ref: string) => await gitText(["for-each-ref", "--format=%(objectname)", ref], { gitDir: workspace.repository });
  const tip = await named(resultRef(attempt));
  const kept = await named(salvageRef(attempt));
  return { tip: tip === "" ? null : tip, salvage: kept === "" || kept === tip ? null : kept };
}
