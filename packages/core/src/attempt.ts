import type { AttemptOutcome, FactoryEvent, SessionIdentity, TokenUsage } from "./event.ts";
import type { CommandResult, Finding } from "./finding.ts";
import type { AttemptId, NodeId, Oid, TaskId } from "./ids.ts";
import { illegal, moved, type Step, stale } from "./step.ts";

/**
 * One session of one agent on one task.
 *
 *   starting ──► running ──► ended ──► collected ──► discarded
 *       ├────────────┴─ stopping ─┤                      ▲
 *       └─────── fenced ◄─────────┘ (its node is lost) ──┘
 *
 * 1. A slot is held from starting until ended, also while stopping. An attempt that was fenced before it ended holds
 *    it until it is retired: its session may still run.
 * 2. What is in the worktree is deleted (discarded) only after it was collected into the hub.
 * 3. Events carry a sequence number of the attempt; one that was seen is stale, and so is all that a fenced one says.
 */
export type AttemptState =
  | { kind: "starting" }
  | { kind: "running"; identity: SessionIdentity; round: number }
  | { kind: "stopping"; because: string }
  | { kind: "ended"; outcome: AttemptOutcome }
  /** `session`: what was known of it when its node was lost. */
  | { kind: "fenced"; because: string; session: "unknown" | "over" }
  | { kind: "collected"; outcome: AttemptOutcome; tip: Oid | null; salvage: Oid | null }
  | { kind: "discarded"; outcome: AttemptOutcome; tip: Oid | null; salvage: Oid | null };

/** What is known of one round of an attempt. */
export interface Round {
  n: number;
  startedAt: number;
  agent: { endedAt: number; exitCode: number | null; outcome: CommandResult["outcome"]; usage: TokenUsage | null } | null;
  checked: { at: number; findings: readonly Finding[]; verifyMs: number } | null;
}

export interface Attempt {
  id: AttemptId;
  task: TaskId;
  n: number;
  node: NodeId;
  base: Oid;
  executor: string;
  placedAt: number;
  /** When the session was seen to have ended; 0 while it has not. */
  endedAt: number;
  /** Sequence number of the last wrapper event that was applied. */
  cursor: number;
  rounds: readonly Round[];
  /** Commits of main with which the shared contract changed under the attempt; it is told of each. */
  notices: readonly Oid[];
  state: AttemptState;
}

/** Whether the attempt is the one that works on its task. */
export function isLive({ state }: Attempt): boolean {
  return state.kind === "starting" || state.kind === "running" || state.kind === "stopping";
}

/** Whether the attempt still occupies a slot of its node. */
export function holdsSlot(attempt: Attempt): boolean {
  return isLive(attempt) || (attempt.state.kind === "fenced" && attempt.state.session === "unknown");
}

/** Whether the attempt is lost with its node: what it worked out is nowhere else yet. */
export function isFencedWithNode(attempt: Attempt): boolean {
  return isLive(attempt) || attempt.state.kind === "ended";
}

export type AttemptEvent = Extract<FactoryEvent, { attempt: AttemptId }>;

/** The attempt after an event about it. `at` is when the event was recorded, in ms since the epoch. */
export function transitionAttempt(attempt: Attempt, event: AttemptEvent, at: number): Step<Attempt> {
  const { state } = attempt;
  switch (event.type) {
    case "task-placed":
      return illegal(`attempt ${attempt.id} was placed twice`);
    case "attempt-refused":
      if (!isLive(attempt)) return stale(`attempt is ${state.kind}`);
      return moved({
        ...attempt,
        endedAt: at,
        state: discarded({ kind: event.retry === "never" ? "unusable" : "lost", because: event.because }, null, null),
      });
    case "wrapper-reported":
      return applyReport(attempt, event, at);
    case "attempt-stop-asked":
      if (state.kind === "starting" || state.kind === "running") {
        return moved(
          { ...attempt, state: { kind: "stopping", because: event.because } },
          { do: "stop-attempt", attempt: attempt.id, because: event.because },
        );
      }
      return stale(`attempt is ${state.kind}`);
    case "attempt-collected":
      if (state.kind !== "ended") return stale(`attempt is ${state.kind}`);
      return moved(
        { ...attempt, state: { kind: "collected", outcome: state.outcome, tip: event.tip, salvage: event.salvage } },
        { do: "discard-workspace", attempt: attempt.id },
      );
    case "workspace-discarded":
      if (state.kind !== "collected") return stale(`attempt is ${state.kind}`);
      return moved({ ...attempt, state: { ...state, kind: "discarded" } });
    case "result-checked":
      return moved(attempt);
    case "attempt-fenced":
      if (!isFencedWithNode(attempt)) return stale(`attempt is ${state.kind}`);
      return moved(fence(attempt, event.because, at), { do: "retire-attempt", attempt: attempt.id });
    case "attempt-retired":
      if (state.kind !== "fenced") return stale(`attempt is ${state.kind}`);
      return moved({ ...attempt, state: discarded({ kind: "lost", because: state.because }, event.tip, event.salvage) });
    case "attempt-abandoned":
      return abandon(attempt, event.by);
  }
}

function discarded(outcome: AttemptOutcome, tip: Oid | null, salvage: Oid | null): AttemptState {
  return { kind: "discarded", outcome, tip, salvage };
}

function fence(attempt: Attempt, because: string, at: number): Attempt {
  if (attempt.state.kind === "ended") return { ...attempt, state: { kind: "fenced", because, session: "over" } };
  return { ...attempt, endedAt: at, state: { kind: "fenced", because, session: "unknown" } };
}

/** What was fetched is in the hub already; the rest is given up with the machine. */
function abandon(attempt: Attempt, by: string): Step<Attempt> {
  const { state } = attempt;
  if (state.kind === "collected") return moved({ ...attempt, state: { ...state, kind: "discarded" } });
  if (state.kind !== "fenced") return stale(`attempt is ${state.kind}`);
  return moved({ ...attempt, state: discarded({ kind: "lost", because: `${state.because}; given up by ${by}` }, null, null) });
}

/** Has an attempt that is still at work on an older base told of a change of the contract, once for each commit of main. */
export function tellOfContract(attempt: Attempt, from: Oid, commit: Oid): Step<Attempt> {
  if (attempt.state.kind !== "starting" && attempt.state.kind !== "running") return stale(`attempt is ${attempt.state.kind}`);
  if (attempt.base === commit) return stale("attempt starts from this commit");
  if (attempt.notices.includes(commit)) return stale("attempt was told");
  const notices = [...attempt.notices, commit];
  return moved({ ...attempt, notices }, { do: "tell-attempt", attempt: attempt.id, n: notices.length, from, commit });
}

function applyReport(attempt: Attempt, event: Extract<FactoryEvent, { type: "wrapper-reported" }>, at: number): Step<Attempt> {
  if (event.seq <= attempt.cursor) return stale(`event ${event.seq} was seen`);
  if (event.seq !== attempt.cursor + 1) return illegal(`event ${event.seq} of ${attempt.id} came after ${attempt.cursor}`);
  const { state } = attempt;
  const seen = { ...attempt, cursor: event.seq };
  const { fact } = event;
  if (state.kind !== "starting" && state.kind !== "running" && state.kind !== "stopping") return stale(`attempt is ${state.kind}`);
  switch (fact.type) {
    case "attempt-started":
      if (state.kind === "stopping") return moved(seen);
      return moved({ ...seen, state: { kind: "running", identity: fact.identity, round: 0 } });
    case "round-started": {
      const round: Round = { n: fact.round, startedAt: event.reportedAt, agent: null, checked: null };
      const next = { ...seen, rounds: [...seen.rounds, round] };
      return moved(state.kind === "running" ? { ...next, state: { ...state, round: fact.round } } : next);
    }
    case "agent-ended":
      return moved({
        ...seen,
        rounds: withLastRound(seen.rounds, {
          agent: { endedAt: event.reportedAt, exitCode: fact.result.exitCode, outcome: fact.result.outcome, usage: fact.usage },
        }),
      });
    case "round-checked":
      return moved({
        ...seen,
        rounds: withLastRound(seen.rounds, {
          checked: { at: event.reportedAt, findings: fact.findings, verifyMs: fact.verify.reduce((sum, result) => sum + result.durationMs, 0) },
        }),
      });
    case "attempt-ended":
      return moved({ ...seen, endedAt: at, state: { kind: "ended", outcome: fact.outcome } }, { do: "collect-attempt", attempt: attempt.id });
  }
}

function withLastRound(rounds: readonly Round[], change: Partial<Round>): readonly Round[] {
  const last = rounds.at(-1);
  return last === undefined ? rounds : [...rounds.slice(0, -1), { ...last, ...change }];
}
