import { type AdvanceOutcome, FactoryError, invariant, type Oid } from "@dispatch/core";
import { asOid, type Git, isAncestor } from "./open-git.ts";
import { mainRef, readMain } from "./open-hub.ts";
import { isNear } from "./read-commit.ts";
import { removeStaleLocks } from "./remove-stale-locks.ts";

/**
 * Moves main from one exact commit to a descendant of it, or says where main is instead.
 * Looks first whether that was done already, and proves at the end that the commit is on main.
 */
export async function advanceMain(git: Git, commit: Oid, onto: Oid): Promise<AdvanceOutcome> {
  const before = await readMain(git);
  if (before === commit) return { outcome: "advanced" };
  if (before !== onto) return (await isAncestor(git, commit, before)) ? { outcome: "advanced" } : { outcome: "main-moved", main: before };
  if (!(await isNear(git, onto, commit)) && !(await isAncestor(git, onto, commit))) {
    if (await isAncestor(git, commit, onto)) return { outcome: "advanced" };
    throw new FactoryError("MAIN_MOVED", `${commit} does not contain main ${onto}; moving main there would lose commits`, {
      hint: "build the candidate again on main as it is now",
    });
  }
  const failure = (await swapMain(git, commit, onto)) && (await swapAfterRepair(git, commit, onto));
  const after = await readMain(git);
  if (await isAncestor(git, commit, after)) return { outcome: "advanced" };
  if (after !== onto) return { outcome: "main-moved", main: after };
  invariant(failure !== undefined, `main stayed at ${onto} although it was moved to ${commit}`);
  throw failure;
}

/** A killed update leaves locks behind; without any, the second try fails like the first and tells why. */
async function swapAfterRepair(git: Git, commit: Oid, onto: Oid): Promise<FactoryError | undefined> {
  await removeStaleLocks(git.dir, "main");
  return swapMain(git, commit, onto);
}

async function swapMain(git: Git, commit: Oid, onto: Oid): Promise<FactoryError | undefined> {
  try {
    await git.run({ args: ["update-ref", "-m", `land ${commit}`, mainRef, asOid(commit), asOid(onto)], doing: `move main to ${commit}` });
    return undefined;
  } catch (error) {
    if (error instanceof FactoryError && error.code === "GIT_FAILED") return error;
    throw error;
  }
}
