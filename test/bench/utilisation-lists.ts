import { moduleOf, remainingPathsOf } from "./utilisation-bounds.ts";
import type { PlanTask } from "./utilisation-plan.ts";

/** Chooses what starts. The simulation tells it what ended; an ended task is merged at that moment. */
export interface Chooser {
  /** Tasks to start now, at most as many as slots are free. */
  choose(now: number): readonly PlanTask[];
  ended(task: PlanTask, now: number): void;
}

/** The time at which the last task of a plan ends, in ms from the start. */
export function makespanOf(plan: readonly PlanTask[], chooser: Chooser): number {
  const running: { task: PlanTask; endsAt: number }[] = [];
  let now = 0;
  let left = plan.length;
  while (left > 0) {
    for (const task of chooser.choose(now)) running.push({ task, endsAt: now + task.durationMs });
    if (running.length === 0) throw new Error(`nothing runs and ${left} tasks are left`);
    now = Math.min(...running.map(({ endsAt }) => endsAt));
    for (let i = running.length - 1; i >= 0; i--) {
      const one = running[i];
      if (one === undefined || one.endsAt > now) continue;
      running.splice(i, 1);
      chooser.ended(one.task, now);
      left--;
    }
  }
  return now;
}

/** Held paths of one project: a module keeps its files, a file keeps its module. */
export interface HeldPaths {
  areFree(paths: readonly string[]): boolean;
  hold(paths: readonly string[]): void;
  release(paths: readonly string[]): void;
}

export function createHeldPaths(): HeldPaths {
  const held = new Map<string, number>();
  /** Held paths in a module, itself included. */
  const inside = new Map<string, number>();
  function count(paths: readonly string[], step: 1 | -1): void {
    for (const path of paths) {
      held.set(path, (held.get(path) ?? 0) + step);
      inside.set(moduleOf(path), (inside.get(moduleOf(path)) ?? 0) + step);
    }
  }
  const isFree = (path: string): boolean => {
    const module = moduleOf(path);
    return path === module ? (inside.get(module) ?? 0) === 0 : (held.get(path) ?? 0) === 0 && (held.get(module) ?? 0) === 0;
  };
  return {
    areFree: (paths) => paths.every(isFree),
    hold: (paths) => count(paths, 1),
    release: (paths) => count(paths, -1),
  };
}

export type Order = (plan: readonly PlanTask[]) => (task: PlanTask) => number;

export const inFeedOrder: Order = () => (task) => task.at;
export const byPriority: Order = (plan) => (task) => task.priority * plan.length + task.at;
export const byRemainingPath: Order = (plan) => {
  const paths = remainingPathsOf(plan, (task) => task.estimateMinutes);
  return (task) => -(paths[task.at] ?? 0);
};

/** List scheduling: whoever is ready and finds its locks free starts, least order first. */
export function createListChooser(plan: readonly PlanTask[], slots: number, order: Order): Chooser {
  const orderOf = order(plan);
  const locks = createHeldPaths();
  const open = plan.map(({ dependsOn }) => dependsOn.length);
  const dependants = plan.map((): PlanTask[] => []);
  for (const task of plan) for (const needed of task.dependsOn) dependants[needed.at]?.push(task);
  let ready = plan.filter(({ dependsOn }) => dependsOn.length === 0);
  let free = slots;
  return {
    choose() {
      ready.sort((a, b) => orderOf(a) - orderOf(b));
      const chosen = new Set<PlanTask>();
      for (const task of ready) {
        if (free === 0) break;
        if (!locks.areFree(task.paths)) continue;
        locks.hold(task.paths);
        free--;
        chosen.add(task);
      }
      if (chosen.size > 0) ready = ready.filter((task) => !chosen.has(task));
      return [...chosen];
    },
    ended(task) {
      locks.release(task.paths);
      free++;
      for (const dependant of dependants[task.at] ?? []) {
        const left = (open[dependant.at] ?? 0) - 1;
        open[dependant.at] = left;
        if (left === 0) ready.push(dependant);
      }
    },
  };
}
