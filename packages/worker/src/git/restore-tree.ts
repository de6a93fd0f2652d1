import { rmSync } from "node:fs";
import { join } from "node:path";
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
  const added = await list(workspace, ["-o"]);
  for (const path of added) rmSync(join(workspace.worktree, path), { recursive: true, force: true });
  const changed = await list(workspace, ["-m", "-d"]);
  if (changed.length > 0)
    await runGit(["checkout-index", "-f", "-u", "-z", "--stdin"], { ...run, input: changed.map((path) => `${path}\0`).join("") });
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
