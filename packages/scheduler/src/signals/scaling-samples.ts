import { hasBlocking, type StoredEvent } from "@dispatch/core";

/** One countable fact of the log; `at` is in ms since the epoch. */
export type ScalingSample = { at: number; project: string } & (
  | { kind: "arrived" }
  | { kind: "consumed" }
  /** The first round of an attempt was judged. */
  | { kind: "first-round"; failed: boolean }
  /** A landing ended: on main, or refused. */
  | { kind: "landing-tried"; outcome: "merged" | "conflict" | "red" }
);

/** What an event means for the scaling signals; undefined: nothing. */
export function sampleOf({ at, event }: StoredEvent): ScalingSample | undefined {
  if (event.type === "task-planned") return { kind: "arrived", at, project: event.spec.project };
  if (event.type === "task-cancelled") return { kind: "consumed", at, project: projectOf(event.task) };
  if (event.type === "task-merged") return { kind: "landing-tried", at, project: projectOf(event.task), outcome: "merged" };
  if (event.type === "candidate-refused")
    return { kind: "landing-tried", at, project: projectOf(event.task), outcome: event.conflict === null ? "red" : "conflict" };
  if (event.type !== "wrapper-reported") return undefined;
  const { fact } = event;
  if (fact.type !== "round-checked" || fact.round !== 1) return undefined;
  return { kind: "first-round", at, project: event.attempt.slice(0, event.attempt.indexOf("--")), failed: hasBlocking(fact.findings) };
}

function projectOf(task: string): string {
  return task.slice(0, task.indexOf("/"));
}
