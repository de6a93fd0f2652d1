import { rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { hasCode } from "../durable-files.ts";
import type { Workspace } from "./capture-tree.ts";
import { runGit } from "./run-git.ts";

/**
 * Takes back what was written to the worktree since its tree was captured, ignored files excepted.
 * Gives the paths; after it the worktree holds exactly the captured tree.
 */
export async function restoreTree(workspace: Workspace): Promise<string[]> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  const any = await list(workspace, ["-m", "-d", "-o"]);
  if (any.length === 0) return [];
  // Tracked files first: an ignore file that was changed would show ignored files as new ones.
  const changed = await list(workspace, ["-m", "-d"]);
  if (changed.length > 0) {
    await runGit(["checkout-index", "-f", "-u", "-z", "--stdin"], { ...run, input: changed.map((path) => `${path}\0`).join("") });
  }
  const added = await list(workspace, ["-o"]);
  for (const path of added) remove(workspace.worktree, path);
  return [...new Set([...added, ...changed])].sort();
}

async function list(workspace: Workspace, which: readonly string[]): Promise<string[]> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  const names = await runGit(["ls-files", "-z", ...which, "--exclude-standard"], run);
  return names
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "");
}

/** Also the folders that are empty then, which git does not know of. */
function remove(worktree: string, path: string): void {
  rmSync(join(worktree, path), { recursive: true, force: true });
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    try {
      rmdirSync(join(worktree, folder));
    } catch (error) {
      if (hasCode(error, "ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR")) return;
      throw error;
    }
  }
}
