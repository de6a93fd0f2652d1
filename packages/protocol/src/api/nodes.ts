import type { Attempt, AttemptId, NodeId, NodeSnapshot, TaskId } from "@dispatch/core";
import type { Heartbeat } from "../worker/contract.ts";
import type { TroubleRow } from "./why.ts";

/** A node as a row of the status. */
export interface NodeRow extends NodeSnapshot {
  used: number;
  /** Fenced attempts that wait there to be retired. */
  fenced: number;
}

/** A machine and what it is doing. Times are in ms since the epoch. */
export interface NodeView extends Omit<NodeSnapshot, "status"> {
  state: NodeStanding;
  /** Who has it rest or become empty; null when nobody has. */
  resting: { drain: boolean; by: string; since: number } | null;
  /** How it is reached; null when it is not configured any more. */
  link: NodeLink | null;
  used: number;
  sessions: readonly NodeSession[];
  fenced: readonly FencedAttempt[];
  /** Attempts that have ended there and whose work or worktree is still to be fetched or removed. */
  unfetched: readonly AttemptId[];
  /** What it said last of itself; null when it has not spoken since the daemon began. */
  pulse: Heartbeat | null;
  /** When it said so. */
  heardAt: number | null;
}

/** Whether a machine can be reached. A lost one is out of reach, or was until now. */
export type NodeStanding =
  | { kind: "connecting"; since: number; because: string }
  | { kind: "up" }
  | { kind: "down"; since: number; because: string }
  | { kind: "lost"; since: number; because: string };

export interface NodeLink {
  /** What carries it now; `existing`: a connection that the user keeps open. Null while it is down. */
  transport: "local" | "ssh2" | "openssh" | "existing" | null;
  /** Where it is reached; null for this machine. */
  target: string | null;
  /** The accepted host key, as configured. */
  hostKey: string | null;
  /** Folder of its files, as configured and, when it was up since the daemon began, as it was found there. */
  workDir: string;
  home: string | null;
  /** Of the Node.js that runs its host. */
  nodeVersion: string | null;
}

/** A session that holds a slot. */
export interface NodeSession {
  task: TaskId;
  attempt: AttemptId;
  since: number;
  state: Attempt["state"]["kind"];
  /** 0 before the first one. */
  round: number;
}

/** An attempt whose task went on without it; it waits for its node to be stopped and fetched. */
export interface FencedAttempt {
  task: TaskId;
  attempt: AttemptId;
  since: number;
  because: string;
}

export interface NodesView {
  at: number;
  nodes: readonly NodeView[];
  /** What is wrong with nodes.json as it is now: the nodes are those of the last one that was right. Null when nothing is. */
  problem: TroubleRow | null;
}

export interface CordonRequest {
  /** Because it is to become empty, not only to rest. */
  drain?: boolean;
}

/** What was given up with a machine. */
export interface AbandonView {
  node: NodeId;
  attempts: readonly AttemptId[];
}

/** A time at which a machine was lost, and what it cost a project. */
export interface NodeLossRow {
  node: NodeId;
  lostAt: number;
  because: string;
  /** Null while it is out of reach. */
  returnedAt: number | null;
  /** Attempts of the project that were fenced. */
  fenced: number;
}
