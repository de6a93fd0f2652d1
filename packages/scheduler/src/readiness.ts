import { type Task, type TaskId, taskIdOf, type World } from "@dispatch/core";
import type { Snapshot } from "./snapshot.ts";

/** Why a task that wants to start may not be considered at all, before locks and slots. */
export type NotReady =
  | { kind: "project-not-configured" }
  | { kind: "project-paused"; by: string }
  | { kind: "backoff"; until: number; because: string }
  | { kind: "dependency"; task: TaskId; state: Task["state"]["kind"] | "unknown" };

/** The first reason that keeps a planned task from being considered, or undefined when it is ready. */
export function whyNotReady(snapshot: Snapshot, task: Task, now: number): NotReady | undefined {
  const { world } = snapshot;
  if (!snapshot.projects.has(task.project)) return { kind: "project-not-configured" };
  const placing = world.projects.get(task.project)?.placing;
  if (placing?.kind === "paused") return { kind: "project-paused", by: placing.by };
  const dependency = openDependency(world, task);
  if (dependency !== undefined) return dependency;
  if (task.state.kind === "backoff" && task.state.until > now) return { kind: "backoff", until: task.state.until, because: task.state.because };
  return undefined;
}

function openDependency(world: World, task: Task): NotReady | undefined {
  for (const specId of task.spec.dependsOn) {
    const id = taskIdOf(task.project, specId);
    const state = world.tasks.get(id)?.state.kind ?? "unknown";
    if (state !== "merged") return { kind: "dependency", task: id, state };
  }
  for (const specId of task.spec.after) {
    const id = taskIdOf(task.project, specId);
    const state = world.tasks.get(id)?.state.kind ?? "unknown";
    if (state !== "merged" && state !== "parked" && state !== "cancelled") return { kind: "dependency", task: id, state };
  }
  return undefined;
}

/** Whether the task wants a slot at all. */
export function wantsToStart(task: Task): boolean {
  return task.state.kind === "planned" || task.state.kind === "backoff";
}
