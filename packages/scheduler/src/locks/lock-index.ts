import { coversPath, patternsOverlap, type TaskId } from "@dispatch/core";
import { entriesMeet, firstMeeting, type LockEntry, type LockSet, lockEntry, type Meeting } from "./lock-set.ts";
import { createLockTrie, enter, type Holders, type LockNode, leave } from "./lock-trie.ts";

/** Who keeps a task from starting, and where the two meet. */
export interface LockConflict extends Meeting {
  holder: TaskId;
}

/**
 * A place at which tasks wait for a lock. `under`: a held entry that covers all they want there, so that whoever
 * holds it, or holds what covers it, keeps them all off. `own`: what they themselves want.
 */
export interface WaitSpot {
  key: string;
  kind: "under" | "own" | "alone";
  /** Whether readers at the spot matter too, because those who wait would write. */
  any: boolean;
  entry: LockEntry;
}

export interface Blocker {
  holder: TaskId;
  spot: WaitSpot;
}

/** The locks of one project. A question costs the depth of its paths and the globs near them, not the number of holders. */
export interface LockIndex {
  /** `since` orders the holders, in ms since the epoch; then the id does. */
  hold(task: TaskId, locks: LockSet, since: number): void;
  release(task: TaskId): void;
  /** Since when a task holds; undefined when it does not. */
  heldSince(task: TaskId): number | undefined;
  /** Whether a holder changes the contract, so that nobody else may start. */
  readonly alone: boolean;
  readonly holders: number;
  /** Any holder that keeps a task with these locks from starting. */
  findBlocker(locks: LockSet): Blocker | undefined;
  /** Any holder that keeps everyone at the spot from starting. */
  recheck(spot: WaitSpot): TaskId | undefined;
  /** The first holder, in the order of holding, that keeps a task with these locks from starting. */
  findConflict(locks: LockSet): LockConflict | undefined;
  /** Holders that keep a task with these locks from starting: all, or as many as `most`. */
  holdersMet(locks: LockSet, most?: number): ReadonlySet<TaskId>;
  /** All holders that do, in order. */
  findConflicts(locks: LockSet): LockConflict[];
}

interface Held {
  locks: LockSet;
  since: number;
}

/** Called with the holders that are met at an entry; true ends the search. */
type Visit = (holders: Holders, exclusive: boolean, at: string, covers: boolean) => boolean;

export function createLockIndex(): LockIndex {
  const trie = createLockTrie();
  const held = new Map<TaskId, Held>();
  const contracts = new Set<TaskId>();

  function firstAlone(locks: LockSet): TaskId | undefined {
    return locks.contract === null ? firstOf(contracts) : firstOf(held.keys());
  }

  function conflictWith(locks: LockSet, ids: Iterable<TaskId>): LockConflict[] {
    const found: { id: TaskId; since: number; meeting: Meeting }[] = [];
    for (const id of ids) {
      const other = held.get(id);
      const meeting = other === undefined ? undefined : firstMeeting(locks, other.locks);
      if (other !== undefined && meeting !== undefined) found.push({ id, since: other.since, meeting });
    }
    found.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
    return found.map(({ id, meeting }) => ({ holder: id, ...meeting }));
  }

  function holdersMet(locks: LockSet, most = Number.POSITIVE_INFINITY): Set<TaskId> {
    const met = new Set<TaskId>();
    const take = (ids: Iterable<TaskId>): boolean => {
      for (const id of ids) if (met.add(id).size >= most) return true;
      return false;
    };
    if (take(locks.contract === null ? contracts : held.keys())) return met;
    for (const entry of locks.entries) {
      visitMeeting(trie, entry, take);
      if (met.size >= most) return met;
    }
    return met;
  }

  const index: LockIndex = {
    hold(task, locks, since) {
      if (held.has(task)) index.release(task);
      held.set(task, { locks, since });
      if (locks.contract !== null) contracts.add(task);
      for (const entry of locks.entries) enter(trie, entry, task);
    },
    release(task) {
      const gone = held.get(task);
      if (gone === undefined) return;
      held.delete(task);
      contracts.delete(task);
      for (const entry of gone.locks.entries) leave(trie, entry, task);
    },
    heldSince: (task) => held.get(task)?.since,
    get alone() {
      return contracts.size > 0;
    },
    get holders() {
      return held.size;
    },
    findBlocker(locks) {
      const alone = firstAlone(locks);
      if (alone !== undefined) return { holder: alone, spot: aloneSpot(locks.contract !== null) };
      for (const entry of locks.entries) {
        const blocker = blockerAt(trie, entry);
        if (blocker !== undefined) return blocker;
      }
      return undefined;
    },
    recheck(spot) {
      if (spot.kind === "alone") return spot.any ? firstOf(held.keys()) : firstOf(contracts);
      if (spot.kind === "own") return blockerAt(trie, spot.entry)?.holder;
      return coverOf(trie, spot.entry, spot.any);
    },
    holdersMet,
    findConflict: (locks) => conflictWith(locks, holdersMet(locks))[0],
    findConflicts: (locks) => conflictWith(locks, holdersMet(locks)),
  };
  return index;
}

const nothing: LockEntry = { pattern: "", exclusive: true, glob: false, spans: false, segments: [], anchor: 0 };

function aloneSpot(contract: boolean): WaitSpot {
  return { key: contract ? "alone" : "contract", kind: "alone", any: contract, entry: nothing };
}

function firstOf<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}

function blockerAt(trie: LockNode, mine: LockEntry): Blocker | undefined {
  let found: Blocker | undefined;
  visitMeeting(trie, mine, (holders, exclusive, at, covers) => {
    const holder = firstOf(holders);
    if (holder === undefined) return false;
    found = { holder, spot: covers ? underSpot(at, !exclusive) : ownSpot(mine) };
    return true;
  });
  return found;
}

/** Those who wait under an entry are kept off by whoever holds it, or a plain path at or above it. */
function underSpot(pattern: string, any: boolean): WaitSpot {
  const entry = lockEntry(pattern, true);
  return { key: `${any ? "s" : "x"} ${pattern}`, kind: "under", any, entry };
}

function ownSpot(mine: LockEntry): WaitSpot {
  return { key: `${mine.exclusive ? "w" : "r"} ${mine.pattern}`, kind: "own", any: mine.exclusive, entry: mine };
}

function coverOf(trie: LockNode, entry: LockEntry, any: boolean): TaskId | undefined {
  let node: LockNode | undefined = trie;
  for (let depth = 0; node !== undefined; depth++) {
    const holder = firstOf(node.exclusive) ?? (any ? firstOf(node.shared) : undefined);
    if (holder !== undefined) return holder;
    if (depth === entry.anchor) break;
    node = node.children.get(entry.segments[depth] as string);
  }
  const same = entry.glob ? node?.globs.get(entry.pattern) : undefined;
  return same === undefined ? undefined : (firstOf(same.exclusive) ?? (any ? firstOf(same.shared) : undefined));
}

/** Walks down the path of an entry, past what covers it, and then into what it covers. */
function visitMeeting(trie: LockNode, mine: LockEntry, visit: Visit): void {
  let node: LockNode | undefined = trie;
  for (let depth = 0; node !== undefined; depth++) {
    if (visitNode(node, mine, true, visit)) return;
    if (depth === mine.anchor) break;
    node = node.children.get(mine.segments[depth] as string);
  }
  if (node !== undefined) visitBelow(node, mine, mine.glob ? closure(mine, [mine.anchor]) : undefined, visit);
}

/** Plain entries on the way cover what is mine; globs have to be compared, and cover a plain path as far as those who wait care. */
function visitNode(node: LockNode, mine: LockEntry, covers: boolean, visit: Visit): boolean {
  if (node.exclusive.size > 0 && meets(node.path, mine, covers) && visit(node.exclusive, true, node.path, covers)) return true;
  if (mine.exclusive && node.shared.size > 0 && meets(node.path, mine, covers) && visit(node.shared, false, node.path, covers)) return true;
  for (const [pattern, glob] of node.globs) {
    if (glob.exclusive.size === 0 && !mine.exclusive) continue;
    if (!entriesMeet(glob.entry, mine)) continue;
    const under = covers && !mine.glob;
    if (glob.exclusive.size > 0 && visit(glob.exclusive, true, pattern, under)) return true;
    if (mine.exclusive && glob.shared.size > 0 && visit(glob.shared, false, pattern, under)) return true;
  }
  return false;
}

function meets(path: string, mine: LockEntry, covers: boolean): boolean {
  return covers && !mine.glob ? true : patternsOverlap(path, mine.pattern);
}

/** `states`: where in a glob one may stand at this node; undefined where everything below is covered. */
function visitBelow(node: LockNode, mine: LockEntry, states: readonly number[] | undefined, visit: Visit): boolean {
  for (const child of node.children.values()) {
    if (child.exclusiveBelow === 0 && !(mine.exclusive && child.sharedBelow > 0)) continue;
    const next = states === undefined ? undefined : advance(mine, states, child.name);
    if (next !== undefined && next.length === 0) continue;
    if (visitNode(child, mine, false, visit) || visitBelow(child, mine, next, visit)) return true;
  }
  return false;
}

function advance({ segments }: LockEntry, states: readonly number[], name: string): number[] {
  const next: number[] = [];
  for (const state of states) {
    const segment = segments[state];
    if (segment === "**") next.push(state);
    else if (segment !== undefined && coversPath(segment, name)) next.push(state + 1);
  }
  return closure({ segments }, next);
}

/** Positions that are reached without a further name: `**` may span none. */
function closure({ segments }: Pick<LockEntry, "segments">, states: readonly number[]): number[] {
  const all = new Set<number>();
  for (let state of states) {
    all.add(state);
    while (segments[state] === "**") all.add(++state);
  }
  return [...all];
}
