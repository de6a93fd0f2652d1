import type { Attempt, Task, TokenUsage } from "@dispatch/core";

/** How a task stands, for lists. */
export interface TaskRow {
  id: string;
  title: string;
  project: string;
  priority: number;
  state: Task["state"]["kind"];
  /** `state`, or what a planned task waits for: `ready`, `waits`, `locked`, `no node`. */
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

export interface TaskView {
  row: TaskRow;
  task: Task;
  attempts: readonly Attempt[];
  /** Refs of the hub that hold this task's work. */
  refs: readonly string[];
  hub: string;
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

export interface RetryRequest {
  /** Take the spec file as it is now. */
  edited?: boolean;
}
