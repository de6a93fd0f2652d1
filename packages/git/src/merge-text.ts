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

/**
 * The same for many pairs in one process. Each answer is a status (1 clean, 0 conflict), a tree, the paths of a conflict and an
 * empty field. A pair without a common history would end the process, so callers leave such pairs out. Needs git 2.39.
 */
export async function mergeTexts(
  git: Git,
  pairs: readonly { ours: Oid; theirs: Oid }[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly TextMerge[]> {
  if (pairs.length === 0) return [];
  const doing = `merge ${pairs.length} pairs of branches`;
  const input = pairs.map(({ ours, theirs }) => `${asOid(ours)} ${asOid(theirs)}\n`).join("");
  const answer = await git.run({ args: ["merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages"], doing, input, env });
  const fields = answer.stdout.toString("utf8").split("\0");
  let at = 0;
  return pairs.map(() => {
    const [status = "", tree = ""] = fields.slice(at, at + 2);
    if (!/^[01]$/.test(status) || !/^[0-9a-f]{40}$/.test(tree)) throw failureOf(answer, { doing });
    const end = fields.indexOf("", at + 2);
    const paths = fields.slice(at + 2, end);
    at = end + 1;
    return status === "1" ? { outcome: "clean", tree: asOid(tree) } : { outcome: "conflict", tree: asOid(tree), paths: [...new Set(paths)].sort() };
  });
}
