import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptId, type BuildOutcome, invariant, type LandingInput, type Oid } from "@dispatch/core";
import { findCollisions, indexInfo, type PathChange, sameDelta } from "./compare-deltas.ts";
import { asOid, type Git } from "./open-git.ts";
import { scratchOf } from "./open-hub.ts";
import { deltaOf, mergeBaseOf } from "./read-history.ts";
import { reportCollisions, reportForeignHistory } from "./report-conflict.ts";
import { authorOf, dispatchAuthor, writeCommit } from "./write-commit.ts";

/** Keeps a candidate from being pruned while it waits for its tests. */
function carRef(attempt: AttemptId): string {
  return `refs/gate/car/${attempt}`;
}

/**
 * What main would be with the attempt's change on it. Contents are never merged: each path is taken over
 * whole, and only where main still has what the attempt started from. The same input gives the same commits.
 */
export async function buildCandidate(git: Git, input: LandingInput): Promise<BuildOutcome> {
  const mergeBase = await mergeBaseOf(git, input.onto, input.tip);
  if (mergeBase === undefined) return { outcome: "conflict", report: await reportForeignHistory(git, input) };
  const delta = await deltaOf(git, mergeBase, input.tip);
  const collisions = findCollisions(delta, await deltaOf(git, mergeBase, input.onto));
  if (collisions.length > 0) return { outcome: "conflict", report: await reportCollisions(git, input, mergeBase, collisions) };

  const tree = await writeTree(git, input.onto, delta);
  invariant(sameDelta(await deltaOf(git, input.onto, tree), delta), `the candidate of ${input.attempt} changes something else than its branch`);
  const merge = await writeMerge(git, input, tree);
  const commit = await writeLanding(git, input, tree, merge);
  await git.run({ args: ["update-ref", carRef(input.attempt), commit], doing: `pin the candidate of ${input.attempt}` });
  return { outcome: "built", candidate: { commit, merge, tree } };
}

async function writeTree(git: Git, onto: Oid, delta: readonly PathChange[]): Promise<Oid> {
  await mkdir(scratchOf(git.dir), { recursive: true });
  const folder = await mkdtemp(join(scratchOf(git.dir), "index-"));
  const env = { GIT_INDEX_FILE: join(folder, "index") };
  const doing = `put the change on ${onto}`;
  try {
    await git.run({ args: ["read-tree", asOid(onto)], doing, env });
    await git.run({ args: ["update-index", "-z", "--index-info"], doing, env, input: indexInfo(delta) });
    const { stdout } = await git.run({ args: ["write-tree"], doing, env });
    return asOid(stdout.toString("utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tip as a parent proves that the branch landed, and lets it be reverted by itself. */
async function writeMerge(git: Git, input: LandingInput, tree: Oid): Promise<Oid> {
  return writeCommit(git, {
    tree,
    parents: [input.onto, input.tip],
    subject: `Merge ${input.specId}: ${input.subject}`,
    trailers: [
      ["Spec-Id", input.specId],
      ["Spec-Attempt", input.attempt],
      ["Spec-Base", input.base],
      ["Spec-Tip", input.tip],
      ["Agent-Id", input.executor],
    ],
    author: await authorOf(git, input.tip),
    at: input.at,
  });
}

/** The commits of main's first-parent line are exactly these: each was tested as a whole. */
async function writeLanding(git: Git, input: LandingInput, tree: Oid, merge: Oid): Promise<Oid> {
  return writeCommit(git, {
    tree,
    parents: [input.onto, merge],
    subject: `Land ${input.specId}: ${input.subject}`,
    trailers: [
      ["Spec-Id", input.specId],
      ["Train-Id", input.attempt],
      ["Gate-Run", input.gateRun],
      ["Gate-Tree", tree],
      ["Gate-Hash", input.gateHash],
    ],
    author: dispatchAuthor,
    at: input.at,
  });
}
