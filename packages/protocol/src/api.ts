import type { Attempt, CollectState, Finding, NodeSnapshot, ParkReason, Project, StoredEvent, Task, TokenUsage } from "@dispatch/core";

/**
 * The contract between the daemon and its clients: JSON over HTTP, on the factory's unix socket
 * (no token: the file's mode guards it) and on loopback (`Authorization: Bearer <token>`).
 *
 *   GET  /v1/health                              HealthView
 *   GET  /v1/status[?project=P]                  StatusView
 *   GET  /v1/why[?project=P]                     WhyAllView        (every unfinished task by its root cause)
 *   GET  /v1/projects/:project/report            ReportView
 *   GET  /v1/projects/:project/plan[?slots=N]    PlanView          (a dry run: nothing is fed or started)
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
 *   GET  /v1/tasks/:project/:spec/spec           SpecView          (?revision=N; the newest without)
 *   PUT  /v1/tasks/:project/:spec/spec           PutSpecView       body PutSpecRequest (400 SPEC_INVALID with facts.problems;
 *                                                409 SPEC_CHANGED with SpecConflictFacts, or NOT_ALLOWED while it is worked on)
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
  /** Expected end of all work that can go on by itself, ms since the epoch; null when nothing can. */
  eta: number | null;
  /** Whether anything moves, project by project. */
  standings: readonly StandingRow[];
  signals: SignalsView;
}

/** A root cause and the unfinished tasks that wait for it in the end. */
export interface CauseRow {
  /** Kind of the explanation at the root, or `cycle`. */
  kind: string;
  project: string;
  /** The task at the root. */
  task: string;
  /** Why, as a sentence. */
  because: string;
  /** What would release it, as a sentence. */
  release: string;
  /** Who releases it; a cycle is released by nobody. */
  needs: "factory" | "time" | "lead" | "nobody";
  tasks: readonly string[];
}

/** Whether a project moves. */
export interface StandingRow {
  project: string;
  /**
   * `finishing`: sessions end, and after them nothing can follow without the lead.
   * `gridlock`: nothing moves, and no act of the lead is what it waits for: a cycle, or a defect.
   */
  kind: "idle" | "moving" | "waiting-for-time" | "finishing" | "waiting-for-lead" | "gridlock";
  unfinished: number;
  /** Sessions, checks and landings under way. */
  underWay: number;
  /** When time alone moves it, ms since the epoch. */
  until: number | null;
  /** Biggest first; empty while it moves. */
  causes: readonly CauseRow[];
  /** Tasks that wait for each other in a circle. */
  cycles: readonly (readonly string[])[];
}

/** Whether the factory has too few nodes, too weak specs, or a split that collides; judged over all projects. */
export interface SignalsView {
  state: { backlog: boolean; arrivals: boolean; firstRounds: boolean; conflicts: boolean };
  advice: "add-nodes" | "mend-specs" | "change-split" | "none";
  /** What to do and the figures it rests on, as a sentence; empty when there is nothing to do. */
  text: string;
  figures: {
    /** How far back rates look. */
    windowMs: number;
    /** Tasks without a session that are not over, and those of them that lack nothing but room. */
    pending: number;
    startable: number;
    running: number;
    /** Specs fed, and specs merged or cancelled, in the window. */
    arrived: number;
    consumed: number;
    firstRounds: number;
    firstRoundsFailed: number;
    /** 0 to 1; null while there are too few to say. */
    firstRoundFailureRate: number | null;
    landings: number;
    conflicts: number;
    conflictRate: number | null;
    /** Share of the slot time of the window that was used while work was there, 0 to 1. */
    utilisation: number;
  };
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
  /** From this task to the one at the root, each with its own reason. */
  chain: readonly { task: string; because: string }[];
  /** What it waits for in the end; `tasks` are all that wait for the same. */
  root: CauseRow;
  /** When it is expected to start, ms since the epoch; null when it has started, or never will as things are. */
  expectedStart: number | null;
  troubles: readonly TroubleRow[];
}

export interface WhyAllView {
  at: number;
  unfinished: number;
  /** Biggest first. */
  causes: readonly CauseRow[];
  standings: readonly StandingRow[];
}

/** How a project would go if it were started now with nothing else on the nodes. Minutes count from its start. */
export interface PlanView {
  project: string;
  at: number;
  slots: number;
  /** Spec files that are not fed yet and were planned with. */
  unfed: number;
  /** In the order in which they start. */
  tasks: readonly { id: string; title: string; wave: number; minutes: number; from: number; to: number; node: string }[];
  /** What could run side by side with slots without end; `minutes` is the work in it, `from` and `to` with the slots there are. */
  waves: readonly { tasks: readonly string[]; minutes: number; from: number; to: number }[];
  /** When the last task is on main. */
  minutes: number;
  workMinutes: number;
  critical: { tasks: readonly string[]; minutes: number };
  /** Sessions at once: the most, and the number from each moment on. */
  width: { most: number; over: readonly { at: number; running: number }[] };
  /** No plan can be shorter than any of these. */
  bounds: { criticalPath: number; workPerSlot: number; lockChain: number; lockEntry: string | null };
  /** Paths that most of the work wants for itself; `addsMinutes`: how much sooner the plan would end if nobody locked it. */
  hotSpots: readonly { entry: string; tasks: readonly string[]; minutes: number; addsMinutes: number }[];
  /** What can never start as things are. */
  never: readonly { id: string; because: string; release: string }[];
  /** What the forecast takes for granted, as sentences. */
  assumes: readonly string[];
  /** Of the spec files; those with errors are not planned with. */
  problems: readonly SpecProblem[];
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
  /** What exactly is wrong, such as `F03` or `overlap`. */
  code?: string;
  /** The front matter field it is about. */
  field?: string;
  /** What dispatch lint --fix would do, in words. */
  fix?: string;
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
  code: ParkReason["code"] | "landing-frozen" | "collect-stopped" | "not-collected" | "blocked" | "gridlock";
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
  signals: SignalsView;
  landings: readonly { commit: string; task: string; at: number }[];
}

export interface RetryRequest {
  /** Take the spec file as it is now. */
  edited?: boolean;
}

/** A revision of a task's spec as a row. */
export interface SpecRevisionRow {
  revision: number;
  digest: string;
  /** When it was taken in, ms since the epoch. */
  at: number;
  /** Who handed it in; null in logs from before that was kept. */
  by: string | null;
  /** Fields and sections that differ from the revision before. */
  changed: readonly string[];
}

/** One revision of a task's spec, and the list of all. */
export interface SpecView {
  task: string;
  /** The spec file, relative to the factory. */
  path: string;
  revision: number;
  /** The newest revision: the one to name as baseRevision of an edit. */
  current: number;
  digest: string;
  text: string;
  /** Oldest first. */
  history: readonly SpecRevisionRow[];
}

export interface PutSpecRequest {
  /** The whole new spec file. */
  text: string;
  /** The revision that was edited. */
  baseRevision: number;
}

export interface PutSpecView {
  task: string;
  /** The revision that has the text now. */
  revision: number;
  digest: string;
  /** Fields and sections that the edit changed; empty when the text was there already. */
  changed: readonly string[];
  /** Warnings. */
  problems: readonly SpecProblem[];
}

/** Facts of the 409 for an edit that was made from an older revision. */
export interface SpecConflictFacts {
  task: string;
  revision: number;
  baseRevision: number;
  /** What changed between the two. */
  changed: readonly string[];
  current: string;
  yours: string;
  base: string;
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
