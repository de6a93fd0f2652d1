import { type AttemptId, attemptIdOf, type NodeId, type Oid, type TaskId } from "@dispatch/core";
import { ranksBefore } from "../rank.ts";
import type { BoardState, ProjectBoard, SlotUse } from "./board-state.ts";
import { claimAgainst, goesBefore, notePassedOver, settleClaims } from "./claim-locks.ts";
import { countSlot } from "./follow-facts.ts";
import { chooseNode, couldFit, fitsNow } from "./node-rooms.ts";
import { releaseLocks, waitAtLock, waitForClaim } from "./wait-for-locks.ts";
import { type Entry, firstOpen, type Line, leaveGroup } from "./waiting-line.ts";

export interface Placement {
  decide: "place";
  task: TaskId;
  attempt: AttemptId;
  n: number;
  node: NodeId;
  base: Oid;
}

interface Taken {
  entry: Entry;
  project: ProjectBoard;
  use: SlotUse;
}

/**
 * Picks one task after another, each the first in order of those that can start, as if the one before had started
 * already. Leaves the board as it was, save for what was learnt about who is blocked.
 */
export function pickPlacements(state: BoardState, now: number): Placement[] {
  const placements: Placement[] = [];
  const taken: Taken[] = [];
  unsettleClaims(state);
  while (state.rooms.free > 0) {
    for (const project of state.projects.values()) if (project.heldBack.size > 0) settleClaims(state, project, now);
    const best = firstInOrder(state);
    if (best === undefined) break;
    const placement = tryToPlace(state, best, now, taken);
    if (placement !== undefined) placements.push(placement);
  }
  for (const one of taken.reverse()) takeBack(state, one);
  unsettleClaims(state);
  return placements;
}

interface Candidate {
  entry: Entry;
  project: ProjectBoard;
  share: number;
}

/** The first of the tasks that nothing is known to keep from starting: by class, then fair share, then direction, then rank. */
function firstInOrder(state: BoardState): Candidate | undefined {
  for (let urgency = 0; urgency < 4; urgency++) {
    let best: Candidate | undefined;
    for (const project of state.projects.values()) {
      if (!isPlacing(project)) continue;
      const share = project.used / (project.policy?.share ?? 1);
      if (best !== undefined && share > best.share) continue;
      const entry = firstOf(state, project, urgency, best !== undefined && share === best.share ? best.entry : undefined);
      if (entry !== undefined) best = { entry, project, share };
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

function isPlacing({ row, policy, locks }: ProjectBoard): boolean {
  return policy !== undefined && row?.placing.kind === "running" && !locks.alone;
}

/** The first of a project in a class, if it goes before another. */
function firstOf(state: BoardState, project: ProjectBoard, urgency: number, rival: Entry | undefined): Entry | undefined {
  let best = rival;
  if (project.contracts.size > 0) {
    const barrier = barrierOf(state, project);
    if (barrier !== undefined) {
      if (barrier.urgency !== urgency || project.locks.holders > 0 || !fitsNow(state.rooms, barrier.signature)) return undefined;
      return best === undefined || goesBefore(barrier, best) ? barrier : undefined;
    }
  }
  for (const line of (project.lines[urgency] as ReadonlyMap<string | null, Line>).values()) {
    if (best !== undefined && line.direction.used > best.direction.used) continue;
    for (const bucket of line.buckets.values()) {
      const first = firstOpen(bucket);
      if (first === undefined || (best !== undefined && !goesBefore(first, best))) continue;
      if (fitsNow(state.rooms, bucket.signature)) best = first;
    }
  }
  return best === rival ? undefined : best;
}

/** The ready task that changes the contract and goes first: nothing else of its project is placed before it. */
export function barrierOf(state: BoardState, project: ProjectBoard): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of project.contracts) {
    if (!couldFit(state.rooms, entry.signature)) continue;
    if (first === undefined || entry.urgency < first.urgency || (entry.urgency === first.urgency && ranksBefore(entry, first))) first = entry;
  }
  return first;
}

function tryToPlace(state: BoardState, { entry, project }: Candidate, now: number, taken: Taken[]): Placement | undefined {
  const blocker = project.locks.findBlocker(entry.locks);
  if (blocker !== undefined) {
    waitAtLock(project, entry, blocker);
    notePassedOver(project, entry);
    return undefined;
  }
  const claim = entry.group === undefined ? undefined : claimAgainst(state, project, entry, now);
  if (claim !== undefined) {
    waitForClaim(project, entry, claim.entry);
    notePassedOver(project, entry);
    return undefined;
  }
  const node = chooseNode(state.rooms, entry.signature.demand, lastNodeOf(state, entry), project.placedOn);
  if (node === undefined || project.row === undefined) return undefined;
  const use: SlotUse = { node: node.id, live: true, demand: entry.signature.demand, project, direction: entry.direction };
  take(state, { entry, project, use }, now);
  taken.push({ entry, project, use });
  const n = entry.task.state.tries + 1;
  return { decide: "place", task: entry.id, attempt: attemptIdOf(entry.id, n), n, node: node.id, base: project.row.main };
}

/** Where the task's last attempt ran, unless it was lost there. */
function lastNodeOf(state: BoardState, { task }: Entry): NodeId | undefined {
  if (task.state.tries === 0) return undefined;
  const last = state.attempts.get(attemptIdOf(task.id, task.state.tries));
  if (last === undefined) return undefined;
  const lost = last.state.kind === "fenced" || ("outcome" in last.state && last.state.outcome.kind === "lost");
  return lost ? undefined : last.node;
}

function take(state: BoardState, { entry, project, use }: Taken, now: number): void {
  leaveGroup(entry);
  project.contracts.delete(entry);
  project.locks.hold(entry.id, entry.locks, now);
  project.placedOn.set(use.node, (project.placedOn.get(use.node) ?? 0) + 1);
  countSlot(state, use, 1);
  project.claimsSettled = false;
  // In other projects only those claim whom a node could take.
  for (const signature of state.signatures.values()) if (signature.fits && !fitsNow(state.rooms, signature)) unsettleClaims(state);
}

/** Whatever happened may have changed who claims. */
function unsettleClaims(state: BoardState): void {
  for (const project of state.projects.values()) project.claimsSettled = false;
}

/** What was picked is no fact yet: the board follows when it is. */
function takeBack(state: BoardState, { entry, project, use }: Taken): void {
  releaseLocks(project, entry.id);
  project.placedOn.set(use.node, (project.placedOn.get(use.node) ?? 1) - 1);
  countSlot(state, use, -1);
  state.fresh.add(entry);
}
