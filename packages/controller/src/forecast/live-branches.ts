import type { AttemptId, Oid, ProjectId, Task, World } from "@dispatch/core";
import type { LiveBranch } from "@dispatch/git";

interface Placed extends LiveBranch {
  task: Task;
  /** What lands earlier has a smaller number. */
  stage: number;
  /** Orders within a stage, in ms since the epoch. */
  since: number;
}

/**
 * What is on its way to main, in the order in which it is expected to land: what lands now, the queue, what is being checked,
 * and what agents still work on as of its newest checkpoint, the older attempt first. Pure.
 */
export function liveBranches(world: World, project: ProjectId, checkpoints: ReadonlyMap<AttemptId, Oid>): LiveBranch[] {
  const placed: Placed[] = [];
  for (const task of world.tasks.values()) {
    const branch = task.project === project ? branchOf(world, task, checkpoints) : undefined;
    if (branch !== undefined) placed.push(branch);
  }
  return placed.sort(landsBefore).map(({ attempt, commit }) => ({ attempt, commit }));
}

function branchOf(world: World, task: Task, checkpoints: ReadonlyMap<AttemptId, Oid>): Placed | undefined {
  const { state } = task;
  switch (state.kind) {
    case "landing":
      return { task, attempt: state.attempt, commit: state.tip, stage: 0, since: state.since };
    case "queued":
      return { task, attempt: state.attempt, commit: state.tip, stage: 1, since: state.since };
    case "checking":
      return { task, attempt: state.attempt, commit: state.tip, stage: 2, since: endOf(world, state.attempt) };
    case "collecting":
    case "running": {
      const commit = checkpoints.get(state.attempt);
      const since = world.attempts.get(state.attempt)?.placedAt ?? 0;
      return commit === undefined ? undefined : { task, attempt: state.attempt, commit, stage: 3, since };
    }
    case "planned":
    case "backoff":
    case "starting":
    case "parked":
    case "cancelling":
    case "merged":
    case "cancelled":
      return undefined;
  }
}

function endOf(world: World, attempt: AttemptId): number {
  return world.attempts.get(attempt)?.endedAt ?? 0;
}

function landsBefore(a: Placed, b: Placed): number {
  // The queue is in order of priority; whoever still works is overtaken by whoever is done.
  const urgency = a.stage === 1 ? a.task.spec.priority - b.task.spec.priority : 0;
  return a.stage - b.stage || urgency || a.since - b.since || (a.task.id < b.task.id ? -1 : 1);
}

/** Attempts that may have a checkpoint worth comparing. */
export function workingAttempts(world: World, project: ProjectId): ReadonlySet<AttemptId> {
  const working = new Set<AttemptId>();
  for (const { project: owner, state } of world.tasks.values()) {
    if (owner === project && (state.kind === "running" || state.kind === "collecting")) working.add(state.attempt);
  }
  return working;
}
