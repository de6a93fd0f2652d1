import type { PlanTask } from "./utilisation-plan.ts";

/** No schedule ends before any of these, in ms. */
export interface Bounds {
  criticalPath: number;
  /** Work divided by slots. */
  area: number;
  /** The most work that locks an ancestor of one path or the path itself. */
  clique: number;
}

export function boundsOf(plan: readonly PlanTask[], slots: number): Bounds {
  const work = plan.reduce((sum, task) => sum + task.durationMs, 0);
  return { criticalPath: Math.max(...remainingPathsOf(plan, (task) => task.durationMs)), area: work / slots, clique: heaviestClique(plan) };
}

/** From a task's start to the end of the longest chain that waits for it, by place in the plan. */
export function remainingPathsOf(plan: readonly PlanTask[], lengthOf: (task: PlanTask) => number): number[] {
  const after = plan.map(() => 0);
  const paths = plan.map(() => 0);
  for (const task of [...plan].reverse()) {
    const path = lengthOf(task) + (after[task.at] ?? 0);
    paths[task.at] = path;
    for (const needed of task.dependsOn) after[needed.at] = Math.max(after[needed.at] ?? 0, path);
  }
  return paths;
}

function heaviestClique(plan: readonly PlanTask[]): number {
  const work = new Map<string, number>();
  for (const { paths, durationMs } of plan) for (const path of paths) work.set(path, (work.get(path) ?? 0) + durationMs);
  // A task that locks both a module and a file in it is counted once for the file.
  for (const { paths, durationMs } of plan) {
    for (const path of paths) if (path.includes("/") && paths.includes(moduleOf(path))) work.set(path, (work.get(path) ?? 0) - durationMs);
  }
  let heaviest = 0;
  for (const [path, own] of work) heaviest = Math.max(heaviest, own + (path.includes("/") ? (work.get(moduleOf(path)) ?? 0) : 0));
  return heaviest;
}

export function moduleOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? path : path.slice(0, slash);
}
