import type { NodeId, NodeSnapshot, ProjectId, TaskId, TaskSpec } from "@dispatch/core";
import type { SchedulingPolicy } from "@dispatch/scheduler";

/** A whole simulated world before it begins: everything that a seed decides but the luck of single calls and agents. */
export interface Plan {
  seed: number;
  projects: readonly PlannedProject[];
  nodes: readonly PlannedNode[];
  tasks: readonly PlannedTask[];
  happenings: readonly Happening[];
  rates: Rates;
  agents: Readonly<Record<AgentKind, number>>;
  /** Longest time between two facts of an attempt. */
  paceMs: number;
  /** From here on nothing fails any more, agents succeed, and the lead tidies up: everything has to end. ms. */
  calmAt: number;
}

export interface PlannedProject extends SchedulingPolicy {
  id: ProjectId;
}

export interface PlannedNode extends Omit<NodeSnapshot, "status" | "load" | "closed" | "limits"> {
  /** Says NOT_FOUND when it is to stop what it does not know, where others write an end. */
  forgetful: boolean;
  /** Sends reports of attempts that nobody asked for, too. */
  talkative: boolean;
}

export interface PlannedTask {
  id: TaskId;
  spec: TaskSpec;
  fedAt: number;
}

/** Shares of calls and reports with which something goes wrong. */
export interface Rates {
  /** The call fails and did nothing. */
  refused: number;
  /** The call was done and its answer never came. */
  unanswered: number;
  /** The call never arrives, and fails when patience ends. */
  lost: number;
  /** The start of a session fails for good. */
  hopeless: number;
  dropped: number;
  doubled: number;
  reordered: number;
}

/** What a node may be asked for when it dies. */
export const nodeCalls = ["start", "stop", "salvage", "discard", "verify", "inventory"] as const;
export type NodeCall = (typeof nodeCalls)[number];

/** How an attempt goes. */
export type AgentKind =
  | "good"
  /** Claims success; the tests are red on what it made. */
  | "red"
  /** Claims success; it wrote outside its paths. */
  | "outside"
  /** Claims success; it left a mark that the gates refuse. */
  | "marker"
  /** Claims success; it changed nothing. */
  | "empty"
  /** Green alone, red together with another one of its kind. */
  | "brittle"
  | "exhausted"
  | "unusable"
  /** Does nothing until its time limit. */
  | "hangs"
  /** Does nothing until somebody stops it. */
  | "stuck"
  /** The session vanishes in the middle. */
  | "crashes";

/** What is done to the world from outside, and when (ms from the start). */
export type Happening = { at: number } & (Fault | LeadAct);

export type Fault =
  | { do: "link-falls"; node: NodeId; forMs: number }
  | { do: "node-dies"; node: NodeId; forMs: number; files: "kept" | "lost" }
  /** It dies soon after it did what it was asked for the nth time, and before it could answer. */
  | { do: "dies-after"; node: NodeId; what: NodeCall; nth: number; lagMs: number; forMs: number; files: "kept" | "lost" }
  /** Its files are not there for a while, and the sessions that wrote them live on: as when a folder is mounted away. */
  | { do: "node-forgets"; node: NodeId; forMs: number }
  /** No link to it can be had for about as long as its deadline; its sessions go on, or vanish meanwhile. */
  | { do: "goes-away"; node: NodeId; forMs: number; sessions: "kept" | "lost" }
  /** Nobody configures it any more; kept while it holds attempts, unless the daemon is ended in between. */
  | { do: "node-leaves"; node: NodeId; forMs: number; restart: boolean }
  | { do: "disk-fills"; node: NodeId; forMs: number }
  | { do: "hub-disk-fills"; forMs: number }
  | { do: "ledger-fills"; forMs: number }
  | { do: "crash"; forMs: number }
  /** The daemon is ended in order and started again. */
  | { do: "restart"; forMs: number }
  | { do: "crash-at"; point: string; nth: number; forMs: number }
  /** Somebody pushes to origin. */
  | { do: "origin-gets"; project: ProjectId; path: string; red: boolean }
  /** Somebody moves main in the hub by hand. */
  | { do: "main-moves"; project: ProjectId; path: string }
  /** The tests are red on everything for a while. */
  | { do: "tests-break"; project: ProjectId; forMs: number };

export type LeadAct =
  | { do: "revise"; task: TaskId; change: Partial<TaskSpec> }
  | { do: "retry"; task: TaskId }
  | { do: "retry-edited"; task: TaskId; change: Partial<TaskSpec> }
  | { do: "cancel"; task: TaskId }
  | { do: "pause"; project: ProjectId }
  | { do: "resume"; project: ProjectId }
  | { do: "collect"; project: ProjectId }
  | { do: "cordon"; node: NodeId; drain: boolean }
  | { do: "uncordon"; node: NodeId }
  /** Gives a node up that is out of reach. */
  | { do: "abandon"; node: NodeId }
  | { do: "stop-all" };

export function nodeFits(node: Omit<PlannedNode, "forgetful" | "talkative">, spec: TaskSpec): boolean {
  if (spec.nodes.length > 0 && !spec.nodes.includes(node.id)) return false;
  if (!spec.nodeLabels.every((label) => node.labels.includes(label))) return false;
  if (node.executors !== null && !node.executors.includes(executorName(spec))) return false;
  const { resources } = spec;
  return resources.cpus <= node.capacity.cpus && resources.memoryMb <= node.capacity.memoryMb && resources.gpus <= node.capacity.gpus;
}

export function executorName(spec: TaskSpec): string {
  return spec.executor === "auto" ? "plain" : spec.executor;
}
