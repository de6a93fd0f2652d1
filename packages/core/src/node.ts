import type { FactoryEvent } from "./event.ts";
import type { NodeId } from "./ids.ts";
import { moved, type Step, stale } from "./step.ts";

/**
 * What was decided about a machine. Whether it can be reached now is asked of the pool, never stored;
 * that it was out of reach for too long, and its attempts were fenced for that, is a fact.
 */
export interface NodeRecord {
  id: NodeId;
  placing: { kind: "open" } | { kind: "cordoned"; by: string; at: number } | { kind: "draining"; by: string; at: number };
  reach: { kind: "kept" } | { kind: "lost"; because: string; at: number };
}

export type NodeEvent = Extract<FactoryEvent, { type: `node-${string}` }>;

/** A machine of which nothing was decided yet. */
export function newNode(id: NodeId): NodeRecord {
  return { id, placing: { kind: "open" }, reach: { kind: "kept" } };
}

/** The record after an event about it; `at` in ms since the epoch. */
export function transitionNode(node: NodeRecord, event: NodeEvent, at: number): Step<NodeRecord> {
  switch (event.type) {
    case "node-cordoned": {
      const kind = event.drain ? "draining" : "cordoned";
      if (node.placing.kind === kind) return stale(`node is ${kind}`);
      return moved({ ...node, placing: { kind, by: event.by, at } });
    }
    case "node-uncordoned":
      if (node.placing.kind === "open") return stale("node takes tasks");
      return moved({ ...node, placing: { kind: "open" } });
    case "node-lost":
      if (node.reach.kind === "lost") return stale("node is lost");
      return moved({ ...node, reach: { kind: "lost", because: event.because, at } });
    case "node-returned":
      if (node.reach.kind === "kept") return stale("node was not lost");
      return moved({ ...node, reach: { kind: "kept" } });
  }
}
