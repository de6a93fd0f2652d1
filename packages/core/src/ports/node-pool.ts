import type { WrapperFact } from "../event.ts";
import type { CommandResult } from "../finding.ts";
import type { AttemptId, NodeId, Oid, ProjectId } from "../ids.ts";
import { type AttemptJob, type AttemptLimits, type Generated, type GenerateJob, noLimits, type VerifyJob } from "../job.ts";
import type { Resources } from "../spec.ts";

export interface NodeSnapshot {
  id: NodeId;
  slots: number;
  /** How many gate runs may take place there at once; 0: only when there is no other node. */
  gateSlots: number;
  /** Gets work only when no other node has room. */
  lowPriority: boolean;
  labels: readonly string[];
  /** Executors that can run there; null: all that are configured. */
  executors: readonly string[] | null;
  /** What all its tasks together may take. */
  capacity: Resources;
  /** Runnable processes per core, averaged over a minute; null when the node has not said. */
  load: number | null;
  /** `since`: when it went down, in ms since the epoch; at the earliest when the pool was made. */
  status: { kind: "up" } | { kind: "down"; because: string; since: number };
  /** Why it takes no new tasks although it may be up; null when it does. */
  closed: NodeClosure | null;
  /** After how long out of reach its attempts are fenced, in ms; null: never. */
  lostAfterMs: number | null;
  /** What one attempt may take. */
  limits: AttemptLimits;
}

/** What holds for a node about which nothing else was said. */
export const plainNode: Pick<NodeSnapshot, "gateSlots" | "closed" | "lostAfterMs" | "limits"> = {
  gateSlots: 1,
  closed: null,
  lostAfterMs: null,
  limits: noLimits,
};

/** `pressure`: too little memory or disk is left there. `leaving`: it is not configured any more and is kept until it is empty. */
export interface NodeClosure {
  kind: "cordoned" | "draining" | "lost" | "pressure" | "leaving";
  because: string;
}

/** What a node says of an attempt, in the order of `seq`. */
export interface AttemptReport {
  node: NodeId;
  attempt: AttemptId;
  seq: number;
  reportedAt: number;
  fact: WrapperFact;
}

/** The refs that hold what an attempt left, in the node's repository. */
export interface Salvage {
  /** Tip of the attempt's branch; null when no worktree was ever made. */
  tip: Oid | null;
  /** Commit of everything that was not committed; null when the worktree was clean. */
  salvage: Oid | null;
}

/** The machines that run attempts. Every call may be repeated; it looks first what was done. */
export interface NodePool {
  /** The same object for a node until something of it changes. */
  nodes(): readonly NodeSnapshot[];
  /** Called for every report, again from the cursor after a reconnect. */
  onReport(listener: (report: AttemptReport) => void): void;
  /** Called when a node came up, went down, or spoke. */
  onChange(listener: () => void): void;
  startAttempt(node: NodeId, job: AttemptJob): Promise<void>;
  /** Ends everything the attempt started. Its `attempt-ended` follows as a report. */
  stopAttempt(node: NodeId, attempt: AttemptId, because: string): Promise<void>;
  /**
   * Leaves a notice (Markdown) for an attempt where its agent finds it, under its number; the same number twice is one notice.
   * An attempt that the node does not know yet finds it when it starts.
   */
  tellAttempt(node: NodeId, attempt: AttemptId, n: number, text: string): Promise<void>;
  salvageAttempt(node: NodeId, attempt: AttemptId): Promise<Salvage>;
  /** Removes worktree and branch; refuses with SALVAGE_CHANGED when something new lies there. */
  discardAttempt(node: NodeId, attempt: AttemptId, held: Salvage): Promise<void>;
  /** Rejects with NODE_FAILED when it was cancelled. */
  runVerify(node: NodeId, job: VerifyJob): Promise<readonly CommandResult[]>;
  /** Makes generated files again. What it gives lies in the node's repository until the next such job in the same bay. */
  makeGenerated(node: NodeId, job: GenerateJob): Promise<Generated>;
  /** Ends a verify run under that id; none: nothing happens. */
  cancelVerify(node: NodeId, id: string): Promise<void>;
  /** Makes sure that the node has a bare repository for the project; returns where git reaches it. */
  prepareRepository(node: NodeId, project: ProjectId): Promise<string>;
  /** Ids of the attempts a node knows, ended ones included. */
  inventory(node: NodeId): Promise<readonly AttemptId[]>;
  /** Asks the node for all reports after the cursors again. */
  resync(node: NodeId): void;
}
