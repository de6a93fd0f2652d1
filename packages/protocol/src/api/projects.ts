import type { Finding, ParkReason, Task, TokenUsage } from "@dispatch/core";
import type { NodeLossRow } from "./nodes.ts";
import type { SpecProblem } from "./specs.ts";
import type { SignalsView } from "./status.ts";

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

export interface RevertRequest {
  /** Id of a spec that landed, or a commit of main's first-parent line, which may be cut short. */
  landing: string;
  /** Only compose the spec. */
  dryRun?: boolean;
}

/** The task that takes a landing back. */
export interface RevertView {
  task: string;
  path: string;
  /** The whole spec file. */
  text: string;
  /** The commit of main that brought what is taken back. */
  landing: string;
  /** The merge commits that are taken back, newest first. */
  reverts: readonly { specId: string; commit: string }[];
  /** False for a dry run. */
  planned: boolean;
  /** What the lead has to do before it lands; null: nothing. */
  next: string | null;
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
  /** Machines that were lost while it was worked on, oldest first: those that cost it attempts, and those that are lost now. */
  losses: readonly NodeLossRow[];
  landings: readonly { commit: string; task: string; at: number }[];
}
