import {
  type AttemptId,
  type CarId,
  type CarState,
  type CollectState,
  heldMembers,
  type NodeId,
  type ParkReason,
  type ProjectId,
  type Resources,
  type Task,
  type TaskId,
} from "@dispatch/core";
import { landableTasks, mayLand } from "../plan-landings.ts";
import { type NotReady, whyNotReady } from "../readiness.ts";
import type { Snapshot } from "../snapshot.ts";
import { type BlockReason, createBlockFinder, type ShutNode, type SlotOrder } from "./explain-block.ts";

/** Why a task is where it is, and what would move it. Times are in ms since the epoch. */
export type Explanation =
  | NotReady
  | BlockReason
  /** Every node that could take it lacks so much of one resource; `node` comes closest. */
  | { kind: "resource"; node: NodeId; resource: keyof Resources; wanted: number; free: number }
  /** Every slot that could take it is taken. `first` is served before it, and by what: class, fair share, direction or rank. */
  | { kind: "slot"; ahead: number; slots: number; nodesShut: readonly ShutNode[]; first: SlotOrder | null }
  | { kind: "about-to-start" }
  | { kind: "at-work"; attempt: AttemptId; node: NodeId; round: number }
  | { kind: "being-collected"; attempt: AttemptId }
  | { kind: "being-checked"; attempt: AttemptId }
  | { kind: "waits-for-collect" }
  | { kind: "landing-frozen"; because: string }
  | { kind: "waits-for-origin"; collect: CollectState["kind"] }
  | { kind: "waits-to-land"; behind: readonly TaskId[] }
  /** `phase`: of its car; null when that is gone already. `with`: the other branches in it. */
  | { kind: "landing"; phase: CarState["kind"] | null; with: readonly TaskId[] }
  | { kind: "parked"; since: number; reason: ParkReason }
  | { kind: "being-cancelled"; attempt: AttemptId }
  | { kind: "merged"; commit: string }
  | { kind: "cancelled"; by: string };

/** Answers from the functions that decide, so that the answer is the decision's own reason. */
export function explainTask(snapshot: Snapshot, task: Task, now: number): Explanation {
  return createExplainer(snapshot, now)(task);
}

/** Explains any number of tasks of one snapshot; what the answers share is worked out once. */
export function createExplainer(snapshot: Snapshot, now: number): (task: Task) => Explanation {
  const { world } = snapshot;
  const blocks = once(() => createBlockFinder(snapshot, now));
  const lines = new Map<ProjectId, readonly Task[]>();

  function lineOf(project: ProjectId): readonly Task[] {
    const known = lines.get(project) ?? landableTasks(world, project);
    lines.set(project, known);
    return known;
  }

  function explainWaiting(task: Task): Explanation {
    const notReady = whyNotReady(snapshot, task, now);
    if (notReady !== undefined) return notReady;
    if (blocks().starts(task.id)) return { kind: "about-to-start" };
    const block = blocks().whyBlocked(task.id);
    if (block !== undefined) return block;
    const short = blocks().shortResource(task.id);
    if (short !== undefined) return { kind: "resource", ...short };
    return { kind: "slot", ...blocks().placeOf(task.id), ...blocks().roomsOf(task.id) };
  }

  return (task) => {
    const { state } = task;
    if (state.kind === "planned" || state.kind === "backoff") return explainWaiting(task);
    if (state.kind === "queued") return explainQueued(snapshot, task, lineOf);
    if (state.kind === "landing") return explainLanding(snapshot, task, state.car);
    return explainUnderWay(state);
  };
}

function explainUnderWay(state: Exclude<Task["state"], { kind: "planned" | "backoff" | "queued" | "landing" }>): Explanation {
  switch (state.kind) {
    case "starting":
      return { kind: "at-work", attempt: state.attempt, node: state.node, round: 0 };
    case "running":
      return { kind: "at-work", attempt: state.attempt, node: state.node, round: state.round };
    case "collecting":
      return { kind: "being-collected", attempt: state.attempt };
    case "checking":
      return { kind: "being-checked", attempt: state.attempt };
    case "parked":
      return { kind: "parked", since: state.since, reason: state.because };
    case "cancelling":
      return { kind: "being-cancelled", attempt: state.attempt };
    case "merged":
      return { kind: "merged", commit: state.commit };
    case "cancelled":
      return { kind: "cancelled", by: state.by };
  }
}

function explainLanding({ world }: Snapshot, task: Task, id: CarId): Explanation {
  const train = world.projects.get(task.project)?.train;
  const car = train?.cars.find((candidate) => candidate.id === id);
  if (train === undefined || car === undefined) return { kind: "landing", phase: null, with: [] };
  return { kind: "landing", phase: car.state.kind, with: heldMembers(train, car).filter((other) => other !== task.id) };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function explainQueued(snapshot: Snapshot, task: Task, lineOf: (project: ProjectId) => readonly Task[]): Explanation {
  const project = snapshot.world.projects.get(task.project);
  const policy = snapshot.projects.get(task.project)?.landing;
  if (project === undefined || policy === undefined) return { kind: "project-not-configured" };
  if (project.landing.kind === "frozen") return { kind: "landing-frozen", because: project.landing.because };
  if (project.collect.kind === "taking-in" || project.collect.kind === "publishing")
    return { kind: "waits-for-origin", collect: project.collect.kind };
  if (!mayLand(project, policy, task)) return { kind: "waits-for-collect" };
  const line = lineOf(task.project);
  const place = line.findIndex((other) => other.id === task.id);
  return { kind: "waits-to-land", behind: line.filter((other, i) => i < place || other.state.kind === "landing").map((other) => other.id) };
}
