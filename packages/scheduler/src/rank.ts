import type { Priority, Task, TaskId } from "@dispatch/core";

/** A task that has been ready for so long counts one class more urgent, and again after as long: a guard, longer than a day's plan. */
export const agingMs = 24 * 3_600_000;
/** A blocked task that has been ready for so long keeps the locks it waits for from being taken over its head. */
export const reserveMs = 30 * 60_000;
/** Longest chain that is told apart, in seconds: thirty days. A cycle, which no feed admits, counts as one. */
export const longestPath = 30 * 86_400;

/** What orders tasks of one class, project and direction. */
export interface Rank {
  /** Longest remaining path in seconds. */
  score: number;
  plannedAt: number;
  id: TaskId;
}

export function ranksBefore(a: Rank, b: Rank): boolean {
  if (a.score !== b.score) return a.score > b.score;
  if (a.plannedAt !== b.plannedAt) return a.plannedAt < b.plannedAt;
  return a.id < b.id;
}

/** The class a task counts in: its priority, one more urgent for every `agingMs` it has been ready. */
export function classOf(priority: Priority, readySince: number, now: number): number {
  return Math.max(0, priority - Math.max(0, Math.floor((now - readySince) / agingMs)));
}

/**
 * The priority a task starts with: one class more urgent while what it made last did not fit on main. It waited its turn before,
 * and the longer it waits now, the more of what it is built on again changes under it (docs/adr/0019).
 */
export function priorityToStart({ state }: Task, priority: Priority): Priority {
  const overtaken = "feedback" in state && state.feedback.some(({ gate, severity }) => gate === "landing" && severity === "block");
  // A priority above 0 less one is one.
  return overtaken && priority > 0 ? ((priority - 1) as Priority) : priority;
}

export function isDue(readySince: number, now: number): boolean {
  return now - readySince >= reserveMs;
}

/** When class or due of a ready task change next by time alone, in ms since the epoch; undefined when never. */
export function nextChangeAt(priority: Priority, readySince: number, now: number): number | undefined {
  const passed = Math.max(0, Math.floor((now - readySince) / agingMs));
  const ages = passed < priority ? readySince + (passed + 1) * agingMs : undefined;
  const due = isDue(readySince, now) ? undefined : readySince + reserveMs;
  return ages === undefined || due === undefined ? (ages ?? due) : Math.min(ages, due);
}
