import type { Task, TaskId } from "@dispatch/core";
import { createLockIndex, type LockIndex } from "../locks/lock-index.ts";
import { type LockPolicy, locksOf } from "../locks/lock-set.ts";
import { inOrder, predecessors } from "./plan-run-bounds.ts";

/**
 * Levels of tasks that could run side by side if there were slots without end: each task is one level after the last
 * it waits for, or later where the locks of a level leave it no room. Tasks of a cycle are in none.
 */
export function planWaves(ranked: readonly Task[], policy: LockPolicy | undefined): Task[][] {
  const waves: { tasks: Task[]; held: LockIndex }[] = [];
  const levelOf = new Map<TaskId, number>();
  for (const task of inOrder(ranked)) {
    let level = Math.max(0, ...predecessors(task).map((id) => (levelOf.get(id) ?? -1) + 1));
    const locks = locksOf(task.spec, policy);
    for (let wave = waves[level]; wave !== undefined && wave.held.findBlocker(locks) !== undefined; wave = waves[++level]);
    while (waves.length <= level) waves.push({ tasks: [], held: createLockIndex() });
    const wave = waves[level];
    if (wave === undefined) continue;
    wave.tasks.push(task);
    wave.held.hold(task.id, locks, 0);
    levelOf.set(task.id, level);
  }
  return waves.map((wave) => wave.tasks);
}
