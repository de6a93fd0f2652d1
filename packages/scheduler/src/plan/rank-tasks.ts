import { isEnded, type Task, type TaskId, taskIdOf, type World } from "@dispatch/core";

/** Most urgent first: priority class, then longest remaining path, then age, then id. */
export function rankTasks(world: World, tasks: readonly Task[]): Task[] {
  const path = remainingPaths(world);
  return [...tasks].sort(
    (a, b) =>
      a.spec.priority - b.spec.priority || (path.get(b.id) ?? 0) - (path.get(a.id) ?? 0) || a.plannedAt - b.plannedAt || (a.id < b.id ? -1 : 1),
  );
}

/**
 * Estimated minutes from a task's start to the end of the longest chain of tasks that wait for it,
 * for every task that has not ended. (The upward rank of list scheduling.)
 */
export function remainingPaths(world: World): ReadonlyMap<TaskId, number> {
  const dependants = new Map<TaskId, Task[]>();
  for (const task of world.tasks.values()) {
    if (isEnded(task)) continue;
    for (const specId of task.spec.dependsOn) {
      const id = taskIdOf(task.project, specId);
      const list = dependants.get(id);
      if (list === undefined) dependants.set(id, [task]);
      else list.push(task);
    }
  }
  const lengths = new Map<TaskId, number>();
  for (const task of world.tasks.values()) if (!isEnded(task)) measure(task, dependants, lengths);
  return lengths;
}

/** Walks with its own stack: chains may be longer than the call stack. A cycle, which no feed admits, counts its members once. */
function measure(start: Task, dependants: ReadonlyMap<TaskId, readonly Task[]>, lengths: Map<TaskId, number>): void {
  const stack: { task: Task; next: number; longest: number }[] = [{ task: start, next: 0, longest: 0 }];
  const open = new Set<TaskId>([start.id]);
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const child = dependants.get(frame.task.id)?.[frame.next];
    if (lengths.has(frame.task.id) || child === undefined) {
      if (!lengths.has(frame.task.id)) lengths.set(frame.task.id, frame.longest + frame.task.spec.estimateMinutes);
      open.delete(frame.task.id);
      stack.pop();
      continue;
    }
    const known = lengths.get(child.id);
    if (known !== undefined || open.has(child.id)) {
      frame.longest = Math.max(frame.longest, known ?? 0);
      frame.next++;
    } else {
      open.add(child.id);
      stack.push({ task: child, next: 0, longest: 0 });
    }
  }
}
