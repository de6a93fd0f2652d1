import type { TaskId } from "@dispatch/core";
import type { Blocker, WaitSpot } from "../locks/lock-index.ts";
import type { ProjectBoard } from "./board-state.ts";
import { type Entry, type Group, joinGroup, leaveGroup, seat, type Wait } from "./waiting-line.ts";

/** Lets an entry wait at the spot where it was found blocked; with it wait all who stand there already. */
export function waitAtLock(project: ProjectBoard, entry: Entry, { holder, spot }: Blocker): void {
  const wait = waitAt(project, spot.key, spot);
  move(entry, wait);
  block(project, wait, holder);
}

/**
 * Lets an entry wait behind another that claims its locks, until something in the project changes. Only tasks that take
 * equally long wait together: a shorter one may still go first.
 */
export function waitForClaim(project: ProjectBoard, entry: Entry, claimer: Entry): void {
  const wait = waitAt(project, `claim ${claimer.serial} ${entry.scored.estimate}`, undefined, claimer);
  move(entry, wait);
  const { group } = entry;
  if (group === undefined) return;
  group.heldBack = true;
  project.heldBack.add(group);
  seat(group);
}

/** Lets a group that was kept back by a claim try again. */
export function reopen(project: ProjectBoard, group: Group): void {
  project.heldBack.delete(group);
  group.heldBack = false;
  if (group.members.items.length > 0) seat(group);
}

/** Takes a holder's locks back. Spots that nobody else holds open again. */
export function releaseLocks(project: ProjectBoard, holder: TaskId): void {
  project.locks.release(holder);
  const waits = project.waitsOn.get(holder);
  if (waits === undefined) return;
  project.waitsOn.delete(holder);
  for (const wait of waits) {
    if (wait.blocker !== holder || wait.spot === undefined || project.waits.get(wait.key) !== wait) continue;
    const next = project.locks.recheck(wait.spot);
    if (next !== undefined) {
      block(project, wait, next);
      continue;
    }
    wait.blocker = undefined;
    for (const group of wait.groups.values()) seat(group);
  }
}

function waitAt(project: ProjectBoard, key: string, spot: WaitSpot | undefined, claimer?: Entry): Wait {
  return project.waits.get(key) ?? { key, spot, claimer, blocker: undefined, groups: new Map(), all: project.waits };
}

function move(entry: Entry, wait: Wait): void {
  const { group } = entry;
  if (group === undefined || group.wait === wait) return;
  const { bucket } = group;
  leaveGroup(entry);
  joinGroup(entry, bucket, wait);
}

function block(project: ProjectBoard, wait: Wait, holder: TaskId): void {
  const waits = project.waitsOn.get(holder);
  if (waits === undefined) project.waitsOn.set(holder, new Set([wait]));
  else waits.add(wait);
  const wasOpen = wait.blocker === undefined;
  wait.blocker = holder;
  if (wasOpen) for (const group of wait.groups.values()) seat(group);
}
