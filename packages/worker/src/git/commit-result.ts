import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptId, AttemptJob, TokenUsage } from "@dispatch/core";
import { taskIdOf } from "@dispatch/core";
import { copyIndex, type Workspace } from "./capture-tree.ts";
import { gitAsks, gitText, runGit } from "./run-git.ts";
import { removeLocks } from "./workspace.ts";

export interface ResultCommit {
  job: AttemptJob;
  /** The tree that was judged; the tip has exactly this one. */
  tree: string;
  /** Whether it differs from the base's tree. */
  changed: boolean;
  /** What was checked out when the agent had ended. */
  head: string | undefined;
  usage: TokenUsage | null;
}

/**
 * Puts the judged tree on the attempt's branch and gives the branch's tip, which descends from the base.
 * Commits of the agent are kept when they do; otherwise they stay under `rewrittenRef`, from where they are salvaged.
 */
export async function commitResult(workspace: Workspace, result: ResultCommit): Promise<string> {
  const { repository, base } = workspace;
  const branch = `refs/heads/${result.job.branch}`;
  removeLocks(repository, workspace.adminDir, result.job.branch);
  const parent = await parentOf(workspace, result);
  let tip = parent;
  const parentTree = parent === base ? undefined : await gitText(["rev-parse", `${parent}^{tree}`], { gitDir: repository });
  if (parentTree === undefined ? result.changed : parentTree !== result.tree) {
    tip = await gitText(["commit-tree", result.tree, "-p", parent], { gitDir: repository, input: messageOf(result) });
  }
  await runGit(["update-ref", branch, tip], { gitDir: repository });
  if (readFileSync(join(workspace.adminDir, "HEAD"), "utf8").trim() !== `ref: ${branch}`) {
    await runGit(["symbolic-ref", "HEAD", branch], { gitDir: workspace.adminDir });
  }
  copyIndex(workspace.index, join(workspace.adminDir, "index"));
  return tip;
}

/** The ref that keeps an agent's own history when its branch does not hold it. */
export function rewrittenRef(attempt: AttemptId): string {
  return `refs/dispatch/rewritten/${attempt}`;
}

async function parentOf(workspace: Workspace, result: ResultCommit): Promise<string> {
  const { repository, base } = workspace;
  const { head } = result;
  if (head === undefined || head === base) return base;
  if (await gitAsks(["merge-base", "--is-ancestor", base, head], { gitDir: repository })) return head;
  await runGit(["update-ref", rewrittenRef(result.job.attempt), head], { gitDir: repository });
  return base;
}

function messageOf({ job, usage }: ResultCommit): string {
  const trailers = [
    `Task: ${taskIdOf(job.project, job.specId)}`,
    `Attempt: ${job.attempt}`,
    `Spec-Digest: ${job.specDigest}`,
    `Executor: ${job.executor.name}`,
    ...(usage === null ? [] : [`Tokens: ${usage.inputTokens} in, ${usage.outputTokens} out`]),
  ];
  return `${job.commitSubject.replace(/\s+/g, " ").trim()}\n\n${trailers.join("\n")}\n`;
}
