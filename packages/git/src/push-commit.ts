import { FactoryError, type Oid } from "@dispatch/core";
import type { Origin } from "./look-at-origin.ts";
import { type Git, isAncestor, resolveRef } from "./open-git.ts";

export interface Push {
  commit: Oid;
  /** Full name of the branch at origin. */
  ref: string;
  /** How the other side receives it, where that matters. */
  receiving?: readonly string[];
}

/**
 * Pushes a commit to a branch of origin, by fast-forward only. What came of it is seen by looking at origin again,
 * not in what git printed; the failure is for a caller that finds the branch where it was.
 */
export async function pushCommit(git: Git, origin: Origin, { commit, ref, receiving = [] }: Push): Promise<FactoryError | undefined> {
  const { failure } = await git.tryTalk({
    args: ["push", "--progress", "--no-verify", "--no-recurse-submodules", ...receiving, "--", origin.url, `${commit}:${ref}`],
    doing: `publish main to ${ref.slice("refs/heads/".length)} of ${origin.shown}`,
    remote: "origin",
  });
  return failure;
}

/** Whether a push of `main` over `there` would be a fast-forward: the hub has what is there, and main holds it. */
export async function movesForward(git: Git, there: Oid, main: Oid): Promise<boolean> {
  return (await resolveRef(git, there)) !== undefined && (await isAncestor(git, there, main));
}

/** Origin answered and did not take it, in words that no rule knows. */
export function asRefusal(failure: FactoryError | undefined, fallback: string): FactoryError {
  if (failure !== undefined && failure.code !== "GIT_FAILED") return failure;
  return new FactoryError("ORIGIN_REFUSED", failure?.message ?? fallback, {
    fault: "user",
    hint: "see what origin says, change its rules or its state, then collect again",
    facts: failure?.facts ?? {},
  });
}
