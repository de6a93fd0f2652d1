import { isDeepStrictEqual } from "node:util";
import type { NodeClosure, NodeSnapshot } from "@dispatch/core";
import type { Heartbeat } from "@dispatch/protocol";
import type { Pressure } from "./judge-pressure.ts";
import type { NodeConfig } from "./node-config.ts";
import type { Prepared } from "./reach.ts";

/** A machine that was never reached may have anything: while it is down it gets no work, but no task is too large for it either. */
export const unknownMachine = { cpus: 4096, memoryMb: 2 ** 30 };

export interface SnapshotFacts {
  config: NodeConfig;
  status: NodeSnapshot["status"];
  heartbeat: Heartbeat | undefined;
  prepared: Prepared | undefined;
  pressure: Pressure;
  leaving: boolean;
}

/** How a node stands; the one before when nothing changed since. Pure. */
export function composeSnapshot(facts: SnapshotFacts, before: NodeSnapshot | undefined): NodeSnapshot {
  const { config, status, heartbeat, prepared } = facts;
  const { id, slots, gateSlots, lowPriority, labels, executors } = config;
  const capacity = {
    cpus: config.capacity.cpus ?? prepared?.machine.cpus ?? unknownMachine.cpus,
    memoryMb: config.capacity.memoryMb ?? prepared?.machine.memoryMb ?? unknownMachine.memoryMb,
    gpus: config.capacity.gpus,
  };
  const snapshot: NodeSnapshot = {
    id,
    slots,
    gateSlots,
    lowPriority,
    labels,
    executors,
    capacity,
    load: heartbeat === undefined ? null : heartbeat.load1 / Math.max(1, capacity.cpus),
    status,
    closed: closureOf(facts),
    lostAfterMs: config.lostAfterMs,
    limits: config.limits,
  };
  return isDeepStrictEqual(snapshot, before) && before !== undefined ? before : snapshot;
}

function closureOf({ leaving, pressure }: SnapshotFacts): NodeClosure | null {
  if (leaving) return { kind: "leaving", because: "it is not in nodes.json any more; what it holds is brought in first" };
  return pressure.tight.length === 0 ? null : { kind: "pressure", because: pressure.because };
}
