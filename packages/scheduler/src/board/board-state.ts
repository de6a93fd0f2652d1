import type { Attempt, AttemptId, NodeId, Project, ProjectId, Task, TaskId } from "@dispatch/core";
import type { Measured } from "../estimate.ts";
import type { Demand } from "../fit-node.ts";
import { createLockIndex, type LockIndex } from "../locks/lock-index.ts";
import type { LandingDecision } from "../plan-landings.ts";
import type { SchedulingPolicy } from "../snapshot.ts";
import type { Claim } from "./claim-locks.ts";
import { createHeap, type Heap } from "./heap.ts";
import { createNodeRooms, type NodeRooms } from "./node-rooms.ts";
import { createScoreKeeper, type ScoreKeeper } from "./score-tasks.ts";
import {
  type Bucket,
  createBucket,
  type Direction,
  type Entry,
  type Group,
  type Line,
  type Signature,
  timerHeap,
  type Wait,
} from "./waiting-line.ts";

/** What the board keeps of a project. */
export interface ProjectBoard {
  id: ProjectId;
  row: Project | undefined;
  policy: SchedulingPolicy | undefined;
  /** Slots its live attempts hold now. */
  used: number;
  directions: Map<string | null, Direction>;
  /** By class, then by direction. */
  lines: readonly Map<string | null, Line>[];
  locks: LockIndex;
  waits: Map<string, Wait>;
  waitsOn: Map<TaskId, Set<Wait>>;
  heldBack: Set<Group>;
  claims: Claim[];
  claimsSettled: boolean;
  /** How many were looked at for claims, and the last of them. */
  passedOver: number;
  lastPassedOver: Entry | undefined;
  /** Ready tasks that change the contract. */
  contracts: Set<Entry>;
  /** Queued and landing tasks. */
  landable: Map<TaskId, Task>;
  landing: readonly LandingDecision[];
  landingStale: boolean;
  /** Gate runs it was planned with. */
  landingSlots: number;
  /** Attempts ever placed, by node. */
  placedOn: Map<NodeId, number>;
}

/** A slot that an attempt holds. */
export interface SlotUse {
  node: NodeId;
  /** Whether it counts for its project and direction: a fenced attempt takes room of its node, and nothing works in it. */
  live: boolean;
  demand: Demand;
  project: ProjectBoard;
  direction: Direction;
}

export interface BoardState {
  projects: Map<ProjectId, ProjectBoard>;
  /** Rows in the order in which projects started. */
  rows: Map<ProjectId, Project>;
  tasks: Map<TaskId, Task>;
  attempts: Map<AttemptId, Attempt>;
  policies: ReadonlyMap<ProjectId, SchedulingPolicy>;
  entries: Map<TaskId, Entry>;
  /** Who waits for a task, over depends_on or after. */
  dependants: Map<TaskId, Set<Entry>>;
  slots: Map<AttemptId, SlotUse>;
  /** Sums of what attempts took that succeeded, by pace key; and what each of them put in. */
  measured: Map<string, Measured>;
  counted: Map<AttemptId, { key: string; measured: Measured }>;
  byPace: Map<string, Set<Entry>>;
  signatures: Map<string, Signature>;
  scores: ScoreKeeper;
  rooms: NodeRooms;
  timers: Heap<Entry>;
  /** Entries whose readiness has to be looked at again. */
  fresh: Set<Entry>;
  serial: number;
  /** When was decided last. */
  now: number;
}

export function createBoardState(policies: ReadonlyMap<ProjectId, SchedulingPolicy>): BoardState {
  return {
    projects: new Map(),
    rows: new Map(),
    tasks: new Map(),
    attempts: new Map(),
    policies,
    entries: new Map(),
    dependants: new Map(),
    slots: new Map(),
    measured: new Map(),
    counted: new Map(),
    byPace: new Map(),
    signatures: new Map(),
    scores: createScoreKeeper(),
    rooms: createNodeRooms(),
    timers: createHeap(timerHeap),
    fresh: new Set(),
    serial: 0,
    now: Number.NEGATIVE_INFINITY,
  };
}

export function projectOf(state: BoardState, id: ProjectId): ProjectBoard {
  const known = state.projects.get(id);
  if (known !== undefined) return known;
  const project: ProjectBoard = {
    id,
    row: undefined,
    policy: state.policies.get(id),
    used: 0,
    directions: new Map(),
    lines: [new Map(), new Map(), new Map(), new Map()],
    locks: createLockIndex(),
    waits: new Map(),
    waitsOn: new Map(),
    heldBack: new Set(),
    claims: [],
    claimsSettled: false,
    passedOver: 0,
    lastPassedOver: undefined,
    contracts: new Set(),
    landable: new Map(),
    landing: [],
    landingStale: true,
    landingSlots: 0,
    placedOn: new Map(),
  };
  state.projects.set(id, project);
  return project;
}

export function directionOf(project: ProjectBoard, name: string | null): Direction {
  const known = project.directions.get(name) ?? { name, used: 0 };
  project.directions.set(name, known);
  return known;
}

export function bucketOf(project: ProjectBoard, entry: Entry, urgency: number): Bucket {
  const lines = project.lines[urgency] as Map<string | null, Line>;
  const { direction, signature } = entry;
  const line = lines.get(direction.name) ?? { urgency, direction, buckets: new Map() };
  lines.set(direction.name, line);
  const bucket = line.buckets.get(signature.id) ?? createBucket(line, signature);
  line.buckets.set(signature.id, bucket);
  return bucket;
}

/** Forgets a bucket in which nobody waits any more. */
export function dropBucket(project: ProjectBoard, { line, signature, size }: Bucket): void {
  if (size > 0) return;
  line.buckets.delete(signature.id);
  if (line.buckets.size === 0) project.lines[line.urgency]?.delete(line.direction.name);
}
