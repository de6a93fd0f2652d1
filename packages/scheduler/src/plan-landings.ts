import type { Oid, Project, ProjectId, Task, TaskId, World } from "@dispatch/core";
import type { LandingPolicy } from "./snapshot.ts";

export type LandingDecision = { decide: "land"; task: TaskId; onto: Oid } | { decide: "publish"; project: ProjectId };

/** What a project lands next, one task at a time, or that its collect has landed all it waited for. `landable`: its queued and landing tasks. */
export function planLanding(project: Project, policy: LandingPolicy, landable: Iterable<Task>): LandingDecision | undefined {
  const { collect } = project;
  let next: Task | undefined;
  let landing = false;
  let collects = collect.kind === "landing";
  for (const task of landable) {
    if (task.state.kind === "landing") landing = true;
    if (collect.kind === "landing" && collect.tasks.includes(task.id)) collects = false;
    if ((next === undefined || landsBefore(task, next)) && mayLand(project, policy, task)) next = task;
  }
  if (collects) return { decide: "publish", project: project.id };
  return landing || next === undefined ? undefined : { decide: "land", task: next.id, onto: project.main };
}

/** Whether policy lets a queued task land now. Nothing starts to land while origin is read or written. */
export function mayLand(project: Project, policy: LandingPolicy, task: Task): boolean {
  const { collect } = project;
  if (project.landing.kind === "frozen") return false;
  if (collect.kind === "taking-in" || collect.kind === "publishing") return false;
  if (policy === "continuous") return true;
  return collect.kind === "landing" && collect.tasks.includes(task.id);
}

/** Queued and landing tasks of a project, in the order in which they land: priority, then arrival. */
export function landableTasks(world: World, project: ProjectId): Task[] {
  const found: Task[] = [];
  for (const task of world.tasks.values()) {
    if (task.project === project && (task.state.kind === "queued" || task.state.kind === "landing")) found.push(task);
  }
  return found.sort((a, b) => (landsBefore(a, b) ? -1 : 1));
}

function landsBefore(a: Task, b: Task): boolean {
  if (a.spec.priority !== b.spec.priority) return a.spec.priority < b.spec.priority;
  const earlier = arrival(a) - arrival(b);
  return earlier === 0 ? a.id < b.id : earlier < 0;
}

function arrival(task: Task): number {
  return task.state.kind === "queued" ? task.state.since : 0;
}
