import { FactoryError, type ProjectSource, type PublishOutcome } from "@dispatch/core";
import { findCheckout, requireCleanCheckout } from "./inspect-checkout.ts";
import { findOrigin, readOrigin } from "./look-at-origin.ts";
import { type Git, type GitOptions, isAncestor } from "./open-git.ts";
import { readMain } from "./open-hub.ts";

/** A branch that a person has checked out on this machine moves together with its clean worktree, or not at all. */
const withWorktree = "--receive-pack=git -c receive.denyCurrentBranch=updateInstead receive-pack";

/**
 * Pushes main to origin's branch by fast-forward only, and proves it by looking at origin again.
 * A push that failed is judged by where origin's branch is afterwards, not by what git printed.
 */
export async function publishMain(git: Git, project: ProjectSource, options: GitOptions): Promise<PublishOutcome> {
  const origin = await findOrigin(project, options.env);
  const main = await readMain(git);
  const before = await readOrigin(git, origin);
  if (before === main) return { outcome: "published", commit: main };
  if (!(await holdsCommit(git, before)) || !(await isAncestor(git, before, main))) return { outcome: "origin-moved" };
  const checkout = await findCheckout(origin, options.env);
  const move = { from: before, to: main, env: options.env };
  if (checkout !== undefined) await requireCleanCheckout(git, origin, checkout, move);

  const receiving = checkout === undefined ? [] : [withWorktree];
  const { failure } = await git.tryTalk({
    args: ["push", "--progress", "--no-verify", "--no-recurse-submodules", ...receiving, "--", origin.url, `${main}:${origin.ref}`],
    doing: `publish main to ${origin.branch} of ${origin.shown}`,
    remote: "origin",
  });
  const after = await readOrigin(git, origin);
  if (after === main) return { outcome: "published", commit: main };
  if (after !== before) return { outcome: "origin-moved" };
  if (checkout !== undefined) await requireCleanCheckout(git, origin, checkout, move);
  throw asRefusal(failure, `origin stayed at ${before}`);
}

async function holdsCommit(git: Git, commit: string): Promise<boolean> {
  const { exitCode } = await git.run({ args: ["cat-file", "-e", `${commit}^{commit}`], doing: `look for ${commit}`, answers: [0, 1, 128] });
  return exitCode === 0;
}

/** Origin answered and did not take it, in words that no rule knows. */
function asRefusal(failure: FactoryError | undefined, fallback: string): FactoryError {
  if (failure !== undefined && failure.code !== "GIT_FAILED") return failure;
  return new FactoryError("ORIGIN_REFUSED", failure?.message ?? fallback, {
    fault: "user",
    hint: "see what origin says, change its rules or its state, then collect again",
    facts: failure?.facts ?? {},
  });
}
