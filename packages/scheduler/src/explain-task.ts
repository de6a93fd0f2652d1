import type { AttemptId, CollectState, LandingPhase, NodeId, ParkReason, Task, TaskId } from "@dispatch/core";
import { createLockTable } from "./lock-table.ts";
import { freeSlots } from "./place-tasks.ts";
import { landableTasks, mayLand } from "./plan-landings.ts";
import { rankTasks } from "./rank-tasks.ts";
import { type NotReady, wantsToStart, whyNotReady } from "./readiness.ts";
import type { Snapshot } from "./snapshot.ts";

/** Why a task is where it is, and what would move it. */
export type Explanation =
  | NotReady
  | { kind: "lock"; holder: TaskId; holderState: Task["state"]["kind"]; since: number; mine: string; theirs: string }
  | { kind: "slot"; ahead: number; slots: number; nodesDown: readonly { node: NodeId; because: string }[] }
  | { kind: "about-to-start" }
  | { kind: "at-work"; attempt: AttemptId; node: NodeId; round: number }
  | { kind: "being-collected"; attempt: AttemptId }
  | { kind: "being-checked"; attempt: AttemptId }
  | { kind: "waits-for-collect" }
  | { kind: "landing-frozen"; because: string }
  | { kind: "waits-for-origin"; collect: CollectState["kind"] }
  | { kind: "waits-to-land"; behind: readonly TaskId[] }
  | { kind: "landing"; phase: LandingPhase["kind"] }
  | { kind: "parked"; reason: ParkReason }
  | { kind: "being-cancelled"; attempt: AttemptId }
  | { kind: "merged"; commit: string }
  | { kind: "cancelled"; by: string };

/** Answers from the functions that decide, so that the answer is the decision's own reason. */
export function explainTask(snapshot: Snapshot, task: Task, now: number): Explanation {
  const { state } = task;
  switch (state.kind) {
    case "planned":
    case "backoff":
      return explainWaiting(snapshot, task, now);
    case "starting":
      return { kind: "at-work", attempt: state.attempt, node: state.node, round: 0 };
    case "running":
      return { kind: "at-work", attempt: state.attempt, node: state.node, round: state.round };
    case "collecting":
      return { kind: "being-collected", attempt: state.attempt };
    case "checking":
      return { kind: "being-checked", attempt: state.attempt };
    case "queued":
      return explainQueued(snapshot, task);
    case "landing":
      return { kind: "landing", phase: state.phase.kind };
    case "parked":
      return { kind: "parked", reason: state.because };
    case "cancelling":
      return { kind: "being-cancelled", attempt: state.attempt };
    case "merged":
      return { kind: "merged", commit: state.commit };
    case "cancelled":
      return { kind: "cancelled", by: state.by };
  }
}

function explainWaiting(snapshot: Snapshot, task: Task, now: number): Explanation {
  const notReady = whyNotReady(snapshot, task, now);
  if (notReady !== undefined) return notReady;
  const conflict = createLockTable(snapshot.world).findConflict(task.spec);
  if (conflict !== undefined) {
    const { holder, mine, theirs } = conflict;
    return { kind: "lock", holder: holder.id, holderState: holder.state.kind, since: heldSince(snapshot, holder), mine, theirs };
  }
  const rooms = freeSlots(snapshot);
  if (rooms.some((room) => room.free > 0)) return { kind: "about-to-start" };
  const rivals = [...snapshot.world.tasks.values()].filter((other) => wantsToStart(other) && whyNotReady(snapshot, other, now) === undefined);
  const ahead = rankTasks(snapshot.world, rivals).findIndex((other) => other.id === task.id);
  return {
    kind: "slot",
    ahead,
    slots: snapshot.nodes.reduce((sum, node) => sum + node.slots, 0),
    nodesDown: snapshot.nodes.flatMap((node) => (node.status.kind === "down" ? [{ node: node.id, because: node.status.because }] : [])),
  };
}

function heldSince(snapshot: Snapshot, holder: Task): number {
  const attempt = "attempt" in holder.state ? snapshot.world.attempts.get(holder.state.attempt) : undefined;
  return attempt?.placedAt ?? holder.plannedAt;
}

function explainQueued(snapshot: Snapshot, task: Task): Explanation {
  const project = snapshot.world.projects.get(task.project);
  const policy = snapshot.landing.get(task.project);
  if (project === undefined || policy === undefined) return { kind: "project-not-configured" };
  if (project.landing.kind === "frozen") return { kind: "landing-frozen", because: project.landing.because };
  if (project.collect.kind === "taking-in" || project.collect.kind === "publishing")
    return { kind: "waits-for-origin", collect: project.collect.kind };
  if (!mayLand(project, policy, task)) return { kind: "waits-for-collect" };
  const line = landableTasks(snapshot.world, task.project);
  const place = line.findIndex((other) => other.id === task.id);
  return { kind: "waits-to-land", behind: line.filter((other, i) => i < place || other.state.kind === "landing").map((other) => other.id) };
}
