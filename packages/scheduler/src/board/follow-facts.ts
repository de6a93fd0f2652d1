import { type Attempt, attemptIdOf, type Change, holdsLock, holdsSlot, isEnded, isLive, type Task } from "@dispatch/core";
import { addMeasured, correctionOf, estimateSeconds, executorOf, measureAttempt, paceKey } from "../estimate.ts";
import { demandOf } from "../fit-node.ts";
import { locksOf } from "../locks/lock-set.ts";
import { needsOf, wantsToStart } from "../readiness.ts";
import { type BoardState, directionOf, type ProjectBoard, projectOf, type SlotUse } from "./board-state.ts";
import { heapRemove } from "./heap.ts";
import { useRoom } from "./node-rooms.ts";
import { releaseLocks } from "./wait-for-locks.ts";
import { type Entry, leaveGroup, moveToFree, type Signature } from "./waiting-line.ts";

/** Takes rows as `evolve` returns them into the board. */
export function followChange(state: BoardState, change: Pick<Change, "projects" | "tasks" | "attempts">): void {
  for (const row of change.projects) {
    const project = projectOf(state, row.id);
    project.row = row;
    project.landingStale = true;
    state.rows.set(row.id, row);
  }
  const before = change.attempts.map((row) => state.attempts.get(row.id));
  for (const row of change.attempts) state.attempts.set(row.id, row);
  for (const row of change.tasks) followTask(state, row);
  change.attempts.forEach((row, i) => {
    followAttempt(state, row, before[i]);
  });
}

function followTask(state: BoardState, task: Task): void {
  const before = state.tasks.get(task.id);
  const project = projectOf(state, task.project);
  state.tasks.set(task.id, task);
  if (task.state.kind === "queued" || task.state.kind === "landing") project.landable.set(task.id, task);
  else project.landable.delete(task.id);
  project.landingStale = true;
  const revised = before !== undefined && before.spec !== task.spec;
  followEntry(state, project, task, revised);
  followLocks(state, project, task, revised);
  if (revised) renewAttempts(state, task);
  if (before === undefined || endOf(before) !== endOf(task)) for (const entry of state.dependants.get(task.id) ?? []) state.fresh.add(entry);
  // A retried task was ready again when its newest attempt ended, which its own row does not say.
  const entry = state.entries.get(task.id);
  if (entry !== undefined && (wantsToStart(task) || entry.group !== undefined || project.contracts.has(entry))) state.fresh.add(entry);
}

/** What dependants see of a task's state. */
function endOf({ state }: Task): string {
  if (state.kind === "merged") return `merged ${state.at}`;
  if (state.kind === "parked") return `parked ${state.since}`;
  return state.kind === "cancelled" ? "cancelled" : "open";
}

function followEntry(state: BoardState, project: ProjectBoard, task: Task, revised: boolean): void {
  const known = state.entries.get(task.id);
  if (known !== undefined && (isEnded(task) || revised)) removeEntry(state, project, known);
  if (isEnded(task)) return;
  if (known === undefined || revised) addEntry(state, project, task);
  else known.task = task;
}

function addEntry(state: BoardState, project: ProjectBoard, task: Task): void {
  const { spec } = task;
  const executor = executorOf(spec, project.policy);
  const key = paceKey(executor, spec);
  const scored = state.scores.add(task, estimateSeconds(spec, correctionOf(state.measured.get(key))));
  const entry: Entry = {
    id: task.id,
    serial: state.serial++,
    task,
    score: 0,
    plannedAt: task.plannedAt,
    needs: needsOf(task),
    locks: locksOf(spec, project.policy),
    signature: signatureOf(state, task, executor),
    direction: directionOf(project, spec.direction),
    paceKey: key,
    scored,
    readySince: 0,
    urgency: spec.priority,
    group: undefined,
    place: -1,
    wakeAt: 0,
    timerPlace: -1,
  };
  state.entries.set(task.id, entry);
  for (const need of entry.needs) into(state.dependants, need.task, entry);
  into(state.byPace, key, entry);
  state.fresh.add(entry);
}

function removeEntry(state: BoardState, project: ProjectBoard, entry: Entry): void {
  leaveGroup(entry);
  project.contracts.delete(entry);
  if (entry.timerPlace >= 0) heapRemove(state.timers, entry);
  state.fresh.delete(entry);
  state.entries.delete(entry.id);
  state.scores.remove(entry.scored);
  for (const need of entry.needs) outOf(state.dependants, need.task, entry);
  outOf(state.byPace, entry.paceKey, entry);
}

function into<K, T>(sets: Map<K, Set<T>>, key: K, item: T): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([item]));
  else set.add(item);
}

function outOf<K, T>(sets: Map<K, Set<T>>, key: K, item: T): void {
  const set = sets.get(key);
  set?.delete(item);
  if (set?.size === 0) sets.delete(key);
}

function signatureOf(state: BoardState, { spec }: Task, executor: string | null): Signature {
  const demand = demandOf(spec, executor);
  const key = JSON.stringify(demand);
  const known = state.signatures.get(key);
  if (known !== undefined) return known;
  const signature: Signature = { id: state.signatures.size, demand, fits: false, fitsAt: -1, couldFit: false, couldFitAt: -1 };
  state.signatures.set(key, signature);
  return signature;
}

function followLocks(state: BoardState, project: ProjectBoard, task: Task, revised: boolean): void {
  const held = project.locks.heldSince(task.id);
  const since = holdsLock(task) ? heldSince(state, task) : undefined;
  if (held === since && !revised) return;
  if (held !== undefined) releaseLocks(project, task.id);
  const entry = state.entries.get(task.id);
  if (since !== undefined && entry !== undefined) project.locks.hold(task.id, entry.locks, since);
}

/** When the attempt was placed for which a task holds its locks; orders the holders. */
function heldSince(state: BoardState, task: Task): number {
  const attempt = "attempt" in task.state ? state.attempts.get(task.state.attempt) : undefined;
  return attempt?.placedAt ?? task.plannedAt;
}

function followAttempt(state: BoardState, attempt: Attempt, before: Attempt | undefined): void {
  const task = state.tasks.get(attempt.task);
  if (task === undefined) return;
  const project = projectOf(state, task.project);
  if (before === undefined) project.placedOn.set(attempt.node, (project.placedOn.get(attempt.node) ?? 0) + 1);
  const use = state.slots.get(attempt.id);
  if (use !== undefined && (!holdsSlot(attempt) || use.live !== isLive(attempt))) giveSlot(state, attempt.id);
  if (holdsSlot(attempt) && !state.slots.has(attempt.id)) takeSlot(state, project, task, attempt);
  const entry = state.entries.get(task.id);
  if (entry !== undefined && wantsToStart(task) && before?.endedAt !== attempt.endedAt) state.fresh.add(entry);
  // An attempt that has ended may still be fenced: its result is not taken then.
  if (!state.counted.has(attempt.id) || attempt.state.kind === "fenced") recount(state, attempt, task);
}

function takeSlot(state: BoardState, project: ProjectBoard, task: Task, attempt: Attempt): void {
  const use: SlotUse = {
    node: attempt.node,
    live: isLive(attempt),
    demand: demandOf(task.spec, null),
    project,
    direction: directionOf(project, task.spec.direction),
  };
  state.slots.set(attempt.id, use);
  countSlot(state, use, 1);
}

function giveSlot(state: BoardState, attempt: string): void {
  const use = state.slots.get(attempt);
  if (use === undefined) return;
  state.slots.delete(attempt);
  countSlot(state, use, -1);
}

export function countSlot(state: BoardState, { node, live, demand, project, direction }: SlotUse, sign: 1 | -1): void {
  if (live) {
    project.used += sign;
    direction.used += sign;
  }
  useRoom(state.rooms, node, demand, sign);
}

/** Under a revised spec an old attempt may take another share of its node, and its duration be measured against another estimate. */
function renewAttempts(state: BoardState, task: Task): void {
  for (let n = task.state.tries; n > 0; n--) {
    const attempt = state.attempts.get(attemptIdOf(task.id, n));
    if (attempt === undefined) continue;
    if (state.counted.has(attempt.id)) recount(state, attempt, task);
    if (!state.slots.has(attempt.id)) continue;
    giveSlot(state, attempt.id);
    takeSlot(state, projectOf(state, task.project), task, attempt);
  }
}

/** What an attempt told counts once, against its task's spec as it is now. */
function recount(state: BoardState, attempt: Attempt, { spec }: Task): void {
  const before = state.counted.get(attempt.id);
  const measured = measureAttempt(attempt, spec);
  if (before !== undefined) changePace(state, before.key, () => addMeasured(state.measured, before.key, before.measured, -1));
  if (measured === undefined) {
    state.counted.delete(attempt.id);
    return;
  }
  const key = paceKey(attempt.executor, spec);
  state.counted.set(attempt.id, { key, measured });
  changePace(state, key, () => addMeasured(state.measured, key, measured, 1));
}

function changePace(state: BoardState, key: string, change: () => void): void {
  const before = correctionOf(state.measured.get(key));
  change();
  const after = correctionOf(state.measured.get(key));
  if (before === after) return;
  for (const entry of state.byPace.get(key) ?? []) {
    state.scores.reestimate(entry.scored, estimateSeconds(entry.task.spec, after));
    // Behind a claim wait only tasks that take equally long.
    if (entry.group?.wait !== undefined && entry.group.wait.spot === undefined) moveToFree(entry);
  }
}
