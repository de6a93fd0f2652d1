import { type AttemptId, attemptIdOf, holdsSlot, type NodeId, type NodeSnapshot, type Oid, type Task, type TaskId, type World } from "@dispatch/core";
import { createLockTable } from "./lock-table.ts";
import { rankTasks } from "./rank-tasks.ts";
import { wantsToStart, whyNotReady } from "./readiness.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Placement {
  decide: "place";
  task: TaskId;
  attempt: AttemptId;
  n: number;
  node: NodeId;
  base: Oid;
}

/** Which ready tasks start now, and where: as many as free slots and locks allow. */
export function placeTasks(snapshot: Snapshot, now: number): Placement[] {
  const free = freeSlots(snapshot);
  if (totalFree(free) === 0) return [];
  const ready: Task[] = [];
  for (const task of snapshot.world.tasks.values()) {
    if (wantsToStart(task) && whyNotReady(snapshot, task, now) === undefined) ready.push(task);
  }
  if (ready.length === 0) return [];
  const locks = createLockTable(snapshot.world);
  const placements: Placement[] = [];
  for (const task of rankTasks(snapshot.world, ready)) {
    if (locks.findConflict(task.spec) !== undefined) continue;
    const node = chooseNode(free);
    const base = snapshot.world.projects.get(task.project)?.main;
    if (node === undefined || base === undefined || task.state.kind === "merged") break;
    node.free -= 1;
    locks.hold(task);
    const n = task.state.tries + 1;
    placements.push({ decide: "place", task: task.id, attempt: attemptIdOf(task.id, n), n, node: node.node.id, base });
  }
  return placements;
}

export interface NodeRoom {
  node: NodeSnapshot;
  free: number;
}

/** Free slots of every node that is up. A slot is taken from placing until its session was seen to end. */
export function freeSlots(snapshot: Snapshot): NodeRoom[] {
  const used = usedSlots(snapshot.world);
  return snapshot.nodes.map((node) => ({ node, free: node.status.kind === "up" ? Math.max(0, node.slots - (used.get(node.id) ?? 0)) : 0 }));
}

export function usedSlots(world: World): ReadonlyMap<NodeId, number> {
  const used = new Map<NodeId, number>();
  for (const attempt of world.attempts.values()) if (holdsSlot(attempt)) used.set(attempt.node, (used.get(attempt.node) ?? 0) + 1);
  return used;
}

function totalFree(rooms: readonly NodeRoom[]): number {
  return rooms.reduce((sum, room) => sum + room.free, 0);
}

/** The node with most free slots; low-priority nodes only when no other has one. */
function chooseNode(rooms: readonly NodeRoom[]): NodeRoom | undefined {
  let best: NodeRoom | undefined;
  for (const room of rooms) {
    if (room.free > 0 && (best === undefined || isBetter(room, best))) best = room;
  }
  return best;
}

function isBetter(room: NodeRoom, best: NodeRoom): boolean {
  if (room.node.lowPriority !== best.node.lowPriority) return best.node.lowPriority;
  return room.free > best.free;
}
