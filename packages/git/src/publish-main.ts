import type { ProjectSource, PublishOutcome } from "@dispatch/core";
import { publishByRequest } from "./forge/publish-by-request.ts";
import { findCheckout, requireCleanCheckout } from "./inspect-checkout.ts";
import { findOrigin, readOrigin } from "./look-at-origin.ts";
import type { Git, GitOptions } from "./open-git.ts";
import { readMain } from "./open-hub.ts";
import { asRefusal, movesForward, pushCommit } from "./push-commit.ts";

/** A branch that a person has checked out on this machine moves together with its clean worktree, or not at all. */
const withWorktree = "--receive-pack=git -c receive.denyCurrentBranch=updateInstead receive-pack";

/** Brings main to origin: to its branch, or to a branch of its own with a pull request into that. */
export async function publishMain(git: Git, project: ProjectSource, options: GitOptions): Promise<PublishOutcome> {
  if (project.pullRequest !== undefined) return publishByRequest(git, project, project.pullRequest, options);
  const origin = await findOrigin(project, options.env);
  const main = await readMain(git);
  const before = await readOrigin(git, origin);
  if (before === main) return { outcome: "published", commit: main };
  if (!(await movesForward(git, before, main))) return { outcome: "origin-moved" };
  const checkout = await findCheckout(origin, options.env);
  const move = { from: before, to: main, env: options.env };
  if (checkout !== undefined) await requireCleanCheckout(git, origin, checkout, move);

  const failure = await pushCommit(git, origin, { commit: main, ref: origin.ref, ...(checkout === undefined ? {} : { receiving: [withWorktree] }) });
  const after = await readOrigin(git, origin);
  if (after === main) return { outcome: "published", commit: main };
  if (after !== before) return { outcome: "origin-moved" };
  if (checkout !== undefined) await requireCleanCheckout(git, origin, checkout, move);
  throw asRefusal(failure, `origin stayed at ${before}`);
}
