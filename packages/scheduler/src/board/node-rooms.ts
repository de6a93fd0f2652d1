import type { NodeId, NodeSnapshot } from "@dispatch/core";
import { type Demand, fitsOn, isBetterNode, isOpen, type NodeMerit, type Usage, whyNeverOn } from "../fit-node.ts";
import type { Signature } from "./waiting-line.ts";

interface Room {
  node: NodeSnapshot;
  used: Usage;
}

/** What is free on each node, kept as slots are taken and given back. */
export interface NodeRooms {
  nodes: readonly NodeSnapshot[];
  /** In the order of `nodes`. */
  rooms: readonly Room[];
  byNode: ReadonlyMap<NodeId, Room>;
  /** Also of nodes that are not configured any more. */
  usage: Map<NodeId, Usage>;
  /** Slots that are free on nodes that take tasks. */
  free: number;
  /** Changes with everything that may change whether a task fits. */
  version: number;
  nodesVersion: number;
}

export function createNodeRooms(): NodeRooms {
  return { nodes: [], rooms: [], byNode: new Map(), usage: new Map(), free: 0, version: 0, nodesVersion: 0 };
}

export function setRooms(rooms: NodeRooms, nodes: readonly NodeSnapshot[]): void {
  if (nodes.length === rooms.nodes.length && nodes.every((node, i) => node === rooms.nodes[i])) return;
  rooms.nodes = nodes;
  rooms.rooms = nodes.map((node) => ({ node, used: usageOf(rooms, node.id) }));
  rooms.byNode = new Map(rooms.rooms.map((room) => [room.node.id, room]));
  rooms.free = rooms.rooms.reduce((sum, room) => sum + freeIn(room), 0);
  rooms.version++;
  rooms.nodesVersion++;
}

function freeIn({ node, used }: Room): number {
  return isOpen(node) ? Math.max(0, node.slots - used.slots) : 0;
}

export function usageOf(rooms: NodeRooms, node: NodeId): Usage {
  let used = rooms.usage.get(node);
  if (used === undefined) {
    used = { slots: 0, millicpus: 0, memoryMb: 0, gpus: 0 };
    rooms.usage.set(node, used);
  }
  return used;
}

/** `sign` 1 takes a slot with what the task asks of its node, -1 gives it back. */
export function useRoom(rooms: NodeRooms, node: NodeId, { millicpus, memoryMb, gpus }: Demand, sign: 1 | -1): void {
  const used = usageOf(rooms, node);
  const room = rooms.byNode.get(node);
  if (room !== undefined) rooms.free -= freeIn(room);
  used.slots += sign;
  used.millicpus += sign * millicpus;
  used.memoryMb += sign * memoryMb;
  used.gpus += sign * gpus;
  if (room !== undefined) rooms.free += freeIn(room);
  rooms.version++;
}

/** Whether some node could take a task of this signature now. */
export function fitsNow(rooms: NodeRooms, signature: Signature): boolean {
  if (signature.fitsAt === rooms.version) return signature.fits;
  signature.fitsAt = rooms.version;
  signature.fits = false;
  if (rooms.free === 0) return false;
  for (const { node, used } of rooms.rooms) {
    if (!fitsOn(node, used, signature.demand)) continue;
    signature.fits = true;
    break;
  }
  return signature.fits;
}

/** Whether some node that takes tasks now could take it if nothing else ran there. A closed one opens when somebody acts, so nothing waits for it. */
export function couldFit(rooms: NodeRooms, signature: Signature): boolean {
  if (signature.couldFitAt === rooms.nodesVersion) return signature.couldFit;
  signature.couldFitAt = rooms.nodesVersion;
  signature.couldFit = rooms.nodes.some((node) => isOpen(node) && whyNeverOn(node, signature.demand) === undefined);
  return signature.couldFit;
}

/** The best node that fits. `last`: where the task ran last; `known`: attempts of its project by node. */
export function chooseNode(rooms: NodeRooms, demand: Demand, last: NodeId | undefined, known: ReadonlyMap<NodeId, number>): NodeSnapshot | undefined {
  let best: NodeMerit | undefined;
  for (const { node, used } of rooms.rooms) {
    if (!fitsOn(node, used, demand)) continue;
    const merit = { node, usedSlots: used.slots, ranLast: node.id === last, knowsProject: (known.get(node.id) ?? 0) > 0 };
    if (best === undefined || isBetterNode(merit, best)) best = merit;
  }
  return best?.node;
}
