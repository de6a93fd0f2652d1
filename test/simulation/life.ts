import type { AttemptReport, NodeId, NodeSnapshot } from "@dispatch/core";
import type { Engine } from "@dispatch/engine";
import type { Machine } from "./machine.ts";
import type { Appointment } from "./timeline.ts";

/** One run of the controller's process. Dead, nothing of it has any effect, and nobody answers it. */
export interface Life {
  n: number;
  alive: boolean;
  /** The engine was started; before that it only listens. */
  started: boolean;
  startedAt: number;
  /** It was told to end. */
  closing: boolean;
  engine: Engine | undefined;
  links: Map<NodeId, Link>;
  timers: Set<Appointment>;
  /** Calls that are under way and that no other may run beside, by what they are about. */
  lanes: Map<string, string>;
  onReport: (report: AttemptReport) => void;
  onChange: () => void;
}

/** The connection of one life to one node. */
export interface Link {
  life: Life;
  machine: Machine;
  up: boolean;
  because: string;
  downSince: number;
  upSince: number;
  /** Its node is not configured any more, and goes with the last attempt on it. */
  leaving: boolean;
  waiting: Set<WaitingCall>;
  /** Counts connections: what was sent over an older one does not arrive any more. */
  epoch: number;
  /** When the newest report arrives that keeps its place in the line. */
  lastDue: number;
  resyncing: boolean;
  onFall: () => void;
  /** The newest description of the node that was given out. */
  shown: NodeSnapshot | undefined;
}

export interface WaitingCall {
  fail(error: Error): void;
}
