import type { AttemptId, Oid } from "@dispatch/core";
import { asOid, type Git } from "./open-git.ts";
import { mainRef } from "./open-hub.ts";
import { readCommit } from "./read-commit.ts";

/** A ref of the hub that holds what an attempt left. */
export interface KeptRef {
  ref: string;
  commit: Oid;
  attempt: AttemptId;
  /** `superseded`: what result or salvage held before the attempt was collected once more. */
  kind: "result" | "salvage" | "superseded";
}

/** The attempt a ref belongs to, or undefined for refs of another kind. */
export function keptBy(ref: string): Pick<KeptRef, "attempt" | "kind"> | undefined {
  const [, before, kind, attempt] = /^refs\/dispatch\/(superseded\/)?(result|salvage)\/([^/]+)(?:\/|$)/.exec(ref) ?? [];
  if (attempt === undefined) return undefined;
  return { attempt, kind: before === undefined ? (kind as "result" | "salvage") : "superseded" };
}

/** All refs that hold what attempts left. */
export async function keptRefs(git: Git): Promise<KeptRef[]> {
  return (await listRefs(git, "refs/dispatch")).flatMap(({ ref, commit }) => {
    const kept = keptBy(ref);
    return kept === undefined ? [] : [{ ref, commit, ...kept }];
  });
}

/** Every ref below a prefix and what it names, whether that is there or not. */
export async function listRefs(git: Git, prefix: string): Promise<{ ref: string; commit: Oid }[]> {
  const { stdout } = await git.run({ args: ["for-each-ref", "--format=%(objectname) %(refname)", prefix], doing: `list ${prefix}` });
  return linesOf(stdout).map((line) => ({ commit: asOid(line.slice(0, 40)), ref: line.slice(41) }));
}

/** How much a commit is ahead of the base its attempt started from. */
export interface WorkSize {
  commits: number;
  files: number;
  /** Committer date in ms since the epoch. */
  at: number;
}

/** Measured from where it left main when no base is known. */
export async function measureWork(git: Git, base: Oid | null, commit: Oid): Promise<WorkSize> {
  const doing = `measure ${commit}`;
  const from = await startOf(git, base, commit);
  const count = await git.run({ args: ["rev-list", "--count", `${from}..${asOid(commit)}`], doing });
  const changed = await git.run({ args: ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, asOid(commit)], doing });
  const files = changed.stdout.toString("latin1").split("\0").length - 1;
  return { commits: Number(count.stdout), files, at: (await readCommit(git, commit)).at };
}

/** The change from the base as `git apply` takes it, byte for byte. */
export async function patchOf(git: Git, base: Oid | null, commit: Oid): Promise<Buffer> {
  const exact = ["--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"];
  const args = ["diff-tree", "-p", ...exact, await startOf(git, base, commit), asOid(commit)];
  return (await git.run({ args, doing: `write ${commit} as a patch` })).stdout;
}

async function startOf(git: Git, base: Oid | null, commit: Oid): Promise<Oid> {
  if (base !== null) return asOid(base);
  const { stdout } = await git.run({ args: ["merge-base", mainRef, asOid(commit)], doing: `find where ${commit} left main` });
  return asOid(stdout.toString("utf8"));
}

export function linesOf(output: Buffer): string[] {
  return output
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
}
