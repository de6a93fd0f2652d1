import { attemptIdOf, type Task, type TaskId, taskIdOf, type World } from "@dispatch/core";
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

function openDependency({ tasks }: World, task: Task): NotReady | undefined {
  for (const need of needsOf(task)) {
    const state = tasks.get(need.task)?.state;
    if (!isOver(state, need.after)) return { kind: "dependency", task: need.task, state: state?.kind ?? "unknown" };
  }
  return undefined;
}

/** A task that another waits for. `after`: only for its end, however it ended. */
export interface Need {
  task: TaskId;
  after: boolean;
}

export function needsOf({ spec, project }: Task): Need[] {
  return [
    ...spec.dependsOn.map((id) => ({ task: taskIdOf(project, id), after: false })),
    ...spec.after.map((id) => ({ task: taskIdOf(project, id), after: true })),
  ];
}

/** Whether a dependency in this state holds nobody up any more. */
export function isOver(state: Task["state"] | undefined, after: boolean): boolean {
  if (state === undefined) return false;
  return state.kind === "merged" || (after && (state.kind === "parked" || state.kind === "cancelled"));
}

/**
 * Since when a ready task has been ready, in ms since the epoch: the last of being planned, its dependencies' ends,
 * its backoff's end and the end of its newest attempt. Facts keep no time for a cancelled dependency, a lead's retry,
 * a revision and the end of a pause: these count as not having delayed it.
 */
export function readySince({ tasks, attempts }: Pick<World, "tasks" | "attempts">, task: Task, needs: readonly Need[] = needsOf(task)): number {
  let since = task.plannedAt;
  if (task.state.kind === "backoff") since = Math.max(since, task.state.until);
  if (task.state.tries > 0) since = Math.max(since, attempts.get(attemptIdOf(task.id, task.state.tries))?.endedAt ?? 0);
  for (const need of needs) {
    const state = tasks.get(need.task)?.state;
    if (state?.kind === "merged") since = Math.max(since, state.at);
    else if (state?.kind === "parked") since = Math.max(since, state.since);
  }
  return since;
}

/** Whether the task wants a slot at all. */
export function wantsToStart(task: Task): boolean {
  return task.state.kind === "planned" || task.state.kind === "backoff";
}
