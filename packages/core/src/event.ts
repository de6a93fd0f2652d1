import type { AcceptanceResult, CommandResult, Finding, TestName } from "./finding.ts";
import type { AttemptId, CarId, NodeId, Oid, ProjectId, TaskId } from "./ids.ts";
import type { TaskSpec } from "./spec.ts";
import type { Car } from "./train.ts";

/** Four facts that name one session, so that a recycled pid is never taken for a live agent. */
export interface SessionIdentity {
  /** /proc/sys/kernel/random/boot_id, or the boot time where there is none. */
  bootId: string;
  /** Start of the tmux server, in seconds since the epoch; 0 when tmux did not say. */
  tmuxStart: number;
  /** Process id of the wrapper, which is the pane's first process. */
  pid: number;
  /** Start of that process as the kernel counts it. */
  pidStart: string;
  /** Word in the environment of everything the attempt starts. */
  token: string;
}

/** How a branch rides to main. */
export interface Ride {
  /** It changes what every gate run rests on: in a car with others it would be in doubt what was red. */
  alone?: true;
}

/** Tokens as the executor reported them. Null: it did not say. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
}

/** What the wrapper reports, in order, in events.ndjson of its attempt. */
export type WrapperFact =
  | { type: "attempt-started"; identity: SessionIdentity }
  | { type: "round-started"; round: number }
  | { type: "agent-ended"; round: number; result: CommandResult; usage: TokenUsage | null }
  | {
      type: "round-checked";
      round: number;
      verify: readonly CommandResult[];
      findings: readonly Finding[];
      /** What the commands of the acceptance items returned, where they were run. */
      acceptance?: readonly AcceptanceResult[];
      /** Tests that were red and then green on the same tree. */
      flaky?: readonly TestName[];
    }
  | { type: "attempt-ended"; outcome: AttemptOutcome };

/** How an attempt ended, as far as the node can tell. */
export type AttemptOutcome =
  | { kind: "succeeded"; tip: Oid; base: Oid; rounds: number }
  /** Three rounds were not enough. */
  | { kind: "exhausted"; rounds: number; findings: readonly Finding[] }
  /** The agent could not be run at all; another attempt would fail alike. */
  | { kind: "unusable"; because: string }
  /** The session vanished, or the machine refused something; another attempt may do better. */
  | { kind: "lost"; because: string }
  /** We asked it to stop. */
  | { kind: "stopped"; because: string };

/** Both sides of a change that does not fit on main: the 409 report. */
export interface ConflictReport {
  code: 409;
  spec: string;
  attempt: AttemptId;
  base: Oid;
  main: Oid;
  kind: "stale_base" | "lock_violation" | "df_conflict";
  textMerge: "clean" | "conflict";
  paths: readonly ConflictPath[];
  hint: string;
}

export interface ConflictPath {
  path: string;
  /** Blob the attempt started from; null where the path did not exist. */
  expected: Oid | null;
  /** Blob on main now. */
  actual: Oid | null;
  /** Blob of the attempt. */
  yours: Oid | null;
  changedBy: readonly { spec: string | null; commit: Oid; subject: string }[];
}

export interface Candidate {
  /** The landing commit: parents (main, merge). */
  commit: Oid;
  /** The newest inner merge commit: parents (the one before it, or main; tip). */
  merge: Oid;
  tree: Oid;
}

/** What became of one entry of a project's shared contract. */
export interface ContractChange {
  file: string;
  /** The entry's anchor; empty for what stands outside of all entries. */
  anchor: string;
  change: "added" | "changed" | "removed";
}

/** Past facts. Each is stored once, in order; states follow from them. */
export type FactoryEvent =
  | { type: "project-started"; project: ProjectId; main: Oid }
  | { type: "project-paused"; project: ProjectId; by: string }
  | { type: "task-planned"; task: TaskId; spec: TaskSpec; digest: string; text: string; path: string; by?: string }
  /** `by`: who handed the text in; logs from before it was kept do not say. */
  | { type: "spec-revised"; task: TaskId; spec: TaskSpec; digest: string; text: string; path: string; by?: string }
  | { type: "task-placed"; task: TaskId; attempt: AttemptId; n: number; node: NodeId; base: Oid; executor: string }
  | { type: "task-retried"; task: TaskId; by: string }
  | { type: "task-cancelled"; task: TaskId; by: string }
  | { type: "attempt-refused"; attempt: AttemptId; because: string; retry: "never" | "later" }
  | { type: "wrapper-reported"; attempt: AttemptId; seq: number; reportedAt: number; fact: WrapperFact }
  | { type: "attempt-stop-asked"; attempt: AttemptId; because: string }
  | { type: "attempt-collected"; attempt: AttemptId; tip: Oid | null; salvage: Oid | null }
  | { type: "workspace-discarded"; attempt: AttemptId }
  /** Its node is lost: the task goes on without it, and what it still says is not heard. */
  | { type: "attempt-fenced"; attempt: AttemptId; because: string }
  /** A fenced attempt was stopped, what it left is in the hub and removed from its node. */
  | { type: "attempt-retired"; attempt: AttemptId; tip: Oid | null; salvage: Oid | null }
  /** The lead gave its machine up, and with it what was never fetched from there. */
  | { type: "attempt-abandoned"; attempt: AttemptId; by: string }
  | ({ type: "result-checked"; attempt: AttemptId; findings: readonly Finding[] } & Ride)
  | { type: "car-planned"; project: ProjectId; car: CarId; kind: Car["kind"]; members: readonly TaskId[]; ahead: readonly CarId[] }
  /** `members`: those of its own that it holds. `onto`: the main it was built on. `notes`: remarks that keep nothing from landing. */
  | {
      type: "car-built";
      project: ProjectId;
      car: CarId;
      members: readonly TaskId[];
      candidate: Candidate;
      /** Not in facts of before builds went on beside what moves main. */
      onto?: Oid;
      notes?: readonly Finding[];
    }
  /** `run` names the gate run; another car's when the same tree was green there. */
  | {
      type: "car-passed";
      project: ProjectId;
      car: CarId;
      candidate: Candidate;
      run: string;
      gateHash: string;
      verify: readonly CommandResult[];
    }
  | { type: "car-failed"; project: ProjectId; car: CarId; findings: readonly Finding[] }
  /** The machine failed the run; that says nothing of the tree. */
  | { type: "run-broken"; project: ProjectId; car: CarId; because: string }
  /** `main`: where main was found instead. */
  | { type: "car-dropped"; project: ProjectId; car: CarId; because: string; main?: Oid }
  /** Main moved to this commit. What it holds is said to be merged beside it, one task at a time. */
  | { type: "car-landed"; project: ProjectId; car: CarId; commit: Oid; from: Oid }
  | { type: "candidate-refused"; task: TaskId; findings: readonly Finding[]; conflict: ConflictReport | null }
  | { type: "landing-frozen"; project: ProjectId; commit: Oid; because: string }
  | { type: "task-merged"; task: TaskId; commit: Oid; from: Oid }
  /** Main moved from one commit to another, and the project's shared contract is not the same in both. */
  | { type: "contract-changed"; project: ProjectId; from: Oid; commit: Oid; entries: readonly ContractChange[] }
  | { type: "collect-requested"; project: ProjectId; by: string }
  | { type: "origin-taken-in"; project: ProjectId; main: Oid; commits: number }
  | { type: "publishing-planned"; project: ProjectId }
  | { type: "origin-moved"; project: ProjectId }
  /** `url`: the pull request that was opened for it, or brought up to date. */
  | { type: "main-published"; project: ProjectId; commit: Oid; url?: string }
  /** What the tests say of the published commit. Green with findings: they were red once, and green on the same commit right after. */
  | { type: "main-watched"; project: ProjectId; commit: Oid; outcome: "green" | "red"; findings: readonly Finding[] }
  | { type: "collect-stopped"; project: ProjectId; code: string; because: string; hint: string }
  /** Takes no new tasks. `drain`: it is to become empty, not only to rest. */
  | { type: "node-cordoned"; node: NodeId; drain: boolean; by: string }
  | { type: "node-uncordoned"; node: NodeId; by: string }
  /** Out of reach for longer than its deadline; the attempts on it are fenced with it. */
  | { type: "node-lost"; node: NodeId; because: string }
  | { type: "node-returned"; node: NodeId };

export type FactoryEventType = FactoryEvent["type"];

/** Version of the shape in which events are stored now; the store completes older ones when it reads them. */
export const eventVersion = 4;

/** An event as the log keeps it. */
export interface StoredEvent {
  /** Position in the log, from 1, without gaps. */
  seq: number;
  /** Milliseconds since the epoch. */
  at: number;
  /** Version of the event's shape. */
  v: typeof eventVersion;
  event: FactoryEvent;
}
