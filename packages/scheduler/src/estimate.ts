import { type Attempt, attemptIdOf, type Task, type TaskSpec } from "@dispatch/core";
import type { SchedulingPolicy, Snapshot } from "./snapshot.ts";

/** Work of one executor on one type of task that succeeded: what it took, and what its specs said. Whole milliseconds. */
export interface Measured {
  actualMs: number;
  estimatedMs: number;
}

/** So much imagined work that took exactly its estimate is mixed in, so that the first measurements do not swing it. */
const priorMs = 120 * 60_000;
const shortestSeconds = 60;
/** No correction below a sixteenth or above sixteenfold. */
const steepest = 8;

/** The executor a spec will be given to, as far as its project's policy says; null: not known. */
export function executorOf(spec: TaskSpec, policy: SchedulingPolicy | undefined): string | null {
  return spec.executor === "auto" ? (policy?.executor ?? null) : spec.executor;
}

/** Names what measured durations are kept by. */
export function paceKey(executor: string | null, spec: TaskSpec): string {
  return `${executor ?? "auto"} ${spec.type}`;
}

/** What an attempt that succeeded tells about estimates; undefined while it has not. */
export function measureAttempt(attempt: Attempt, spec: TaskSpec): Measured | undefined {
  const { state } = attempt;
  if (state.kind !== "ended" && state.kind !== "collected" && state.kind !== "discarded") return undefined;
  if (state.outcome.kind !== "succeeded") return undefined;
  return { actualMs: Math.max(0, Math.round(attempt.endedAt - attempt.placedAt)), estimatedMs: Math.round(spec.estimateMinutes * 60_000) };
}

/**
 * Factor from a spec's estimate to what it will take, in powers of the square root of 2.
 * Sums are whole numbers, so that the order of measuring changes nothing.
 */
export function correctionOf(measured: Measured | undefined): number {
  if (measured === undefined) return 1;
  const ratio = (measured.actualMs + priorMs) / (measured.estimatedMs + priorMs);
  return 2 ** (Math.max(-steepest, Math.min(steepest, Math.round(2 * Math.log2(ratio)))) / 2);
}

/** Corrected estimate in whole seconds, at least a minute. */
export function estimateSeconds(spec: TaskSpec, correction: number): number {
  return Math.max(shortestSeconds, Math.round(spec.estimateMinutes * 60 * correction));
}

/** Sums what was measured in a snapshot, by `paceKey`. */
function measureAll({ world }: Pick<Snapshot, "world">): Map<string, Measured> {
  const sums = new Map<string, Measured>();
  for (const task of world.tasks.values()) {
    for (const { key, measured } of measurementsOf(task, world.attempts)) addMeasured(sums, key, measured, 1);
  }
  return sums;
}

function measurementsOf(task: Task, attempts: ReadonlyMap<string, Attempt>): { key: string; measured: Measured }[] {
  const found: { key: string; measured: Measured }[] = [];
  for (let n = 1; n <= task.state.tries; n++) {
    const attempt = attempts.get(attemptIdOf(task.id, n));
    const measured = attempt === undefined ? undefined : measureAttempt(attempt, task.spec);
    if (attempt !== undefined && measured !== undefined) found.push({ key: paceKey(attempt.executor, task.spec), measured });
  }
  return found;
}

export function addMeasured(sums: Map<string, Measured>, key: string, { actualMs, estimatedMs }: Measured, sign: 1 | -1): void {
  const sum = sums.get(key) ?? { actualMs: 0, estimatedMs: 0 };
  sums.set(key, { actualMs: sum.actualMs + sign * actualMs, estimatedMs: sum.estimatedMs + sign * estimatedMs });
}

/** Minutes that tasks of a snapshot will take by estimate, corrected by what was measured of their executor and type. */
export function createEstimator(snapshot: Snapshot): (task: Task) => number {
  const sums = measureAll(snapshot);
  return ({ spec, project }) => estimateSeconds(spec, correctionOf(sums.get(paceKey(executorOf(spec, snapshot.projects.get(project)), spec)))) / 60;
}
