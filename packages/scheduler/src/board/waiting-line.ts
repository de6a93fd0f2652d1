import type { Task, TaskId } from "@dispatch/core";
import type { Demand } from "../fit-node.ts";
import type { WaitSpot } from "../locks/lock-index.ts";
import type { LockSet } from "../locks/lock-set.ts";
import { type Rank, ranksBefore } from "../rank.ts";
import type { Need } from "../readiness.ts";
import { createHeap, type Heap, type HeapKind, heapFix, heapPush, heapRemove } from "./heap.ts";
import type { ScoredTask } from "./score-tasks.ts";

/**
 * Where the ready tasks of one project wait.
 *
 * A bucket holds tasks that differ in rank only: one class, direction and signature. Inside it they stand
 * in groups: one of tasks that nothing is known to block, and one for every spot at which some were found blocked.
 * Only the first of a group is ever looked at, so that a release costs one look and not one for every waiter.
 */
export interface Bucket {
  line: Line;
  signature: Signature;
  open: Heap<Group>;
  /** Groups whose spot is held by somebody. */
  blocked: Heap<Group>;
  free: Group | undefined;
  size: number;
}

export interface Group {
  bucket: Bucket;
  wait: Wait | undefined;
  members: Heap<Entry>;
  home: Heap<Group> | undefined;
  place: number;
  /** Kept from going on by another's claim, until something in the project changes. */
  heldBack: boolean;
}

/** A spot at which tasks wait: for the locks of `blocker`, or behind a claim. */
export interface Wait {
  key: string;
  spot: WaitSpot | undefined;
  claimer: Entry | undefined;
  blocker: TaskId | undefined;
  groups: Map<Bucket, Group>;
  /** Where it is listed while anyone waits at it. */
  all: Map<string, Wait>;
}

/** The buckets of one class and direction of a project. */
export interface Line {
  urgency: number;
  direction: Direction;
  buckets: Map<number, Bucket>;
}

export interface Direction {
  name: string | null;
  used: number;
}

/** Tasks with equal demands on a node. */
export interface Signature {
  id: number;
  demand: Demand;
  /** What was found out about the nodes, and for which state of them. */
  fits: boolean;
  fitsAt: number;
  couldFit: boolean;
  couldFitAt: number;
}

/** What the board keeps of a task that has not ended. */
export interface Entry extends Rank {
  /** Tells apart entries of one task before and after its spec was revised. */
  serial: number;
  task: Task;
  needs: readonly Need[];
  locks: LockSet;
  signature: Signature;
  direction: Direction;
  paceKey: string;
  scored: ScoredTask;
  readySince: number;
  /** Class while it is ready. */
  urgency: number;
  group: Group | undefined;
  place: number;
  wakeAt: number;
  timerPlace: number;
}

const entryHeap: HeapKind<Entry> = {
  before: ranksBefore,
  placeOf: (entry) => entry.place,
  setPlace(entry, place) {
    entry.place = place;
  },
};

const groupHeap: HeapKind<Group> = {
  before: (a, b) => ranksBefore(a.members.items[0] as Entry, b.members.items[0] as Entry),
  placeOf: (group) => group.place,
  setPlace(group, place) {
    group.place = place;
  },
};

/** Orders entries by when time alone changes something about them. */
export const timerHeap: HeapKind<Entry> = {
  before: (a, b) => a.wakeAt < b.wakeAt,
  placeOf: (entry) => entry.timerPlace,
  setPlace(entry, place) {
    entry.timerPlace = place;
  },
};

export function createBucket(line: Line, signature: Signature): Bucket {
  return { line, signature, open: createHeap(groupHeap), blocked: createHeap(groupHeap), free: undefined, size: 0 };
}

function createGroup(bucket: Bucket, wait: Wait | undefined): Group {
  return { bucket, wait, members: createHeap(entryHeap), home: undefined, place: -1, heldBack: false };
}

/** Puts an entry among those that wait at a spot, or among those that nothing is known to block. */
export function joinGroup(entry: Entry, bucket: Bucket, wait: Wait | undefined): void {
  const group = groupFor(bucket, wait);
  entry.group = group;
  bucket.size++;
  heapPush(group.members, entry);
  seat(group);
}

function groupFor(bucket: Bucket, wait: Wait | undefined): Group {
  if (wait === undefined) {
    bucket.free ??= createGroup(bucket, undefined);
    return bucket.free;
  }
  const group = wait.groups.get(bucket) ?? createGroup(bucket, wait);
  wait.groups.set(bucket, group);
  wait.all.set(wait.key, wait);
  return group;
}

export function leaveGroup(entry: Entry): void {
  const { group } = entry;
  if (group === undefined) return;
  entry.group = undefined;
  group.bucket.size--;
  if (group.members.items.length === 1) unseat(group);
  heapRemove(group.members, entry);
  if (group.members.items.length > 0) seat(group);
  else if (group.wait !== undefined) {
    group.wait.groups.delete(group.bucket);
    if (group.wait.groups.size === 0) group.wait.all.delete(group.wait.key);
  }
}

/** Lets an entry go on as one that nothing is known to block. */
export function moveToFree(entry: Entry): void {
  const bucket = entry.group?.bucket;
  if (bucket === undefined) return;
  leaveGroup(entry);
  joinGroup(entry, bucket, undefined);
}

/** Puts a waiting entry where its changed rank belongs. */
export function rerank(entry: Entry): void {
  const { group } = entry;
  if (group === undefined) return;
  heapFix(group.members, entry);
  seat(group);
}

/** Puts a group into the heap it belongs in, at its place. */
export function seat(group: Group): void {
  const home = group.heldBack ? undefined : group.wait?.blocker === undefined ? group.bucket.open : group.bucket.blocked;
  if (home !== group.home) {
    unseat(group);
    group.home = home;
    if (home !== undefined) heapPush(home, group);
  } else if (home !== undefined) heapFix(home, group);
}

function unseat(group: Group): void {
  if (group.home !== undefined) heapRemove(group.home, group);
  group.home = undefined;
}

/** The first of a bucket that nothing is known to block. */
export function firstOpen(bucket: Bucket): Entry | undefined {
  return bucket.open.items[0]?.members.items[0];
}
