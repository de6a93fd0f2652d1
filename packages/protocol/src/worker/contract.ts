import type {
  AttemptId,
  AttemptJob,
  CommandResult,
  ErrorCode,
  Generated,
  GenerateJob,
  ProjectId,
  Salvage,
  SessionIdentity,
  VerifyJob,
  WrapperFact,
} from "@dispatch/core";

/**
 * What the controller and the worker host of a node say to each other: one JSON value a line.
 * The bundle of the worker is chosen by its hash, so both sides always have the same version.
 */

/** An attempt as the node finds it in its files. */
export interface SeenAttempt {
  attempt: AttemptId;
  /** Whether its wrapper lives. */
  alive: boolean;
  /** Null while no wrapper has claimed the attempt. */
  identity: SessionIdentity | null;
  /** Sequence number of the last complete event; 0 when there is none. */
  lastSeq: number;
}

export type TailFile = "agent" | "verify" | "pane";

export interface TailAnswer {
  text: string;
  /** Byte offset to ask for next. */
  next: number;
  /** Round the text is from; 0 when no round has begun. */
  round: number;
}

/** Method names with what goes in and what comes back. */
export interface HostMethods {
  /** Must be first: names the attempts that are ours with the last event seen of each. */
  hello: { params: { cursors: Readonly<Record<AttemptId, number>> }; result: { bootId: string; attempts: readonly SeenAttempt[] } };
  /** These attempts as far as the node knows them, and all others that still have a worktree. */
  list: { params: { attempts: readonly AttemptId[] }; result: readonly SeenAttempt[] };
  ensureRepo: { params: { project: ProjectId }; result: { path: string } };
  start: { params: { job: AttemptJob }; result: { started: true } };
  /** `cursor`: last event we saw, so that the end comes after it even when the node has lost its files. */
  stop: { params: { attempt: AttemptId; because: string; cursor: number }; result: { stopped: true } };
  /** Leaves the notice under its number beside the attempt's worktree; done already: nothing happens. */
  tell: { params: { attempt: AttemptId; n: number; text: string }; result: { told: true } };
  salvage: { params: { attempt: AttemptId }; result: Salvage };
  discard: { params: { attempt: AttemptId; held: Salvage }; result: { discarded: true } };
  verify: { params: VerifyJob; result: readonly CommandResult[] };
  /** Runs the commands in a verify worktree and commits what they changed of their files. */
  generate: { params: GenerateJob; result: Generated };
  /** Ends the verify job of that name, whose call then fails; there is none: nothing happens. */
  cancelVerify: { params: { id: string }; result: { cancelled: true } };
  /** A negative `from` counts from the end. Without a round: the newest. */
  tail: { params: { attempt: AttemptId; file: TailFile; from: number; round?: number }; result: TailAnswer };
  /**
   * Removes what may go and measures the rest; may take minutes, of which nothing else on the node waits for more than a moment.
   * `freedBytes`: what was removed, as it was measured before.
   */
  tidy: { params: TidyOrder; result: { freedBytes: number; usage: NodeUsage } };
}

export type HostMethod = keyof HostMethods;

export type HostRequest = { [M in HostMethod]: { id: number; method: M; params: HostMethods[M]["params"] } }[HostMethod];

/** A failure as it travels; the other side makes a FactoryError of it. */
export interface WireError {
  code: ErrorCode;
  message: string;
  fault: "user" | "ours" | "dependency";
  retry: "never" | "later";
  hint: string | null;
}

export type HostResponse = { id: number; result: unknown } | { id: number | null; error: WireError };

/** A graphics card as nvidia-smi shows it. */
export interface GpuPulse {
  name: string;
  totalMemoryMb: number;
  freeMemoryMb: number;
  busyPercent: number;
}

/** An agent CLI that lies on the node's PATH. */
export interface AgentProgram {
  name: string;
  /** As it says itself; null when it did not. */
  version: string | null;
  /** Whether its login is there, as far as can be told without using it. */
  login: "yes" | "no" | "unknown";
}

/** What the node's folder takes on its disk. */
export interface NodeUsage {
  /** When it was measured, in ms since the epoch. */
  at: number;
  bytes: number;
  /** Repository, worktrees and records of each project. */
  projects: Readonly<Record<ProjectId, number>>;
}

export interface Heartbeat {
  load1: number;
  cpus: number;
  freeMemoryBytes: number;
  totalMemoryBytes: number;
  /** Of the file system with the node's folder. */
  freeDiskBytes: number;
  totalDiskBytes: number;
  /** Null where the file system has no such limit. */
  freeInodes: number | null;
  /** Wrappers that live. */
  sessions: number;
  gpus: readonly GpuPulse[];
  agents: readonly AgentProgram[];
  /** Null until it was measured for the first time. */
  usage: NodeUsage | null;
  limits: LimitWay;
  /** Why work on the node's folder fails now, as the system says it; null while it does not. */
  trouble: string | null;
}

/**
 * How the node can hold attempts to their limits. `cgroup`: in a control group that the host may make. `systemd`: the same, below
 * a scope that the user's service manager gives. `rlimit`: memory alone, for each process by itself. `none`: only output is limited.
 */
export type LimitWay = "cgroup" | "systemd" | "rlimit" | "none";

/** What may go from a node, and what must not grow beyond. Work that is not in the hub is never touched. */
export interface TidyOrder {
  /** Attempts whose work is in the hub and whose worktree is gone: their records may go. */
  over: readonly AttemptId[];
  /** Records younger than this stay, in ms, while there is room. */
  keepMs: number;
  /** Projects that are still worked on; the repository of another one may go when nothing in it is needed. */
  projects: readonly ProjectId[];
  /** Bytes for the node's folder, and for each project; null: no quota. */
  quotaBytes: number | null;
  projectQuotaBytes: number | null;
}

export type HostNotification =
  | { notify: "report"; attempt: AttemptId; seq: number; at: number; fact: WrapperFact }
  | ({ notify: "heartbeat" } & Heartbeat);

export type HostMessage = HostResponse | HostNotification;
