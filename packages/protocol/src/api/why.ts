/** An effect that failed and is tried again. */
export interface TroubleRow {
  effect: string;
  failures: number;
  code: string;
  message: string;
  hint: string | null;
  nextAt: number;
}

/** Two tasks at work, or one and main, that will not fit together. */
export interface ForecastRow {
  /** The one that will have to be redone. */
  task: string;
  /** What it will have to be redone on top of: a task that lands first; null: main as it is. */
  with: string | null;
  paths: readonly string[];
  kind: "same_path" | "text" | "file_or_folder";
  /** What comes, as a sentence. */
  text: string;
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
  /** Conflicts that are coming for it, or for others because of it. */
  forecast: readonly ForecastRow[];
}

export interface WhyAllView {
  at: number;
  unfinished: number;
  /** Biggest first. */
  causes: readonly CauseRow[];
  standings: readonly StandingRow[];
}
