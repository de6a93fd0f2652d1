import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AttemptId, type Oid, resultRef, type StoredEvent, salvageRef, splitTaskId, type TaskId } from "@dispatch/core";
import type { RealFactory } from "../kit/real-factory.ts";
import { gitOut, linesOf } from "./prove-main.ts";

/** Watches one factory over all the lives of its daemon. */
export interface LandingLaws {
  /** What is wrong now that was not found wrong before. May be asked while a daemon runs, or while what a killed one started still ends. */
  check(): readonly string[];
  /** Main was at all of these, and at nothing else; asked once, at the end. */
  checkMoves(): readonly string[];
}

/** What the stored facts have said so far. */
interface Told {
  upTo: number;
  /** Trees of the cars that were built, by their commit. */
  built: Map<Oid, Oid>;
  green: Set<Oid>;
  newestAttempt: Map<TaskId, AttemptId>;
  kept: Map<AttemptId, { tip: Oid | null; salvage: Oid | null }>;
  merged: Map<TaskId, Oid>;
}

interface Landing {
  tree: Oid;
  specs: readonly string[];
}

type Watched = Pick<RealFactory, "hub" | "origin" | "node" | "agentRuns">;

interface Watch {
  factory: Watched;
  readEvents(): readonly StoredEvent[];
  told: Told;
  /** Where main of hub and origin was when they were looked at last. */
  seen: Map<string, Oid>;
  /** Main's first-parent line as far as it was judged. */
  line: Map<Oid, Landing>;
  wrong: string[];
}

/**
 * I1: main only ever moves forward, and each commit of its first-parent line has the tree of a car whose run was recorded green.
 * I2: what is told as merged is on main, no spec lands twice, and what was collected is held by its ref.
 */
export function watchLandingLaws(factory: Watched, readEvents: () => readonly StoredEvent[]): LandingLaws {
  const told: Told = { upTo: 0, built: new Map(), green: new Set(), newestAttempt: new Map(), kept: new Map(), merged: new Map() };
  const watch: Watch = { factory, readEvents, told, seen: new Map(), line: new Map(), wrong: [] };
  return {
    check() {
      watch.wrong = [];
      checkOnce(watch);
      return watch.wrong;
    },
    checkMoves: () => judgeMoves(watch),
  };
}

/** Whatever is read first may be older than what is read after it, and never newer: git moves on while this looks. */
function checkOnce(watch: Watch): void {
  const { factory, told } = watch;
  if (!existsSync(factory.hub)) return;
  const withoutTree = attemptsWithoutTree(watch);
  const published = gitOut(factory.origin, "rev-parse", "refs/heads/main");
  const main = gitOut(factory.hub, "rev-parse", "refs/heads/main");
  const merged = readTold(watch);
  judgeForward(watch, factory.origin, published);
  judgeForward(watch, factory.hub, main);
  if (!isAncestor(factory.hub, published, main)) watch.wrong.push(`I1: origin is at ${published}, which is not on main ${main}`);
  judgeLine(watch, main);
  const refs = refsOf(factory.hub);
  judgeMerged(watch, merged, gitOut(factory.hub, "rev-parse", "refs/heads/main"), refs);
  for (const [attempt, { tip, salvage }] of told.kept) {
    for (const [ref, commit] of [[resultRef(attempt), tip] as const, [salvageRef(attempt), salvage] as const]) {
      if (commit === null || refs.get(ref) === commit || isAncestor(factory.hub, commit, "refs/heads/main")) continue;
      watch.wrong.push(`I2: ${ref} should hold ${commit} and holds ${refs.get(ref) ?? "nothing"}`);
    }
  }
  for (const attempt of withoutTree) {
    if (!told.kept.has(attempt) && !refs.has(resultRef(attempt))) watch.wrong.push(`I2: ${attempt} has neither a worktree nor a ref in the hub`);
  }
}

/** Takes in what was stored since the last time; gives the tasks that are told as merged now. */
function readTold({ readEvents, told, wrong }: Watch): TaskId[] {
  const merged: TaskId[] = [];
  for (const { seq, event } of readEvents()) {
    if (seq <= told.upTo) continue;
    told.upTo = seq;
    if (event.type === "car-built") told.built.set(event.candidate.commit, event.candidate.tree);
    else if (event.type === "car-passed") told.green.add(event.candidate.tree);
    else if (event.type === "task-placed") told.newestAttempt.set(event.task, event.attempt);
    else if (event.type === "attempt-collected" || event.type === "attempt-retired") told.kept.set(event.attempt, event);
    else if (event.type === "task-merged") {
      if (told.merged.has(event.task)) wrong.push(`I2: ${event.task} is told as merged twice`);
      told.merged.set(event.task, event.commit);
      merged.push(event.task);
    }
  }
  return merged;
}

function judgeForward({ factory, seen, wrong }: Watch, repository: string, main: Oid): void {
  const before = seen.get(repository);
  seen.set(repository, main);
  if (before === undefined || before === main || isAncestor(repository, before, main)) return;
  wrong.push(`I1: main of ${repository === factory.hub ? "the hub" : "origin"} went from ${before} to ${main}, which does not hold it`);
}

/** Judges what main's first-parent line has got since it was looked at. */
function judgeLine({ factory, told, line, wrong }: Watch, main: Oid): void {
  const known = [...line.keys()].at(-1);
  const landed = new Set([...line.values()].flatMap(({ specs }) => specs));
  for (const [commit, landing] of landingsOf(factory.hub, known === undefined ? main : `${known}..${main}`)) {
    const { tree, specs } = landing;
    // What the repository began with was never landed.
    const isFirst = line.size === 0;
    line.set(commit, landing);
    if (isFirst) continue;
    if (told.built.get(commit) !== tree) wrong.push(`I1: ${commit} on main is no car that was built with the tree ${tree}`);
    if (!told.green.has(tree)) wrong.push(`I1: no green run of ${tree} is recorded, which is the tree of ${commit} on main`);
    if (specs.length === 0) wrong.push(`I1: ${commit} on main lands no spec`);
    for (const id of specs) if (landed.has(id)) wrong.push(`I2: ${id} lands twice, the second time with ${commit}`);
    for (const id of specs) landed.add(id);
  }
}

function judgeMerged({ factory, told, wrong }: Watch, merged: readonly TaskId[], main: Oid, refs: ReadonlyMap<string, Oid>): void {
  if (merged.length === 0) return;
  const line = landingsOf(factory.hub, main);
  const apart = new Set(linesOf(gitOut(factory.hub, "for-each-ref", "--format=%(refname)", `--no-merged=${main}`, resultRef(""))));
  for (const task of merged) {
    const commit = told.merged.get(task) ?? "";
    const ref = resultRef(told.newestAttempt.get(task) ?? "");
    const landing = line.get(commit);
    if (landing === undefined) wrong.push(`I2: ${task} is told as merged with ${commit}, which is not on main's first-parent line`);
    else if (!landing.specs.includes(splitTaskId(task).specId)) wrong.push(`I2: ${commit} does not name ${task}, which is told as merged with it`);
    if (!refs.has(ref) || apart.has(ref)) wrong.push(`I2: ${ref} is not on main, and ${task} is told as merged`);
  }
}

/** The commits of a first-parent line, oldest first. */
function landingsOf(repository: string, range: string): Map<Oid, Landing> {
  const format = "--format=%H%x09%T%x09%(trailers:key=Spec-Id,valueonly,separator=%x2C)";
  const rows = linesOf(gitOut(repository, "log", "--first-parent", "--reverse", format, range)).map((row) => row.split("\t"));
  return new Map(rows.map(([commit = "", tree = "", specs = ""]) => [commit, { tree, specs: specs.split(",").filter((id) => id !== "") }]));
}

/** Git notes every move of a ref of the hub: what went back and came forward again between two looks is seen here. */
function judgeMoves({ factory }: Watch): string[] {
  const moves = linesOf(gitOut(factory.hub, "log", "-g", "--format=%H", "refs/heads/main"));
  return moves.flatMap((to, at) => {
    const from = moves[at + 1];
    return from === undefined || isAncestor(factory.hub, from, to)
      ? []
      : [`I1: main of the hub was moved from ${from} to ${to}, which does not hold it`];
  });
}

/** Attempts whose agents have begun, of which nothing is known to be collected yet, and which have no worktree. */
function attemptsWithoutTree({ factory, told }: Watch): AttemptId[] {
  const begun = new Set(factory.agentRuns().map(({ attempt }) => attempt));
  return [...begun].filter((attempt) => !told.kept.has(attempt) && !existsSync(join(factory.node, "work", attempt)));
}

function refsOf(repository: string): Map<string, Oid> {
  const lines = linesOf(gitOut(repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/dispatch/"));
  return new Map(lines.map((line) => line.split(" ") as [string, Oid]));
}

function isAncestor(repository: string, older: string, newer: string): boolean {
  try {
    gitOut(repository, "merge-base", "--is-ancestor", older, newer);
    return true;
  } catch {
    // Also where a commit is not there at all.
    return false;
  }
}
