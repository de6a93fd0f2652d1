import { evolve, invariant, type NodeClosure, type NodeId, type NodeSnapshot, type Resources, type Task, type TaskId } from "@dispatch/core";
import { refresh } from "../board/board.ts";
import { type BoardState, createBoardState, type ProjectBoard, projectOf } from "../board/board-state.ts";
import { claimAgainst, untilOf } from "../board/claim-locks.ts";
import { followChange } from "../board/follow-facts.ts";
import { couldFit, fitsNow, setRooms, usageOf } from "../board/node-rooms.ts";
import { barrierOf, pickPlacements } from "../board/pick-placements.ts";
import type { Entry } from "../board/waiting-line.ts";
import { isOpen, type NodeMiss, nearestMiss, whyNeverOn, whyNotOn, whyShut } from "../fit-node.ts";
import { type ConflictKind, firstMeeting } from "../locks/lock-set.ts";
import { ranksBefore } from "../rank.ts";
import { wantsToStart, whyNotReady } from "../readiness.ts";
import type { Snapshot } from "../snapshot.ts";

/** Why a ready task cannot be placed, whatever room there is. Times are in ms since the epoch. */
export type BlockReason =
  | { kind: "lock"; holder: TaskId; holderState: Task["state"]["kind"]; since: number; mine: string; theirs: string; meeting: ConflictKind }
  /** Nothing of its project starts before a task that changes the shared contract. */
  | { kind: "contract-barrier"; task: TaskId; contract: string; since: number }
  /** Another one goes before it and waits for locks that this one would take, for longer than until they are free. */
  | { kind: "reserved"; by: TaskId; since: number; until: number; mine: string; theirs: string }
  /** No node could take it even if it were up, open and empty; `nearest` comes closest. */
  | { kind: "no-node-fits"; nearest: { node: NodeId; miss: NodeMiss } | null }
  /** Every node that could take it is down. */
  | { kind: "nodes-down"; nodes: readonly ShutNode[] }
  /** Every node that could take it takes no new tasks, one of them at least for another reason than being down. */
  | { kind: "nodes-closed"; nodes: readonly ShutNode[] };

/** A node that could take a task and takes none now. */
export interface ShutNode {
  node: NodeId;
  by: NodeClosure["kind"] | "down";
  because: string;
}

/** Who is served first, and by which part of the order. */
export interface SlotOrder {
  task: TaskId;
  by: "class" | "share" | "direction" | "rank";
}

/** Looks into the board that decisions are made on. All tasks asked for must be ready, and all but those of `starts` stay where they are. */
interface BlockFinder {
  whyBlocked(task: TaskId): BlockReason | undefined;
  /** Whether the task is among those that start now. */
  starts(task: TaskId): boolean;
  /** The resource that keeps a task from every node that could take it. */
  shortResource(task: TaskId): { node: NodeId; resource: keyof Resources; wanted: number; free: number } | undefined;
  /** What the nodes that take tasks have for it, and the nodes that could take it and do not. */
  roomsOf(task: TaskId): { slots: number; nodesShut: readonly ShutNode[] };
  /** How many ready tasks that nothing blocks go before a task, and the first of them. */
  placeOf(task: TaskId): { ahead: number; first: SlotOrder | null };
}

export function createBlockFinder(snapshot: Snapshot, now: number): BlockFinder {
  const { state, starting } = openBoard(snapshot, now);
  const known = new Map<TaskId, BlockReason | undefined>();
  let line: Entry[] | undefined;
  let places: Map<TaskId, number> | undefined;

  function whyBlocked(id: TaskId): BlockReason | undefined {
    if (known.has(id)) return known.get(id);
    const entry = state.entries.get(id);
    const reason = entry === undefined ? undefined : findBlock(state, entry, now);
    known.set(id, reason);
    return reason;
  }

  function inLine(): Entry[] {
    line ??= [...state.entries.values()]
      .filter(
        ({ task }) =>
          wantsToStart(task) && !starting.has(task.id) && whyNotReady(snapshot, task, now) === undefined && whyBlocked(task.id) === undefined,
      )
      .sort((a, b) => (compareOrder(state, a, b).before ? -1 : 1));
    return line;
  }

  return {
    whyBlocked,
    starts: (id) => starting.has(id),
    shortResource(id) {
      const entry = state.entries.get(id);
      if (entry === undefined || fitsNow(state.rooms, entry.signature)) return undefined;
      const nearest = nearestOf(state, entry);
      if (nearest?.miss.kind !== "resource-taken") return undefined;
      const { resource, wanted, free } = nearest.miss;
      return { node: nearest.node, resource, wanted, free };
    },
    roomsOf(id) {
      const entry = state.entries.get(id);
      const fitting = entry === undefined ? [] : fittingNodes(state, entry);
      return {
        slots: fitting.reduce((sum, node) => sum + (isOpen(node) ? node.slots : 0), 0),
        nodesShut: fitting.flatMap(asShut),
      };
    },
    placeOf(id) {
      places ??= new Map(inLine().map((entry, place) => [entry.id, place]));
      const [first, mine] = [inLine()[0], state.entries.get(id)];
      const ahead = places.get(id) ?? 0;
      if (first === undefined || mine === undefined || ahead === 0) return { ahead, first: null };
      return { ahead, first: { task: first.id, by: compareOrder(state, first, mine).by } };
    },
  };
}

/** The board as it is when what starts now has started: then whoever else is ready is kept back by what stands there. */
function openBoard({ world, nodes, projects }: Snapshot, now: number): { state: BoardState; starting: ReadonlySet<TaskId> } {
  const after = { projects: world.projects, tasks: new Map(world.tasks), attempts: new Map(world.attempts), nodes: world.nodes };
  const state = createBoardState(projects);
  setRooms(state.rooms, nodes);
  followChange(state, { projects: [...world.projects.values()], tasks: [...world.tasks.values()], attempts: [...world.attempts.values()] });
  refresh(state, now);
  const starting = new Set<TaskId>();
  for (const { task, attempt, n, node, base } of pickPlacements(state, now)) {
    const placed = evolve(after, { type: "task-placed", task, attempt, n, node, base, executor: "" }, now);
    invariant(placed.outcome === "moved", `the placement of ${task} does not follow`);
    for (const row of placed.change.tasks) after.tasks.set(row.id, row);
    for (const row of placed.change.attempts) after.attempts.set(row.id, row);
    followChange(state, placed.change);
    starting.add(task);
  }
  refresh(state, now);
  pickPlacements(state, now);
  return { state, starting };
}

/** In the order in which placing looks at it: what can never be, locks, the contract, reservations, nodes. */
function findBlock(state: BoardState, entry: Entry, now: number): BlockReason | undefined {
  const project = projectOf(state, entry.task.project);
  return whyNoNode(state, entry) ?? whyLocked(state, project, entry) ?? whyBarred(state, project, entry) ?? whyReserved(state, project, entry, now);
}

/** The node that comes closest; of those that lack the same resource the one that has most of it. */
function nearestOf({ rooms }: BoardState, { signature: { demand } }: Entry): { node: NodeId; miss: NodeMiss } | undefined {
  const nearest = nearestMiss(rooms.nodes, demand, (node) => usageOf(rooms, node.id));
  if (nearest === undefined || amountOf(nearest.miss) === undefined) return nearest;
  let best = nearest;
  for (const node of rooms.nodes) {
    const miss = whyNotOn(node, usageOf(rooms, node.id), demand);
    if (miss === undefined || miss.kind !== best.miss.kind || !("resource" in miss && "resource" in best.miss)) continue;
    if (miss.resource === best.miss.resource && (amountOf(miss) ?? 0) > (amountOf(best.miss) ?? 0)) best = { node: node.id, miss };
  }
  return best;
}

function amountOf(miss: NodeMiss): number | undefined {
  if (miss.kind === "too-small") return miss.has;
  return miss.kind === "resource-taken" ? miss.free : undefined;
}

function whyNoNode(state: BoardState, entry: Entry): BlockReason | undefined {
  const { rooms } = state;
  const { signature } = entry;
  if (couldFit(rooms, signature)) return undefined;
  const nodes = fittingNodes(state, entry).flatMap(asShut);
  if (nodes.length === 0) return { kind: "no-node-fits", nearest: nearestOf(state, entry) ?? null };
  return { kind: nodes.every(({ by }) => by === "down") ? "nodes-down" : "nodes-closed", nodes };
}

function fittingNodes({ rooms }: BoardState, { signature }: Entry): NodeSnapshot[] {
  return rooms.nodes.filter((node) => whyNeverOn(node, signature.demand) === undefined);
}

function asShut(node: NodeSnapshot): ShutNode[] {
  const miss = whyShut(node);
  if (miss === undefined) return [];
  return [{ node: node.id, by: miss.kind === "closed" ? miss.by : "down", because: miss.because }];
}

function whyLocked(state: BoardState, { locks }: ProjectBoard, entry: Entry): BlockReason | undefined {
  const conflict = locks.findConflict(entry.locks);
  if (conflict === undefined) return undefined;
  const { holder, mine, theirs, kind } = conflict;
  const holderState = state.tasks.get(holder)?.state.kind ?? "running";
  return { kind: "lock", holder, holderState, since: locks.heldSince(holder) ?? 0, mine, theirs, meeting: kind };
}

function whyBarred(state: BoardState, project: ProjectBoard, entry: Entry): BlockReason | undefined {
  const barrier = project.contracts.size === 0 ? undefined : barrierOf(state, project);
  if (barrier === undefined || barrier === entry) return undefined;
  return { kind: "contract-barrier", task: barrier.id, contract: barrier.locks.contract ?? "", since: barrier.readySince };
}

function whyReserved(state: BoardState, project: ProjectBoard, entry: Entry, now: number): BlockReason | undefined {
  const claim = entry.group === undefined ? undefined : claimAgainst(state, project, entry, now);
  const meeting = claim === undefined ? undefined : firstMeeting(entry.locks, claim.entry.locks);
  if (claim === undefined || meeting === undefined) return undefined;
  const { id, readySince } = claim.entry;
  return { kind: "reserved", by: id, since: readySince, until: untilOf(state, project, claim, now), mine: meeting.mine, theirs: meeting.theirs };
}

/** The order of placing at this moment: class, fair share of the project, direction, rank. */
function compareOrder(state: BoardState, a: Entry, b: Entry): { before: boolean; by: SlotOrder["by"] } {
  if (a.urgency !== b.urgency) return { before: a.urgency < b.urgency, by: "class" };
  const [mine, theirs] = [shareOf(projectOf(state, a.task.project)), shareOf(projectOf(state, b.task.project))];
  if (mine !== theirs) return { before: mine < theirs, by: "share" };
  if (a.direction.used !== b.direction.used) return { before: a.direction.used < b.direction.used, by: "direction" };
  return { before: ranksBefore(a, b), by: "rank" };
}

function shareOf({ used, policy }: ProjectBoard): number {
  return used / (policy?.share ?? 1);
}
