import type { Oid } from "@dispatch/core";
import { asOid, failureOf, type Git } from "./open-git.ts";

/** `tree`: of a conflict, with marks in the paths that are in it. */
export type TextMerge = { outcome: "clean"; tree: Oid } | { outcome: "conflict"; tree: Oid; paths: readonly string[] };

/**
 * Three-way merge of two commits without a worktree. Runs in the bare repository, where no attribute that
 * somebody committed takes part. A conflict prints a tree too, and an unknown commit ends with the same
 * exit code as a conflict: the exit code decides, and the first field must be an object id.
 */
export async function mergeText(git: Git, ours: Oid, theirs: Oid): Promise<TextMerge> {
  const doing = `merge ${theirs} into ${ours}`;
  const answer = await git.run({
    args: ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", asOid(ours), asOid(theirs)],
    doing,
    answers: [0, 1],
  });
  const [tree = "", ...paths] = answer.stdout.toString("utf8").split("\0");
  if (!/^[0-9a-f]{40}$/.test(tree)) throw failureOf(answer, { doing });
  if (answer.exitCode === 0) return { outcome: "clean", tree: asOid(tree) };
  return { outcome: "conflict", tree: asOid(tree), paths: [...new Set(paths.filter((path) => path !== ""))].sort() };
}
