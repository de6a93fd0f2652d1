import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { readFileIfAny, replaceFile, syncFolder } from "../durable-files.ts";
import type { Workspace } from "./capture-tree.ts";
import { restoreTree } from "./restore-tree.ts";
import { gitText, runGit } from "./run-git.ts";

/**
 * Puts another tree into the worktree, with all that is ignored left where it is: installed packages are for it too.
 * What lay there, as captured, is written down first, so that it comes back also when this process is killed.
 */
export async function swapTree(workspace: Workspace, captured: string, other: string): Promise<void> {
  replaceFile(noteOf(workspace), captured, true);
  await checkOut(workspace, other);
}

/** Puts the captured tree back, if another one lies in the worktree. May be repeated. */
export async function swapBack(workspace: Workspace): Promise<void> {
  const captured = readFileIfAny(noteOf(workspace));
  if (captured === undefined) return;
  rmSync(`${workspace.index}.lock`, { force: true });
  await checkOut(workspace, captured);
  // The captured tree's own ignore files are back by now, and decide what commands may leave behind.
  await restoreTree(workspace);
  rmSync(noteOf(workspace));
  // A note that came back after a power cut would undo what the next round made.
  syncFolder(dirname(noteOf(workspace)));
}

function noteOf({ index }: Workspace): string {
  return `${index}.swapped`;
}

async function checkOut(workspace: Workspace, tree: string): Promise<void> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  await runGit(["read-tree", "--reset", "-u", tree], run);
}

/** The tree of a commit with some files of another tree in it. */
export async function mixTree(workspace: Workspace, base: string, files: readonly { path: string; mode: string; oid: string }[]): Promise<string> {
  const run = { gitDir: workspace.repository, index: `${workspace.index}.mixed` };
  rmSync(run.index, { force: true });
  try {
    await runGit(["read-tree", base], run);
    const input = files.map(({ path, mode, oid }) => `${mode} ${oid}\t${path}\0`).join("");
    await runGit(["update-index", "-z", "--index-info"], { ...run, input });
    return await gitText(["write-tree"], run);
  } finally {
    rmSync(run.index, { force: true });
  }
}
