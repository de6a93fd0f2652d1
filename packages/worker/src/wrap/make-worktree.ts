import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import { copyIndex, type Workspace } from "../git/capture-tree.ts";
import { runGit } from "../git/run-git.ts";
import { readWorkspace, recordWorkspace } from "../git/workspace.ts";
import { type Wrapper, waitForRoom } from "./wrapper.ts";

const tries = 5;

/** Checks out the base on the attempt's branch in a worktree of its own. */
export async function makeWorktree(wrapper: Wrapper): Promise<Workspace> {
  const { files, job } = wrapper;
  const repository = nodeRepositoryPath(files.home, job.project);
  mkdirSync(dirname(files.worktree), { recursive: true });
  await waitForRoom(wrapper, () => addWorktree(wrapper, repository));
  const adminDir = /^gitdir: (.*)$/m.exec(readFileSync(join(files.worktree, ".git"), "utf8"))?.[1];
  if (adminDir === undefined) throw new FactoryError("GIT_FAILED", `the worktree of ${job.attempt} names no repository`);
  await waitForRoom(wrapper, () => {
    copyIndex(join(adminDir, "index"), files.index);
    recordWorkspace(files, adminDir, true);
  });
  const workspace = readWorkspace(files, job);
  if (workspace === undefined) throw new FactoryError("NODE_FAILED", `the record of ${job.attempt}'s worktree vanished`);
  return workspace;
}

/** Worktrees that are made at the same time in one repository can trip over each other's half-written files. */
async function addWorktree(wrapper: Wrapper, repository: string): Promise<void> {
  const { files, job } = wrapper;
  for (let n = 1; ; n++) {
    try {
      await runGit(["worktree", "add", "--quiet", "-B", job.branch, "--", files.worktree, job.base], { gitDir: repository });
      return;
    } catch (error) {
      if (existsSync(files.worktree)) {
        const admin = /^gitdir: (.*)$/m.exec(readIfFile(join(files.worktree, ".git")))?.[1];
        rmSync(files.worktree, { recursive: true, force: true });
        if (admin !== undefined) rmSync(admin, { recursive: true, force: true });
      }
      if (n === tries || !(error instanceof FactoryError) || error.code !== "GIT_FAILED") throw error;
    }
  }
}

function readIfFile(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
