import { type CarId, isBehind, type Project, type ProjectId, type Task, type World } from "@dispatch/core";
import type { LandingPolicy, SchedulingPolicy } from "./snapshot.ts";
import { type PlannedCar, planTrain } from "./train/plan-train.ts";

export type LandingDecision = ({ decide: "form-car"; project: ProjectId; car: CarId } & PlannedCar) | { decide: "publish"; project: ProjectId };

/**
 * The cars that a project's train gets now, or that its collect has landed all it waited for. `landable`: its queued and landing
 * tasks. `slots`: how many gate runs it may have at once.
 */
export function planLandings(project: Project, policy: SchedulingPolicy, landable: Iterable<Task>, slots: number): LandingDecision[] {
  const { collect, train } = project;
  const waiting: Task[] = [];
  let collects = collect.kind === "landing";
  for (const task of landable) {
    if (collect.kind === "landing" && collect.tasks.includes(task.id)) collects = false;
    // Those in a car are told of too, since one that rides alone lets nobody in behind it.
    if (task.state.kind === "landing" || (mayLand(project, policy.landing, task) && !isBehind(train, task.id))) waiting.push(task);
  }
  if (collects) return [{ decide: "publish", project: project.id }];
  waiting.sort((a, b) => (landsBefore(a, b) ? -1 : 1));
  const branches = waiting.map(({ id, state }) => ({ task: id, group: undefined, alone: "alone" in state && state.alone === true }));
  return planTrain(train, branches, slots).map((car, n) => ({
    decide: "form-car",
    project: project.id,
    car: String(train.lastCar + 1 + n),
    ...car,
  }));
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

function arrival({ state }: Task): number {
  return state.kind === "queued" || state.kind === "landing" ? state.since : 0;
}
