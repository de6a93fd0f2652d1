import type { Oid, Project, ProjectId, Task, TaskId, World } from "@dispatch/core";
import type { LandingPolicy, Snapshot } from "./snapshot.ts";

export type LandingDecision = { decide: "land"; task: TaskId; onto: Oid } | { decide: "publish"; project: ProjectId };

/** What lands next in each project, one task at a time, and which collects have landed all they waited for. */
export function planLandings(snapshot: Snapshot): LandingDecision[] {
  const decisions: LandingDecision[] = [];
  for (const project of snapshot.world.projects.values()) {
    const policy = snapshot.projects.get(project.id)?.landing;
    if (policy === undefined) continue;
    const decision = planLanding(snapshot.world, project, policy);
    if (decision !== undefined) decisions.push(decision);
  }
  return decisions;
}

function planLanding(world: World, project: Project, policy: LandingPolicy): LandingDecision | undefined {
  const landable = landableTasks(world, project.id);
  const { collect } = project;
  if (collect.kind === "landing" && !landable.some((task) => collect.tasks.includes(task.id))) return { decide: "publish", project: project.id };
  if (landable.some((task) => task.state.kind === "landing")) return undefined;
  const next = landable.find((task) => mayLand(project, policy, task));
  return next === undefined ? undefined : { decide: "land", task: next.id, onto: project.main };
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
  return found.sort((a, b) => a.spec.priority - b.spec.priority || arrival(a) - arrival(b) || (a.id < b.id ? -1 : 1));
}

function arrival(task: Task): number {
  return task.state.kind === "queued" ? task.state.since : 0;
}
