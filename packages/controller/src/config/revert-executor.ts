import { type ExecutorDefinition, type Oid, revertExecutor, type TaskSpec } from "@dispatch/core";

const label = /^reverts-([0-9a-f]{40})$/;
const timeoutSeconds = 600;

/**
 * A revert that met what was built on it since leaves nothing behind, so that no half of one can pass for the whole:
 * the conflicts are named in the log, and the gates refuse the empty change.
 */
const script = [
  "git reset --quiet --hard || exit 1",
  'git revert --no-commit -m 1 "$@" && exit 0',
  "echo 'main has changed since where the revert would change it:'",
  "git status --short --untracked-files=no",
  "git reset --quiet --hard",
  "exit 1",
].join("\n");

/** Says in a spec that it takes this merge commit back. */
export function revertLabel(commit: Oid): string {
  return `reverts-${commit}`;
}

/** The merge commits that a spec takes back, in the order in which it does. */
export function revertedBy({ executor, labels }: Pick<TaskSpec, "executor" | "labels">): readonly Oid[] {
  if (executor !== revertExecutor) return [];
  return labels.flatMap((text) => label.exec(text)?.[1] ?? []);
}

/** What runs for a spec that takes merge commits back. */
export function revertsWithGit(commits: readonly Oid[]): ExecutorDefinition {
  return { name: revertExecutor, command: ["sh", "-c", script, revertExecutor, ...commits], prompt: "file", timeoutSeconds, env: {} };
}
