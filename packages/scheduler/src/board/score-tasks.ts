import { type Priority, type Task, type TaskId, taskIdOf } from "@dispatch/core";
import { longestPath } from "../rank.ts";

export interface ScoredTask {
  id: TaskId;
  /** Corrected estimate in whole seconds. */
  estimate: number;
  /** Seconds from the task's start to the end of the longest chain of unfinished tasks that wait for it. */
  score: number;
  /** Of its spec. */
  own: Priority;
  /** The most urgent of its own and of those of all unfinished tasks that wait for it. */
  priority: Priority;
  /** Tasks that must be merged before this one starts. */
  dependsOn: readonly TaskId[];
}

/** `reclassed`: the priority is another, and not the score alone. */
type Changed = (task: ScoredTask, reclassed: boolean) => void;

/** Keeps the scores of unfinished tasks as they come, change and end. Scores are right after `settle`. */
export interface ScoreKeeper {
  add(task: Task, estimate: number): ScoredTask;
  remove(task: ScoredTask): void;
  reestimate(task: ScoredTask, estimate: number): void;
  /** Works out what has changed; calls back for every task whose score or priority is another now, with both set. */
  settle(changed: Changed): void;
}

export function createScoreKeeper(): ScoreKeeper {
  const scored = new Map<TaskId, ScoredTask>();
  const waiting = new Map<TaskId, Set<ScoredTask>>();
  let dirty = new Set<ScoredTask>();

  return {
    add({ id, project, spec }, estimate) {
      const dependsOn = [...new Set(spec.dependsOn.map((needed) => taskIdOf(project, needed)))];
      const task: ScoredTask = { id, estimate, score: 0, own: spec.priority, priority: spec.priority, dependsOn };
      scored.set(id, task);
      for (const needed of task.dependsOn) {
        const set = waiting.get(needed);
        if (set === undefined) waiting.set(needed, new Set([task]));
        else set.add(task);
      }
      dirty.add(task);
      return task;
    },
    remove(task) {
      scored.delete(task.id);
      dirty.delete(task);
      for (const id of task.dependsOn) {
        const set = waiting.get(id);
        set?.delete(task);
        if (set?.size === 0) waiting.delete(id);
        const needed = scored.get(id);
        if (needed !== undefined) dirty.add(needed);
      }
    },
    reestimate(task, estimate) {
      if (task.estimate === estimate) return;
      task.estimate = estimate;
      dirty.add(task);
    },
    settle(changed) {
      if (dirty.size === 0) return;
      const start = dirty;
      dirty = new Set();
      settleScores(start, scored, waiting, changed);
    },
  };
}

/**
 * Scores the given tasks and whoever they wait for, each once, dependants first. What is left then lies on a cycle
 * or waits for one.
 */
function settleScores(
  start: ReadonlySet<ScoredTask>,
  scored: ReadonlyMap<TaskId, ScoredTask>,
  waiting: ReadonlyMap<TaskId, ReadonlySet<ScoredTask>>,
  changed: Changed,
): void {
  const open = openDependants(start, scored, waiting);
  const free = [...open.keys()].filter((task) => open.get(task) === 0);
  const update = (task: ScoredTask, score: number, priority: Priority): void => {
    if (score === task.score && priority === task.priority) return;
    const reclassed = priority !== task.priority;
    task.score = score;
    task.priority = priority;
    changed(task, reclassed);
  };
  for (let task = free.pop(); task !== undefined; task = free.pop()) {
    open.delete(task);
    let longest = 0;
    let priority = task.own;
    for (const dependant of waiting.get(task.id) ?? []) {
      longest = Math.max(longest, dependant.score);
      if (dependant.priority < priority) priority = dependant.priority;
    }
    update(task, Math.min(longestPath, task.estimate + longest), priority);
    for (const id of task.dependsOn) {
      const needed = scored.get(id);
      const left = needed === undefined ? undefined : open.get(needed);
      if (needed === undefined || left === undefined) continue;
      open.set(needed, left - 1);
      if (left === 1) free.push(needed);
    }
  }
  for (const [task, priority] of prioritiesInKnots([...open.keys()], waiting)) update(task, longestPath, priority);
}

/** Priorities of tasks that lie on cycles or are needed by them, by going round until nothing changes. */
function prioritiesInKnots(tasks: readonly ScoredTask[], waiting: ReadonlyMap<TaskId, ReadonlySet<ScoredTask>>): ReadonlyMap<ScoredTask, Priority> {
  const priorities = new Map(tasks.map((task): [ScoredTask, Priority] => [task, task.own]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const [task, priority] of priorities) {
      for (const dependant of waiting.get(task.id) ?? []) {
        const theirs = priorities.get(dependant) ?? dependant.priority;
        if (theirs >= (priorities.get(task) ?? priority)) continue;
        priorities.set(task, theirs);
        changed = true;
      }
    }
  }
  return priorities;
}

/** The tasks to score, with how many of them have to be scored before. */
function openDependants(
  start: ReadonlySet<ScoredTask>,
  scored: ReadonlyMap<TaskId, ScoredTask>,
  waiting: ReadonlyMap<TaskId, ReadonlySet<ScoredTask>>,
): Map<ScoredTask, number> {
  const open = new Map<ScoredTask, number>();
  for (const task of start) open.set(task, 0);
  for (const task of open.keys()) {
    for (const id of task.dependsOn) {
      const needed = scored.get(id);
      if (needed !== undefined) open.set(needed, 0);
    }
  }
  for (const task of open.keys()) {
    let count = 0;
    for (const dependant of waiting.get(task.id) ?? []) if (open.has(dependant)) count++;
    open.set(task, count);
  }
  return open;
}
