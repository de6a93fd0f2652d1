import type { Attempt, AttemptEvent, AttemptState } from "../../packages/core/src/attempt.ts";
import type { AttemptOutcome, Candidate, FactoryEvent, WrapperFact } from "../../packages/core/src/event.ts";
import type { CommandResult, Finding } from "../../packages/core/src/finding.ts";
import type { CollectState, Project, ProjectEvent } from "../../packages/core/src/project.ts";
import type { TaskSpec } from "../../packages/core/src/spec.ts";
import type { Task, TaskEvent, TaskState, Tries } from "../../packages/core/src/task.ts";
import { type CarEvent, emptyTrain } from "../../packages/core/src/train.ts";
import { aSpec } from "../../test/kit/build-facts.ts";

/**
 * One sample of every state and of every event, in every variant that makes a difference.
 * All speak of attempt 2 of one task. The records are typed by the kinds of core, so a new
 * state or event does not compile until it has a sample here.
 */
export const task = "shop/S01-cart";
const attempt = "shop--S01-cart--2";
export const main = "a".repeat(40);
const tip = "b".repeat(40);
export const candidate: Candidate = { commit: "c".repeat(40), merge: "d".repeat(40), tree: "e".repeat(40) };

export const finding: Finding = { gate: "G01", severity: "block", found: "exit code 1", why: "a test is red", hint: "mend it" };
export const result: CommandResult = {
  command: "npm test",
  outcome: "exited",
  exitCode: 0,
  signal: null,
  durationMs: 1000,
  outputBytes: 0,
  outputTail: "",
};

export const spec: TaskSpec = aSpec("S01-cart", { modifies: ["src/cart.ts"], attempts: 2 });

export const outcomes: Record<AttemptOutcome["kind"], AttemptOutcome> = {
  succeeded: { kind: "succeeded", tip, base: main, rounds: 1 },
  exhausted: { kind: "exhausted", rounds: 3, findings: [finding] },
  unusable: { kind: "unusable", because: "no such program" },
  lost: { kind: "lost", because: "the session vanished" },
  stopped: { kind: "stopped", because: "asked to" },
};

const facts: Record<WrapperFact["type"], WrapperFact> = {
  "attempt-started": { type: "attempt-started", identity: { bootId: "boot", tmuxStart: 1, pid: 2, pidStart: "3", token: "word" } },
  "round-started": { type: "round-started", round: 1 },
  "agent-ended": { type: "agent-ended", round: 1, result, usage: null },
  "round-checked": { type: "round-checked", round: 1, verify: [result], findings: [] },
  "attempt-ended": { type: "attempt-ended", outcome: outcomes.succeeded },
};

/** Every task state with these tries. */
export function taskStates(tries: Tries): readonly TaskState[] {
  const byKind: { [Kind in TaskState["kind"]]: Extract<TaskState, { kind: Kind }> } = {
    planned: { kind: "planned", ...tries },
    backoff: { kind: "backoff", until: 9000, because: "the session vanished", ...tries },
    starting: { kind: "starting", attempt, node: "local", ...tries },
    running: { kind: "running", attempt, node: "local", round: 1, ...tries },
    collecting: { kind: "collecting", attempt, ...tries },
    checking: { kind: "checking", attempt, tip, ...tries },
    queued: { kind: "queued", attempt, tip, since: 5000, ...tries },
    landing: { kind: "landing", attempt, tip, since: 5000, car: "2", ...tries },
    merged: { kind: "merged", attempt, commit: candidate.commit, at: 8000, tries: tries.tries },
    parked: {
      kind: "parked",
      since: 8000,
      because: { code: "rounds-exhausted", text: "not accepted", findings: [finding], conflict: null, salvage: "" },
      ...tries,
    },
    cancelling: { kind: "cancelling", attempt, by: "lead", ...tries },
    cancelled: { kind: "cancelled", by: "lead", ...tries },
  };
  return Object.values(byKind);
}

export function aTask(state: TaskState): Task {
  return { id: task, project: "shop", spec, digest: "0", text: "", path: "specs/shop/S01-cart.md", revision: 1, plannedAt: 1000, state };
}

export const attemptStates: Record<AttemptState["kind"], AttemptState> = {
  starting: { kind: "starting" },
  running: { kind: "running", identity: { bootId: "boot", tmuxStart: 1, pid: 2, pidStart: "3", token: "word" }, round: 1 },
  stopping: { kind: "stopping", because: "asked to" },
  ended: { kind: "ended", outcome: outcomes.succeeded },
  fenced: { kind: "fenced", because: "its node is lost", session: "unknown" },
  collected: { kind: "collected", outcome: outcomes.succeeded, tip, salvage: null },
  discarded: { kind: "discarded", outcome: outcomes.succeeded, tip, salvage: null },
};

export function anAttempt(state: AttemptState): Attempt {
  return {
    id: attempt,
    task,
    n: 2,
    node: "local",
    base: main,
    executor: "agent",
    placedAt: 1000,
    endedAt: 0,
    cursor: 4,
    rounds: [{ n: 1, startedAt: 1000, agent: null, checked: null }],
    notices: [],
    state,
  };
}

export const collectStates: Record<CollectState["kind"], CollectState> = {
  idle: { kind: "idle", last: null },
  "taking-in": { kind: "taking-in", requestedAt: 2000, tasks: [task] },
  landing: { kind: "landing", requestedAt: 2000, tasks: [task] },
  publishing: { kind: "publishing", requestedAt: 2000, tasks: [task] },
};

export function aProject(placing: Project["placing"], collect: CollectState): Project {
  return { id: "shop", placing, main, landing: { kind: "open" }, collect, train: emptyTrain };
}

/** An event under the name it has in the tables; `attempt` is the attempt as it was before the event. */
export interface Variant<Event> {
  label: string;
  event: Event;
  attempt?: Attempt;
}

type EventOf<Type extends FactoryEvent["type"]> = Extract<FactoryEvent, { type: Type }>;

function reports(): Variant<EventOf<"wrapper-reported">>[] {
  return Object.values(facts).map((fact) => ({
    label: `wrapper-reported: ${fact.type}`,
    event: { type: "wrapper-reported", attempt, seq: 5, reportedAt: 6000, fact },
  }));
}

const outOfOrder: Variant<EventOf<"wrapper-reported">>[] = [
  { label: "wrapper-reported, seen before", event: { type: "wrapper-reported", attempt, seq: 4, reportedAt: 6000, fact: facts["agent-ended"] } },
  { label: "wrapper-reported, after a gap", event: { type: "wrapper-reported", attempt, seq: 6, reportedAt: 6000, fact: facts["agent-ended"] } },
];

type AttemptVariants = { [Type in AttemptEvent["type"]]: readonly Variant<EventOf<Type>>[] };

const aboutAttempt: AttemptVariants = {
  "task-placed": [{ label: "task-placed", event: { type: "task-placed", task, attempt, n: 2, node: "local", base: main, executor: "agent" } }],
  "attempt-refused": [
    { label: "attempt-refused, never", event: { type: "attempt-refused", attempt, because: "no such executor", retry: "never" } },
    { label: "attempt-refused, later", event: { type: "attempt-refused", attempt, because: "disk full", retry: "later" } },
  ],
  "wrapper-reported": reports(),
  "attempt-stop-asked": [{ label: "attempt-stop-asked", event: { type: "attempt-stop-asked", attempt, because: "cancelled" } }],
  "attempt-collected": [{ label: "attempt-collected", event: { type: "attempt-collected", attempt, tip, salvage: null } }],
  "workspace-discarded": [{ label: "workspace-discarded", event: { type: "workspace-discarded", attempt } }],
  "attempt-fenced": [{ label: "attempt-fenced", event: { type: "attempt-fenced", attempt, because: "its node is lost" } }],
  "attempt-retired": [{ label: "attempt-retired", event: { type: "attempt-retired", attempt, tip, salvage: null } }],
  "attempt-abandoned": [{ label: "attempt-abandoned", event: { type: "attempt-abandoned", attempt, by: "lead" } }],
  "result-checked": [
    { label: "result-checked, clean", event: { type: "result-checked", attempt, findings: [] } },
    { label: "result-checked, blocking", event: { type: "result-checked", attempt, findings: [finding] } },
  ],
};

export const attemptVariants: readonly Variant<AttemptEvent>[] = [...Object.values(aboutAttempt).flat(), ...outOfOrder];

/** What a collected attempt means depends on how it ended. */
function collected(): Variant<EventOf<"attempt-collected">>[] {
  const variants = Object.values(outcomes).map((outcome) => ({
    label: `attempt-collected: ${outcome.kind}`,
    event: { type: "attempt-collected" as const, attempt, tip, salvage: null },
    attempt: anAttempt({ kind: "ended", outcome }),
  }));
  const lostTip: Variant<EventOf<"attempt-collected">> = {
    label: "attempt-collected: succeeded, no branch",
    event: { type: "attempt-collected", attempt, tip: null, salvage: null },
    attempt: anAttempt({ kind: "ended", outcome: outcomes.succeeded }),
  };
  return [...variants, lostTip];
}

type TaskVariants = { [Type in TaskEvent["type"]]: readonly Variant<EventOf<Type>>[] };

/** `n` is the number a placed attempt gets: one more than the tries of the state it meets. */
export function taskVariants(n: number): readonly Variant<TaskEvent>[] {
  const source = { spec, digest: "1", text: "", path: "specs/shop/S01-cart.md" };
  const variants: TaskVariants = {
    ...aboutAttempt,
    "task-planned": [{ label: "task-planned", event: { type: "task-planned", task, ...source } }],
    "spec-revised": [{ label: "spec-revised", event: { type: "spec-revised", task, ...source } }],
    "task-placed": [
      {
        label: "task-placed",
        event: { type: "task-placed", task, attempt: `shop--S01-cart--${n}`, n, node: "local", base: main, executor: "agent" },
      },
    ],
    "task-retried": [{ label: "task-retried", event: { type: "task-retried", task, by: "lead" } }],
    "task-cancelled": [{ label: "task-cancelled", event: { type: "task-cancelled", task, by: "lead" } }],
    "attempt-collected": collected(),
    "candidate-refused": [{ label: "candidate-refused", event: { type: "candidate-refused", task, findings: [finding], conflict: null } }],
    "task-merged": [{ label: "task-merged", event: { type: "task-merged", task, commit: candidate.commit, from: main } }],
  };
  return Object.values(variants).flat();
}

/** What happens to its cars is told of the train. */
type OwnEvent = Exclude<ProjectEvent, CarEvent>;

type ProjectVariants = { [Type in OwnEvent["type"]]: readonly Variant<EventOf<Type>>[] };

const moved = candidate.commit;

const aboutProject: ProjectVariants = {
  "project-started": [{ label: "project-started", event: { type: "project-started", project: "shop", main: moved } }],
  "project-paused": [{ label: "project-paused", event: { type: "project-paused", project: "shop", by: "lead" } }],
  "collect-requested": [{ label: "collect-requested", event: { type: "collect-requested", project: "shop", by: "lead" } }],
  "origin-taken-in": [{ label: "origin-taken-in", event: { type: "origin-taken-in", project: "shop", main: moved, commits: 1 } }],
  "publishing-planned": [{ label: "publishing-planned", event: { type: "publishing-planned", project: "shop" } }],
  "origin-moved": [{ label: "origin-moved", event: { type: "origin-moved", project: "shop" } }],
  "landing-frozen": [
    { label: "landing-frozen", event: { type: "landing-frozen", project: "shop", commit: main, because: "main is red without any change" } },
  ],
  "contract-changed": [
    {
      label: "contract-changed",
      event: {
        type: "contract-changed",
        project: "shop",
        from: main,
        commit: moved,
        entries: [{ file: "SHARED_CONTEXT.md", anchor: "POST /cart", change: "changed" }],
      },
    },
  ],
  "main-published": [{ label: "main-published", event: { type: "main-published", project: "shop", commit: moved } }],
  "main-watched": [
    { label: "main-watched (green)", event: { type: "main-watched", project: "shop", commit: moved, outcome: "green", findings: [] } },
    { label: "main-watched (red)", event: { type: "main-watched", project: "shop", commit: moved, outcome: "red", findings: [] } },
  ],
  "collect-stopped": [
    { label: "collect-stopped", event: { type: "collect-stopped", project: "shop", code: "ORIGIN_REFUSED", because: "refused", hint: "ask" } },
  ],
};

export const projectVariants: readonly Variant<OwnEvent>[] = Object.values(aboutProject).flat();
