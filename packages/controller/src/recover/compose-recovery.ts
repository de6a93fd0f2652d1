import { type Attempt, type AttemptId, type Oid, splitTaskId, type Task, type TaskId } from "@dispatch/core";
import { shellWord } from "@dispatch/fleet";
import type { KeptRef, PrunedRef, WorkSize } from "@dispatch/git";
import type { FactoryRecord } from "../record/read-record.ts";

/** A ref of the hub and how much it holds beyond the base of its attempt; null sizes: its objects are damaged. */
export interface HeldWork extends Pick<KeptRef, "ref" | "kind" | "commit"> {
  size: WorkSize | null;
}

export interface RecoverableAttempt {
  attempt: AttemptId;
  n: number;
  /** Commit it started from; null when the ledger does not know the attempt. */
  base: Oid | null;
  /** ms since the epoch; null while it runs, or when the ledger does not know it. */
  endedAt: number | null;
  state: string;
  landed: boolean;
  /** Why it did not land; or as what it did. */
  because: string;
  held: readonly HeldWork[];
  /** The ref that holds all of it. Null: nothing is held. */
  whole: HeldWork | null;
  pruned: readonly PrunedRef[];
  /** A name for a branch with this work that nobody else uses. */
  branch: string;
}

export interface RecoveryView {
  task: TaskId;
  /** State of the task; null when only the hub knows it. */
  state: string | null;
  hub: string;
  attempts: readonly RecoverableAttempt[];
}

export interface RecoveryInput {
  task: TaskId;
  hub: string;
  record: FactoryRecord;
  /** Refs of the task's attempts with their sizes. */
  held: readonly (HeldWork & Pick<KeptRef, "attempt">)[];
  pruned: readonly PrunedRef[];
}

/** The attempts of a task in order, with what the hub holds of each; also such as only the hub knows. */
export function composeRecovery({ task: id, hub, record, held, pruned }: RecoveryInput): RecoveryView {
  const task = record.world.tasks.get(id);
  const known = [...record.world.attempts.values()].filter((attempt) => attempt.task === id);
  const ids = [...new Set([...known.map((attempt) => attempt.id), ...held.map(({ attempt }) => attempt)])];
  const attempts = ids.map((attemptId): RecoverableAttempt => {
    const attempt = record.world.attempts.get(attemptId);
    const own = held.filter((one) => one.attempt === attemptId).map(({ attempt: _, ...work }) => work);
    return {
      attempt: attemptId,
      n: attempt?.n ?? numberOf(attemptId),
      base: attempt?.base ?? null,
      endedAt: attempt === undefined || attempt.endedAt === 0 ? null : attempt.endedAt,
      ...fateOf(record, task, attempt),
      held: own,
      whole: own.find(({ kind }) => kind === "salvage") ?? own.find(({ kind }) => kind === "result") ?? null,
      pruned: pruned.filter(({ ref }) => ref.split("/").includes(attemptId)),
      branch: `recover/${attemptId}`,
    };
  });
  return { task: id, state: task?.state.kind ?? null, hub, attempts: attempts.sort((a, b) => a.n - b.n) };
}

function numberOf(attempt: AttemptId): number {
  return Number(attempt.slice(attempt.lastIndexOf("--") + 2));
}

/** The task an attempt belongs to by its name alone. */
export function taskOfAttempt(attempt: AttemptId): TaskId | undefined {
  const [, project, specId] = /^(.+?)--(.+)--\d+$/.exec(attempt) ?? [];
  return project === undefined || specId === undefined ? undefined : `${project}/${specId}`;
}

/** Whether an attempt belongs to a task by its name alone. */
export function isAttemptOf(attempt: AttemptId, task: TaskId): boolean {
  const { project, specId } = splitTaskId(task);
  return attempt.startsWith(`${project}--${specId}--`) && taskOfAttempt(attempt) === task;
}

/** The git commands that bring an attempt's work back; `folder` is undefined where the project's repository is not on this machine. */
export function composeCommands({ hub }: RecoveryView, attempt: RecoverableAttempt, folder: string | undefined): string[] {
  const inHub = `git --git-dir=${shellWord(hub)}`;
  const again = attempt.pruned.map(({ ref, commit }) => `${inHub} update-ref ${ref} ${commit}`);
  if (attempt.whole === null) return again;
  const { ref, commit } = attempt.whole;
  const base = attempt.base ?? `$(${inHub} merge-base main ${commit})`;
  return [
    `git -C ${folder === undefined ? "DIR" : shellWord(folder)} fetch --no-tags ${shellWord(hub)} ${ref}:refs/heads/${attempt.branch}`,
    `${inHub} diff --binary ${base} ${commit}`,
    ...again,
  ];
}

type Fate = Pick<RecoverableAttempt, "state" | "landed" | "because">;

function fateOf({ refusals }: FactoryRecord, task: Task | undefined, attempt: Attempt | undefined): Fate {
  if (task === undefined || attempt === undefined) return { state: "unknown", landed: false, because: "the ledger does not know it" };
  const current = "attempt" in task.state && task.state.attempt === attempt.id;
  if (task.state.kind === "merged" && current) return { state: "merged", landed: true, because: `landed as ${task.state.commit}` };
  const { state } = attempt;
  switch (state.kind) {
    case "starting":
    case "running":
    case "stopping":
      return { state: state.kind, landed: false, because: "it is still at work" };
    case "fenced":
      return { state: state.kind, landed: false, because: state.because };
    case "ended":
    case "collected":
    case "discarded":
      break;
  }
  const { outcome } = state;
  switch (outcome.kind) {
    case "exhausted":
      return { state: outcome.kind, landed: false, because: `not accepted after ${outcome.rounds} ${outcome.rounds === 1 ? "round" : "rounds"}` };
    case "unusable":
    case "lost":
    case "stopped":
      return { state: outcome.kind, landed: false, because: outcome.because };
    case "succeeded":
      return { state: outcome.kind, landed: false, because: refusals.get(attempt.id) ?? whereItStands(task, current) };
  }
}

function whereItStands(task: Task, current: boolean): string {
  if (current) return `the task is ${task.state.kind}`;
  return task.state.kind === "parked" ? task.state.because.text : `the task is ${task.state.kind} and went on without it`;
}
