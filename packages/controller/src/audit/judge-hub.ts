import type { AttemptId, Oid, ProjectId, TaskId } from "@dispatch/core";
import type { Holding, KeptRef, MainHistory, PrunedRef } from "@dispatch/git";
import type { MainRecord } from "../record/read-record.ts";
import { type LineCommit, walkLine } from "./walk-line.ts";

/** A task of which the ledger says that it is merged. */
export interface MergedTask {
  task: TaskId;
  specId: string;
  /** The landing commit. */
  commit: Oid;
  attempt: AttemptId;
}

/** A commit that an attempt left, as it was collected. */
export interface KeptCommit {
  attempt: AttemptId;
  what: "result" | "salvage";
  commit: Oid;
  holding: Holding;
}

/** Ledger and hub of a project, side by side. */
export interface HubFacts {
  project: ProjectId;
  record: MainRecord;
  merged: readonly MergedTask[];
  works: readonly KeptCommit[];
  /** Main before the ledger was read: what came after it need not be in the ledger yet. */
  mainBefore: Oid | null;
  history: MainHistory;
  kept: readonly KeptRef[];
  /** Attempts that the ledger knows. */
  known: ReadonlySet<AttemptId>;
  pruned: readonly PrunedRef[];
  /** What git says is missing or broken. */
  broken: readonly string[];
}

export type ViolationKind =
  | "main-missing"
  | "main-rewritten"
  | "merged-not-on-main"
  | "landing-not-on-main"
  | "landing-unnamed"
  | "main-untested"
  | "tree-differs"
  | "work-lost"
  | "objects-broken"
  | "hub-missing"
  | "hub-unreadable";

export interface Violation {
  kind: ViolationKind;
  /** The task, attempt or commit it is about; empty for the hub as a whole. */
  about: string;
  text: string;
}

/** What is no violation and still has to be told. */
export interface AuditNote {
  kind: "unknown-attempt" | "before-ledger";
  about: string;
  text: string;
}

export interface HubVerdict {
  violations: readonly Violation[];
  notes: readonly AuditNote[];
  /** What was looked at. */
  counts: { merged: number; landings: number; works: number; refs: number; pruned: number };
}

/** Whether everything the ledger says was merged is on main, all of main was tested, and nothing an attempt left is lost. */
export function judgeHub(facts: HubFacts): HubVerdict {
  const { history, record } = facts;
  const { line, complete } = walkLine(history, record.takenIn);
  const own = record.start === null ? 0 : line.findIndex(({ commit }) => commit === record.start);
  const older = own < 0 ? [] : line.slice(own);
  const known = own < 0 ? line : line.slice(0, own);
  const lost = facts.works.filter((work) => !isHeld(work) && !isPruned(work, facts.pruned));
  return {
    violations: [
      ...judgeMain(history, complete),
      ...facts.merged.flatMap((task) => judgeMerged(task, facts, line)),
      ...judgeTests(known, facts),
      ...lost.map(lostWork),
      ...facts.broken.map((line): Violation => ({ kind: "objects-broken", about: "", text: line })),
    ],
    notes: [...unknownAttempts(facts), ...olderThanLedger(older)],
    counts: {
      merged: facts.merged.length,
      landings: known.length,
      works: facts.works.length,
      refs: facts.kept.length,
      pruned: facts.works.filter((work) => !isHeld(work) && isPruned(work, facts.pruned)).length,
    },
  };
}

function judgeMain({ main, start }: MainHistory, complete: boolean): Violation[] {
  if (main === null) return [{ kind: "main-missing", about: "", text: "the hub has no main" }];
  if (complete) return [];
  return [{ kind: "main-rewritten", about: main, text: `main ${short(main)} does not lead back to ${short(start ?? "")}, where the hub began` }];
}

function judgeMerged({ task, specId, commit, attempt }: MergedTask, { works }: HubFacts, line: readonly LineCommit[]): Violation[] {
  const violations: Violation[] = [];
  const tips = works.filter((work) => work.attempt === attempt && work.what === "result");
  for (const tip of tips.filter(({ holding }) => !holding.onMain)) {
    violations.push({ kind: "merged-not-on-main", about: task, text: `is merged, but its result ${short(tip.commit)} is no ancestor of main` });
  }
  if (tips.length === 0)
    violations.push({ kind: "merged-not-on-main", about: task, text: "is merged, but no result of its attempt was ever collected" });
  const landing = line.find((one) => one.commit === commit);
  if (landing === undefined) {
    violations.push({ kind: "landing-not-on-main", about: task, text: `landed as ${short(commit)}, which is not on the line of main` });
  } else if (!landing.specs.includes(specId)) {
    violations.push({ kind: "landing-unnamed", about: task, text: `landed as ${short(commit)}, whose Spec-Id trailers do not name it` });
  }
  return violations;
}

/** Every commit main was at had green tests on exactly its tree, or came from origin and was tested as a whole when it was taken in. */
function judgeTests(line: readonly LineCommit[], { record, mainBefore }: HubFacts): Violation[] {
  const from = line.findIndex(({ commit }) => commit === mainBefore);
  return line.slice(Math.max(0, from)).flatMap(({ commit, tree, takenIn }): Violation[] => {
    if (takenIn) return [];
    const tested = record.green.get(commit);
    if (tested === undefined) return [{ kind: "main-untested", about: commit, text: "is on main, and the ledger knows of no green run on it" }];
    if (tested === tree) return [];
    return [{ kind: "tree-differs", about: commit, text: `has tree ${short(tree)}, but its tests ran on ${short(tested)}` }];
  });
}

function isHeld({ holding }: KeptCommit): boolean {
  return holding.onMain || holding.refs.length > 0;
}

/** Whether a commit is missing because retention let go of it. */
export function isPruned({ attempt, commit }: Pick<KeptCommit, "attempt" | "commit">, pruned: readonly PrunedRef[]): boolean {
  return pruned.some((one) => one.commit === commit && one.ref.split("/").includes(attempt));
}

function lostWork({ attempt, what, commit, holding }: KeptCommit): Violation {
  const text = holding.present
    ? `its ${what} ${commit} is in the hub, but no ref holds it: git update-ref refs/dispatch/${what}/${attempt} ${commit}`
    : `its ${what} ${commit} is not in the hub`;
  return { kind: "work-lost", about: attempt, text };
}

function unknownAttempts({ kept, known }: HubFacts): AuditNote[] {
  const unknown = kept.filter(({ attempt }) => !known.has(attempt));
  return unknown.map(({ attempt, ref, commit }) => ({
    kind: "unknown-attempt",
    about: attempt,
    text: `the ledger does not know it; ${ref} holds ${short(commit)}`,
  }));
}

function olderThanLedger(older: readonly LineCommit[]): AuditNote[] {
  const [newest] = older;
  if (newest === undefined) return [];
  const text = `${older.length === 1 ? "1 commit" : `${older.length} commits`} of main up to here came before this ledger, which cannot say how they were tested`;
  return [{ kind: "before-ledger", about: newest.commit, text }];
}

function short(oid: Oid): string {
  return oid.slice(0, 12);
}
