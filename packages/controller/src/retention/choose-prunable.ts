import type { Attempt, AttemptId, Oid, Task, TaskId, World } from "@dispatch/core";
import type { KeptRef } from "@dispatch/git";

export interface RetentionFacts {
  world: World;
  /** When something was last recorded of each task, in ms since the epoch. */
  lastTold: ReadonlyMap<TaskId, number>;
  kept: readonly KeptRef[];
  /** Commits that main holds: keeping their refs costs nothing. */
  onMain: ReadonlySet<Oid>;
  /** Null: for ever. */
  keepMs: number | null;
  now: number;
}

/** A ref that may go, and why. */
export interface Prunable {
  ref: string;
  commit: Oid;
  because: string;
}

/**
 * The refs that nobody has to keep any longer: of attempts that are over and cleared away, of tasks that ended (merged or
 * cancelled) longer ago than the policy says. What the ledger does not know stays, and so does what main holds.
 */
export function choosePrunable(facts: RetentionFacts): readonly Prunable[] {
  const { keepMs, now } = facts;
  if (keepMs === null) return [];
  return facts.kept.flatMap(({ ref, commit, attempt: id }) => {
    const ended = endOf(facts, id);
    if (ended === undefined || now - ended.at < keepMs || facts.onMain.has(commit)) return [];
    return [{ ref, commit, because: `${ended.task.id} was ${ended.task.state.kind} ${Math.floor((now - ended.at) / dayMs)} days ago` }];
  });
}

const dayMs = 24 * 60 * 60_000;

/** When the last word on an attempt and its task was spoken; undefined while there may be another. */
function endOf({ world, lastTold }: RetentionFacts, id: AttemptId): { task: Task; at: number } | undefined {
  const attempt = world.attempts.get(id);
  const task = attempt === undefined ? undefined : world.tasks.get(attempt.task);
  const told = task === undefined ? undefined : lastTold.get(task.id);
  if (attempt === undefined || task === undefined || told === undefined || !isOver(attempt)) return undefined;
  if (task.state.kind !== "merged" && task.state.kind !== "cancelled") return undefined;
  return { task, at: Math.max(told, attempt.endedAt) };
}

/** Only then everything it left was collected, and nothing more can come. */
function isOver({ state }: Attempt): boolean {
  return state.kind === "discarded";
}
