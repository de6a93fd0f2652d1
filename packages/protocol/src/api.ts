import type { Attempt, CollectState, Finding, NodeSnapshot, ParkReason, Project, StoredEvent, Task, TokenUsage } from "@dispatch/core";

/**
 * The contract between the daemon and its clients: JSON over HTTP, on the factory's unix socket
 * (no token: the file's mode guards it) and on loopback (`Authorization: Bearer <token>`).
 *
 *   GET  /v1/health                              HealthView
 *   GET  /v1/status[?project=P]                  StatusView
 *   GET  /v1/projects/:project/report            ReportView
 *   POST /v1/projects/:project/feed              FeedView          (400 SPEC_INVALID with facts.problems when no spec is fit)
 *   POST /v1/projects/:project/start             FeedView          (feeds, then lets tasks be placed)
 *   POST /v1/projects/:project/pause | resume    {}
 *   POST /v1/projects/:project/collect           CollectView       (poll status until collect is idle)
 *   GET  /v1/tasks/:project/:spec                TaskView
 *   GET  /v1/tasks/:project/:spec/why            WhyView
 *   GET  /v1/tasks/:project/:spec/log            LogView           (?file=agent|verify & attempt=N & round=N & from=BYTES)
 *   GET  /v1/tasks/:project/:spec/attach         AttachView
 *   POST /v1/tasks/:project/:spec/retry          {}                body RetryRequest
 *   POST /v1/tasks/:project/:spec/cancel         {}
 *   GET  /v1/events?after=SEQ                    server-sent events, data: StoredEvent, id: seq
 *   POST /v1/down                                {}                body DownRequest
 *
 * Failures are a 4xx or 5xx with ErrorView.
 */
export const apiVersion = "v1";

export interface HealthView {
  version: string;
  pid: number;
  factory: string;
  startedAt: number;
}

export interface ErrorView {
  error: { code: string; message: string; hint: string | null; facts: Record<string, unknown> };
}

/** How a task stands, for lists. */
export interface TaskRow {
  id: string;
  title: string;
  project: string;
  priority: number;
  state: Task["state"]["kind"];
  /** `state`, or what a planned task waits for: `ready`, `waits`, `locked`. */
  display: string;
  /** One sentence: why it is where it is. */
  because: string;
  attempt: number;
  round: number;
  node: string | null;
  /** When the state's work began, ms since the epoch. */
  since: number;
  estimateMinutes: number;
  tokens: TokenUsage | null;
  dependsOn: readonly string[];
}

export interface ProjectRow {
  id: string;
  placing: Project["placing"];
  landing: Project["landing"];
  main: string;
  collect: CollectState;
  policy: "continuous" | "on-collect";
  /** Number of tasks in each state. */
  counts: Readonly<Record<string, number>>;
}

export interface NodeRow extends NodeSnapshot {
  used: number;
}

/** An effect that failed and is tried again. */
export interface TroubleRow {
  effect: string;
  failures: number;
  code: string;
  message: string;
  hint: string | null;
  nextAt: number;
}

export interface StatusView {
  at: number;
  lastSeq: number;
  draining: boolean;
  projects: readonly ProjectRow[];
  nodes: readonly NodeRow[];
  tasks: readonly TaskRow[];
  /** The occupied slots. */
  sessions: readonly {
    attempt: string;
    task: string;
    node: string;
    round: number;
    since: number;
    state: Attempt["state"]["kind"];
    tokens: TokenUsage | null;
  }[];
  troubles: readonly TroubleRow[];
  /** Estimated end of all work that can go on, ms since the epoch; null when nothing runs. */
  eta: number | null;
}

export interface TaskView {
  row: TaskRow;
  task: Task;
  attempts: readonly Attempt[];
  /** Refs of the hub that hold this task's work. */
  refs: readonly string[];
  hub: string;
}

export interface WhyView {
  task: string;
  state: string;
  /** Why, as a sentence. */
  because: string;
  /** What would move it, as a sentence. */
  release: string;
  explanation: unknown;
  troubles: readonly TroubleRow[];
}

export interface LogView {
  attempt: string;
  round: number;
  file: "agent" | "verify";
  text: string;
  /** Byte position after `text`. */
  next: number;
  /** Whether more may come. */
  live: boolean;
}

export interface AttachView {
  /** Program and arguments that show the session. */
  command: readonly string[];
}

export interface FeedView {
  planned: readonly string[];
  revised: readonly string[];
  unchanged: readonly string[];
  /** Files moved from specs/pending into specs/PROJECT. */
  moved: readonly string[];
  /** Files that were left out because they, or what they depend on, have errors. */
  refused: readonly string[];
  problems: readonly SpecProblem[];
}

export interface SpecProblem {
  file: string;
  line: number;
  column: number;
  id: string;
  severity: string;
  message: string;
}

export interface CollectView {
  requestedAt: number;
}

export interface ReportTask {
  id: string;
  title: string;
  state: Task["state"]["kind"];
  attempts: number;
  rounds: number;
  /** From first placement to merge (or to the last event), in ms. */
  durationMs: number;
  /** Time sessions held a slot, in ms. */
  sessionMs: number;
  tokens: TokenUsage | null;
  commit: string | null;
}

/** Something only the lead can move. */
export interface WaitingForLead {
  task: string | null;
  because: string;
  next: string;
  findings: readonly Finding[];
  salvage: string | null;
  code: ParkReason["code"] | "landing-frozen" | "collect-stopped";
}

export interface ReportView {
  project: string;
  from: number;
  to: number;
  main: string;
  published: string | null;
  counts: Readonly<Record<string, number>>;
  tasks: readonly ReportTask[];
  maxParallel: number;
  /** Share of slot time that was used while work was there, 0 to 1. */
  utilisation: number;
  /** Blocking findings by gate. */
  findings: Readonly<Record<string, number>>;
  conflicts: number;
  tokens: TokenUsage | null;
  waiting: readonly WaitingForLead[];
  landings: readonly { commit: string; task: string; at: number }[];
}

export interface RetryRequest {
  /** Take the spec file as it is now. */
  edited?: boolean;
}

export interface DownRequest {
  /**
   * `leave`: the daemon ends, sessions go on and are taken over at the next start.
   * `drain`: nothing new starts; the daemon ends when all sessions have ended and landed.
   * `stop`: sessions are stopped and salvaged; their tasks are placed again at the next start.
   */
  mode?: "leave" | "drain" | "stop";
}

export type EventView = StoredEvent;
