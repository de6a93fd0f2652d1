import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptId, type CarInput, coversAny, type Oid } from "@dispatch/core";
import { type Collision, findCollisions, type PathChange, pathText } from "../compare-deltas.ts";
import { mergeTexts, type TextMerge } from "../merge-text.ts";
import type { Git } from "../open-git.ts";
import { readMain, scratchOf } from "../open-hub.ts";
import { deltaOf, mergeBaseOf } from "../read-history.ts";
import { pairBranches } from "./pair-branches.ts";

/** What a task has by now: the tip of its result, or the newest checkpoint of its attempt. */
export interface LiveBranch {
  attempt: AttemptId;
  commit: Oid;
}

/** `attempt` will have to be built again on top of what it meets. */
export interface ComingConflict {
  attempt: AttemptId;
  with: { kind: "main" } | { kind: "attempt"; attempt: AttemptId };
  paths: readonly string[];
  /** `same_path`: git could merge the texts, but paths are taken over whole and never mixed. */
  kind: "same_path" | "text" | "file_or_folder";
}

/** Files that several branches may change: landing merges them as texts, or has them made again. */
export type ForecastPolicy = Pick<CarInput, "shared" | "generated">;

export const nothingShared: ForecastPolicy = { shared: [], generated: [] };

export interface Forecast {
  main: Oid;
  conflicts: readonly ComingConflict[];
  /** Pairs whose paths meet and that were not looked at any further. */
  uncompared: number;
}

/** Pairs beyond these are counted only: a few milliseconds each, and nobody reads more. */
export const maxPairs = 500;

/** A pair of commits whose paths meet. */
interface Pair {
  attempt: AttemptId;
  with: ComingConflict["with"];
  ours: Oid;
  theirs: Oid;
  collisions: readonly Collision[];
}

/**
 * Which branches will not fit on main, or not on top of each other. `branches` stand in the order in which they are expected to
 * land: of two that meet, the later one is named. Judged by path as landing does, so it tells what landing will say. Moves nothing,
 * and what the merges write goes with them.
 */
export async function forecastConflicts(
  git: Git,
  branches: readonly LiveBranch[],
  { memory, policy = nothingShared, limit = maxPairs }: { memory: ForecastMemory; policy?: ForecastPolicy; limit?: number },
): Promise<Forecast> {
  const main = await readMain(git);
  const changes = await readChanges(git, main, branches, memory);
  const pairs: Pair[] = changes.flatMap(({ attempt, commit, delta, onMain }) => {
    const collisions = findCollisions(delta, onMain);
    return collisions.length === 0 ? [] : [{ attempt, with: { kind: "main" } as const, ours: main, theirs: commit, collisions }];
  });
  for (const { earlier, later, collisions } of pairBranches(changes.map(({ delta }) => delta))) {
    const [first, second] = [changes[earlier], changes[later]];
    if (first === undefined || second === undefined) continue;
    const meeting = { kind: "attempt", attempt: first.attempt } as const;
    pairs.push({ attempt: second.attempt, with: meeting, ours: first.commit, theirs: second.commit, collisions });
  }
  const telling = pairs.flatMap((pair) => withoutGenerated(pair, policy));
  const compared = telling.slice(0, limit);
  const merges = await inScratch(git, (env) => mergeTexts(git, compared, env));
  const conflicts = compared.flatMap((pair, i) => asConflict(pair, merges[i], policy));
  return { main, conflicts, uncompared: telling.length - compared.length };
}

interface BranchDelta {
  main: Oid;
  /** Where the branch left that main; undefined: nowhere. */
  base: Oid | undefined;
  delta: readonly PathChange[];
}

/** What was read of each commit the last time, so that only what is new costs processes. */
export type ForecastMemory = Map<Oid, BranchDelta>;

interface BranchChange extends LiveBranch {
  delta: readonly PathChange[];
  /** What main changed since the branch left it. */
  onMain: readonly PathChange[];
}

/** A branch that does not belong to main's history has nothing to compare; landing will say so. */
async function readChanges(git: Git, main: Oid, branches: readonly LiveBranch[], memory: ForecastMemory): Promise<BranchChange[]> {
  const onMainSince = new Map<Oid, readonly PathChange[]>();
  const changes: BranchChange[] = [];
  const wanted = new Set(branches.map(({ commit }) => commit));
  for (const commit of memory.keys()) if (!wanted.has(commit)) memory.delete(commit);
  for (const branch of branches) {
    const { base, delta } = await readDelta(git, main, branch.commit, memory);
    if (base === undefined) continue;
    const onMain = onMainSince.get(base) ?? (base === main ? [] : await deltaOf(git, base, main));
    onMainSince.set(base, onMain);
    changes.push({ ...branch, delta, onMain });
  }
  return changes;
}

async function readDelta(git: Git, main: Oid, commit: Oid, memory: ForecastMemory): Promise<BranchDelta> {
  const known = memory.get(commit);
  if (known?.main === main) return known;
  const base = await mergeBaseOf(git, main, commit);
  const delta = base === undefined ? [] : known?.base === base ? known.delta : await deltaOf(git, base, commit);
  const read = { main, base, delta };
  memory.set(commit, read);
  return read;
}

function withoutGenerated(pair: Pair, { generated }: ForecastPolicy): Pair[] {
  const collisions = pair.collisions.filter(({ path }) => !coversAny(generated, pathText(path)));
  return collisions.length === 0 ? [] : [{ ...pair, collisions }];
}

function asConflict({ attempt, with: meets, collisions }: Pair, merge: TextMerge | undefined, { shared }: ForecastPolicy): ComingConflict[] {
  const torn = new Set(merge?.outcome === "conflict" ? merge.paths : []);
  const left = collisions.filter(({ path, kind }) => kind === "file-or-folder" || torn.has(pathText(path)) || !coversAny(shared, pathText(path)));
  if (left.length === 0) return [];
  const paths = left.map(({ path }) => pathText(path));
  const clash = left.some(({ kind }) => kind === "file-or-folder");
  return [{ attempt, with: meets, paths, kind: clash ? "file_or_folder" : paths.some((path) => torn.has(path)) ? "text" : "same_path" }];
}

/** Lets git write new objects beside the hub's, where they can be thrown away. */
async function inScratch<T>(git: Git, act: (env: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
  await mkdir(scratchOf(git.dir), { recursive: true });
  const objects = await mkdtemp(join(scratchOf(git.dir), "forecast-"));
  try {
    return await act({ GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(git.dir, "objects") });
  } finally {
    await rm(objects, { recursive: true, force: true });
  }
}
