import type { Attempt } from "./attempt.ts";
import type { AttemptOutcome, ConflictReport, FactoryEvent, Ride } from "./event.ts";
import { type Finding, hasBlocking } from "./finding.ts";
import { type AttemptId, type CarId, type NodeId, type Oid, type ProjectId, salvageRef, type TaskId } from "./ids.ts";
import { retryDelayMs } from "./retry-policy.ts";
import type { TaskSpec } from "./spec.ts";
import { illegal, moved, type Step, stale } from "./step.ts";

/**
 * A task: one spec on its way to main.
 *
 *   planned ─► starting ─► running ─► collecting ─► checking ─► queued ─► landing ─► merged
 *      ▲           │          │           │             │                    │
 *      ├── backoff ◄──────────┴───────────┤             │                    │
 *      ├──────────────────────────────────┴─────────────┴────────────────────┘ (feedback)
 *      └── parked (waits for the lead: retry or cancel)        cancelling ─► cancelled
 *
 * 1. Whether a planned task is ready (dependencies, locks, slots) is asked, never stored.
 * 2. The lock of a task is held in every state from starting to landing, and while cancelling.
 * 3. Attempt numbers never go down, also not over retry.
 * 4. merged is entered only by task-merged, which is recorded after the commit was seen on main.
 */
export type TaskState =
  | ({ kind: "planned" } & Tries)
  | ({ kind: "backoff"; until: number; because: string } & Tries)
  | ({ kind: "starting"; attempt: AttemptId; node: NodeId } & Tries)
  | ({ kind: "running"; attempt: AttemptId; node: NodeId; round: number } & Tries)
  | ({ kind: "collecting"; attempt: AttemptId } & Tries)
  | ({ kind: "checking"; attempt: AttemptId; tip: Oid } & Tries)
  | ({ kind: "queued"; attempt: AttemptId; tip: Oid; since: number } & Ride & Tries)
  | ({ kind: "landing"; attempt: AttemptId; tip: Oid; since: number; car: CarId } & Ride & Tries)
  | { kind: "merged"; attempt: AttemptId; commit: Oid; at: number; tries: number }
  | ({ kind: "parked"; since: number; because: ParkReason } & Tries)
  | ({ kind: "cancelling"; attempt: AttemptId; by: string } & Tries)
  | ({ kind: "cancelled"; by: string } & Tries);

export interface Tries {
  /** Attempts made so far; the number of the newest one. */
  tries: number;
  /** No attempt beyond this number without the lead. */
  limit: number;
  /** Why the last result did not land; goes into the next attempt's prompt. */
  feedback: readonly Finding[];
}

/** Why a task waits for the lead, and where its work is. */
export interface ParkReason {
  code: "rounds-exhausted" | "attempts-exhausted" | "agent-unusable" | "refused-at-landing" | "refused-by-gates";
  text: string;
  findings: readonly Finding[];
  conflict: ConflictReport | null;
  /** Ref in the hub that holds what the last attempt left. */
  salvage: string;
}

export interface Task {
  id: TaskId;
  project: ProjectId;
  spec: TaskSpec;
  /** sha256 of the spec file. */
  digest: string;
  /** The whole spec file. */
  text: string;
  /** Where the spec file lies, relative to the factory. */
  path: string;
  revision: number;
  plannedAt: number;
  state: TaskState;
}

/** States in which the task's paths are locked against every other task of its project. */
export function holdsLock(task: Task): boolean {
  switch (task.state.kind) {
    case "starting":
    case "running":
    case "collecting":
    case "checking":
    case "queued":
    case "landing":
    case "cancelling":
      return true;
    case "planned":
    case "backoff":
    case "merged":
    case "parked":
    case "cancelled":
      return false;
  }
}

export function isEnded(task: Task): boolean {
  return task.state.kind === "merged" || task.state.kind === "cancelled";
}

/** The paths a task may touch and therefore locks. */
export function lockedPaths(spec: TaskSpec): readonly string[] {
  return [...spec.modifies, ...spec.creates, ...spec.deletes];
}

export type TaskEvent = Extract<FactoryEvent, { task: TaskId } | { attempt: AttemptId }>;

/**
 * The task after an event about it or about one of its attempts.
 * `at` is in ms since the epoch; `attempt` is the attempt the event is about, before the event.
 */
export function transitionTask(task: Task, event: TaskEvent, at: number, attempt?: Attempt): Step<Task> {
  const step = nextState(task, event, at, attempt);
  if (step.outcome !== "moved") return step;
  if (event.type === "spec-revised") {
    const { spec, digest, text, path } = event;
    return moved({ ...task, spec, digest, text, path, revision: task.revision + 1, state: step.state }, ...step.effects);
  }
  return moved({ ...task, state: step.state }, ...step.effects);
}

function nextState(task: Task, event: TaskEvent, at: number, attempt: Attempt | undefined): Step<TaskState> {
  const { state } = task;
  switch (event.type) {
    case "task-planned":
      return stale("task is known");
    case "spec-revised":
      if (state.kind === "planned" || state.kind === "parked" || state.kind === "backoff" || state.kind === "cancelled") {
        return moved({ kind: "planned", tries: state.tries, limit: state.tries + event.spec.attempts, feedback: [] });
      }
      return illegal(`spec of ${task.id} was revised while the task is ${state.kind}`);
    case "task-placed":
      if (state.kind !== "planned" && state.kind !== "backoff") return illegal(`${task.id} was placed while ${state.kind}`);
      if (event.n !== state.tries + 1) return illegal(`${task.id} was placed as attempt ${event.n} after ${state.tries}`);
      return moved(
        { kind: "starting", attempt: event.attempt, node: event.node, tries: event.n, limit: state.limit, feedback: state.feedback },
        { do: "start-attempt", attempt: event.attempt },
      );
    case "task-retried":
      if (state.kind === "parked" || state.kind === "backoff" || state.kind === "cancelled") {
        return moved({ kind: "planned", tries: state.tries, limit: state.tries + task.spec.attempts, feedback: state.feedback });
      }
      return illegal(`${task.id} is ${state.kind}; only parked, cancelled or backoff tasks are retried`);
    case "task-cancelled":
      return cancel(task, event.by);
    case "attempt-refused":
    case "wrapper-reported":
    case "attempt-stop-asked":
    case "attempt-collected":
    case "workspace-discarded":
    case "result-checked":
    case "attempt-fenced":
    case "attempt-retired":
    case "attempt-abandoned":
      return fromAttempt(task, event, at, attempt);
    case "candidate-refused":
      if (state.kind !== "queued" && state.kind !== "landing") return stale(`task is ${state.kind}`);
      return tryAgain(task, "refused-at-landing", refusalText(event), event.findings, event.conflict, at);
    case "task-merged":
      if (state.kind !== "landing") return illegal(`${task.id} was merged while ${state.kind}`);
      return moved({ kind: "merged", attempt: state.attempt, commit: event.commit, at, tries: state.tries });
  }
}

function cancel(task: Task, by: string): Step<TaskState> {
  const { state } = task;
  switch (state.kind) {
    case "planned":
    case "backoff":
    case "parked":
    case "checking":
    case "queued":
      return moved({ kind: "cancelled", by, ...triesOf(state) });
    case "starting":
    case "running":
      return moved({ kind: "cancelling", attempt: state.attempt, by, ...triesOf(state) });
    case "collecting":
      return moved({ kind: "cancelling", attempt: state.attempt, by, ...triesOf(state) });
    case "cancelling":
    case "cancelled":
      return stale(`task is ${state.kind}`);
    case "landing":
    case "merged":
      return illegal(`${task.id} is ${state.kind} and cannot be cancelled`);
  }
}

type AttemptReport = Extract<
  FactoryEvent,
  {
    type:
      | "attempt-refused"
      | "wrapper-reported"
      | "attempt-stop-asked"
      | "attempt-collected"
      | "workspace-discarded"
      | "result-checked"
      | "attempt-fenced"
      | "attempt-retired"
      | "attempt-abandoned";
  }
>;

/** An older attempt's message is stale: the attempt in the state is the fence. */
function fromAttempt(task: Task, event: AttemptReport, at: number, attempt: Attempt | undefined): Step<TaskState> {
  const { state } = task;
  if (!("attempt" in state) || state.attempt !== event.attempt) return stale(`${event.attempt} is not the attempt of ${task.id}`);
  switch (event.type) {
    case "attempt-refused":
      if (state.kind === "cancelling") return moved({ kind: "cancelled", by: state.by, ...triesOf(state) });
      if (state.kind !== "starting" && state.kind !== "running") return stale(`task is ${state.kind}`);
      return event.retry === "never" ? park(task, "agent-unusable", event.because, [], at) : tryLater(task, event.because, at);
    case "wrapper-reported":
      return fromReport(task, event);
    case "attempt-collected":
      if (state.kind === "cancelling") return moved({ kind: "cancelled", by: state.by, ...triesOf(state) });
      if (state.kind !== "collecting" || attempt?.state.kind !== "ended") return stale(`task is ${state.kind}`);
      return settle(task, state, attempt.state.outcome, event.tip, at);
    case "result-checked":
      if (state.kind !== "checking") return stale(`task is ${state.kind}`);
      if (!hasBlocking(event.findings))
        return moved({ kind: "queued", attempt: state.attempt, tip: state.tip, since: at, ...rideOf(event), ...triesOf(state) });
      return tryAgain(task, "refused-by-gates", "the gates on the controller refuse what arrived", event.findings, null, at);
    case "attempt-fenced":
      if (state.kind === "cancelling") return moved({ kind: "cancelled", by: state.by, ...triesOf(state) });
      if (state.kind !== "starting" && state.kind !== "running" && state.kind !== "collecting") return stale(`task is ${state.kind}`);
      return tryLater(task, event.because, at);
    case "attempt-stop-asked":
    case "workspace-discarded":
    case "attempt-retired":
    case "attempt-abandoned":
      return moved(state);
  }
}

function fromReport(task: Task, event: Extract<FactoryEvent, { type: "wrapper-reported" }>): Step<TaskState> {
  const { state } = task;
  const { fact } = event;
  if (state.kind === "cancelling") return moved(state);
  if (state.kind !== "starting" && state.kind !== "running") return stale(`task is ${state.kind}`);
  switch (fact.type) {
    case "attempt-started":
      return moved({ kind: "running", attempt: state.attempt, node: state.node, round: 0, ...triesOf(state) });
    case "round-started":
      return moved({ kind: "running", attempt: state.attempt, node: state.node, round: fact.round, ...triesOf(state) });
    case "agent-ended":
    case "round-checked":
      return moved(state);
    case "attempt-ended":
      return moved({ kind: "collecting", attempt: state.attempt, ...triesOf(state) });
  }
}

/** A queued task in a car that was planned for it. */
export function boardCar(task: Task, car: CarId): Step<Task> {
  const { state } = task;
  if (state.kind !== "queued") return illegal(`${task.id} was put in car ${car} while ${state.kind}`);
  const { attempt, tip, since } = state;
  return moved({ ...task, state: { kind: "landing", attempt, tip, since, car, ...rideOf(state), ...triesOf(state) } });
}

/** A task whose car is gone without having landed: it waits again, in its old place. */
export function leaveCar(task: Task): Task {
  const { state } = task;
  if (state.kind !== "landing") return task;
  const { attempt, tip, since } = state;
  return { ...task, state: { kind: "queued", attempt, tip, since, ...rideOf(state), ...triesOf(state) } };
}

function rideOf({ alone }: Ride): Ride {
  return alone === true ? { alone } : {};
}

function refusalText(event: Extract<FactoryEvent, { type: "candidate-refused" }>): string {
  if (event.conflict !== null) return event.conflict.hint;
  const atLanding = event.findings.find((finding) => finding.gate === "landing" && finding.severity === "block");
  return atLanding === undefined ? "the tests are red on main with this change" : atLanding.why;
}

/** Only when an attempt's work is in the hub is anything retried: a retry never races with the salvage of what it replaces. */
function settle(
  task: Task,
  state: Extract<TaskState, { kind: "collecting" }>,
  outcome: AttemptOutcome,
  tip: Oid | null,
  at: number,
): Step<TaskState> {
  switch (outcome.kind) {
    case "succeeded":
      if (tip === null) return tryLater(task, "the attempt succeeded but its branch did not arrive", at);
      return moved({ kind: "checking", attempt: state.attempt, tip, ...triesOf(state) }, { do: "check-result", attempt: state.attempt });
    case "exhausted":
      return park(task, "rounds-exhausted", `not accepted after ${outcome.rounds} rounds`, outcome.findings, at);
    case "unusable":
      return park(task, "agent-unusable", outcome.because, [], at);
    case "lost":
      return tryLater(task, outcome.because, at);
    case "stopped":
      return moved({ kind: "planned", tries: state.tries, limit: state.limit + 1, feedback: state.feedback });
  }
}

/** A new attempt as soon as there is room, with the findings in its prompt; or the lead, when tries are spent. */
function tryAgain(
  task: Task,
  code: ParkReason["code"],
  text: string,
  findings: readonly Finding[],
  conflict: ConflictReport | null,
  at: number,
): Step<TaskState> {
  const tries = triesOf(task.state);
  if (tries.tries < tries.limit) return moved({ kind: "planned", tries: tries.tries, limit: tries.limit, feedback: findings });
  return park(task, code, text, findings, at, conflict);
}

/** A new attempt after a pause: the machine failed, not the agent. */
function tryLater(task: Task, because: string, at: number): Step<TaskState> {
  const tries = triesOf(task.state);
  if (tries.tries >= tries.limit) return park(task, "attempts-exhausted", because, [], at);
  return moved({ kind: "backoff", until: at + retryDelayMs(tries.tries), because, ...tries });
}

function park(
  task: Task,
  code: ParkReason["code"],
  text: string,
  findings: readonly Finding[],
  at: number,
  conflict: ConflictReport | null = null,
): Step<TaskState> {
  const { state } = task;
  const attempt = "attempt" in state ? state.attempt : "";
  return moved({
    kind: "parked",
    since: at,
    because: { code, text, findings, conflict, salvage: attempt === "" ? "" : salvageRef(attempt) },
    ...triesOf(state),
    feedback: findings,
  });
}

function triesOf(state: TaskState): Tries {
  if (state.kind === "merged") return { tries: state.tries, limit: state.tries, feedback: [] };
  return { tries: state.tries, limit: state.limit, feedback: state.feedback };
}
