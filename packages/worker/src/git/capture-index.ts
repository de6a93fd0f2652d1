import { rmSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { checksumOf, type Workspace } from "./capture-tree.ts";
import { gitText, runGit } from "./run-git.ts";

/** What git calls the three sides of a path that is not merged yet. */
const sides = ["", "base", "ours", "theirs"] as const;

/**
 * Writes what the agent had staged as a tree; undefined when it never touched its index, or when git cannot read it.
 * The sides of a path that was not merged stand beside each other, such as `a.txt~ours`.
 * Entries go one by one into an index of ours (`scratch`): git refuses paths there that no checkout may have.
 */
export async function captureIndex(workspace: Workspace, scratch: string): Promise<string | undefined> {
  const theirs = join(workspace.adminDir, "index");
  if (checksumOf(theirs) === workspace.indexSum || checksumOf(theirs) === "") return undefined;
  const gitDir = workspace.repository;
  try {
    const listed = (await runGit(["ls-files", "--stage", "-z"], { gitDir, workTree: workspace.worktree, index: theirs })).toString("latin1");
    rmSync(scratch, { force: true });
    const input = Buffer.from(listed.replace(/([0-7]{6} [0-9a-f]+) ([0-3])\t([^\0]*)/g, asPlain), "latin1");
    await runGit(["update-index", "-z", "--index-info"], { gitDir, index: scratch, input });
    return await gitText(["write-tree"], { gitDir, index: scratch });
  } catch (error) {
    // A broken index keeps nothing from being collected: the files themselves are captured all the same.
    if (error instanceof FactoryError && error.code === "GIT_FAILED") return undefined;
    throw error;
  } finally {
    rmSync(scratch, { force: true });
  }
}

function asPlain(_: string, entry: string, stage: string, path: string): string {
  const side = sides[Number(stage)] ?? "";
  return `${entry}\t${path}${side === "" ? "" : `~${side}`}`;
}
