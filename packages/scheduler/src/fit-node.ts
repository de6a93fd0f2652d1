import { type NodeClosure, type NodeSnapshot, type Resources, revertExecutor, type TaskSpec } from "@dispatch/core";

/** What is taken of a node. Processor cores in thousandths, so that sums do not depend on their order. */
export interface Usage {
  slots: number;
  millicpus: number;
  memoryMb: number;
  gpus: number;
}

/** What a task asks of its node. */
export interface Demand {
  millicpus: number;
  memoryMb: number;
  gpus: number;
  nodes: readonly string[];
  labels: readonly string[];
  /** null: any. */
  executor: string | null;
}

/** Why a task does not fit a node; ordered from what never changes by itself to what the next ended session may change. */
export type NodeMiss =
  | { kind: "not-named" }
  | { kind: "label"; missing: readonly string[] }
  | { kind: "executor"; executor: string }
  | { kind: "too-small"; resource: keyof Resources; wanted: number; has: number }
  | { kind: "no-slots" }
  | { kind: "closed"; by: NodeClosure["kind"]; because: string }
  | { kind: "down"; because: string }
  | { kind: "resource-taken"; resource: keyof Resources; wanted: number; free: number }
  | { kind: "slots-taken"; slots: number };

export function demandOf(spec: TaskSpec, executor: string | null): Demand {
  const { cpus, memoryMb, gpus } = spec.resources;
  return {
    millicpus: millis(cpus),
    memoryMb,
    gpus,
    nodes: spec.nodes,
    labels: spec.nodeLabels,
    executor: executor === revertExecutor ? null : executor,
  };
}

export function millis(cpus: number): number {
  return Math.round(cpus * 1000);
}

const unused: Usage = { slots: 0, millicpus: 0, memoryMb: 0, gpus: 0 };

/** The first reason why a task cannot start on a node now, or undefined when it can. Demands of 0 are not counted. */
export function whyNotOn(node: NodeSnapshot, used: Usage, demand: Demand): NodeMiss | undefined {
  const never = whyNeverOn(node, demand);
  if (never !== undefined) return never;
  const shut = whyShut(node);
  if (shut !== undefined) return shut;
  const taken = shortOf(node, used, demand);
  if (taken !== undefined) return { kind: "resource-taken", resource: taken.resource, wanted: taken.wanted, free: taken.free };
  if (used.slots >= node.slots) return { kind: "slots-taken", slots: node.slots };
  return undefined;
}

/** Whether a node takes tasks at all now: it is up, and nobody closed it. */
export function isOpen(node: NodeSnapshot): boolean {
  return node.status.kind === "up" && node.closed === null;
}

/** Why a node takes no tasks at all now. That it is closed says more than that it is down: it would take none if it came up. */
export function whyShut({ status, closed }: NodeSnapshot): Extract<NodeMiss, { kind: "down" | "closed" }> | undefined {
  if (closed !== null) return { kind: "closed", by: closed.kind, because: closed.because };
  return status.kind === "down" ? { kind: "down", because: status.because } : undefined;
}

/** `whyNotOn` as yes or no, quick where a node is full. */
export function fitsOn(node: NodeSnapshot, used: Usage, demand: Demand): boolean {
  return used.slots < node.slots && isOpen(node) && whyNotOn(node, used, demand) === undefined;
}

/** Why a task could not start on a node even if it were up, open and empty. */
export function whyNeverOn(node: NodeSnapshot, demand: Demand): NodeMiss | undefined {
  if (demand.nodes.length > 0 && !demand.nodes.includes(node.id)) return { kind: "not-named" };
  if (demand.labels.length > 0 && !demand.labels.every((label) => node.labels.includes(label)))
    return { kind: "label", missing: demand.labels.filter((label) => !node.labels.includes(label)) };
  if (demand.executor !== null && node.executors !== null && !node.executors.includes(demand.executor))
    return { kind: "executor", executor: demand.executor };
  const small = shortOf(node, unused, demand);
  if (small !== undefined) return { kind: "too-small", resource: small.resource, wanted: small.wanted, has: small.free };
  return node.slots < 1 ? { kind: "no-slots" } : undefined;
}

function shortOf({ capacity }: NodeSnapshot, used: Usage, demand: Demand): { resource: keyof Resources; wanted: number; free: number } | undefined {
  const cpus = millis(capacity.cpus) - used.millicpus;
  if (demand.millicpus > 0 && demand.millicpus > cpus) return { resource: "cpus", wanted: demand.millicpus / 1000, free: cpus / 1000 };
  const memory = capacity.memoryMb - used.memoryMb;
  if (demand.memoryMb > 0 && demand.memoryMb > memory) return { resource: "memoryMb", wanted: demand.memoryMb, free: memory };
  const gpus = capacity.gpus - used.gpus;
  return demand.gpus > 0 && demand.gpus > gpus ? { resource: "gpus", wanted: demand.gpus, free: gpus } : undefined;
}

const missOrder: readonly NodeMiss["kind"][] = [
  "not-named",
  "label",
  "executor",
  "too-small",
  "no-slots",
  "closed",
  "down",
  "resource-taken",
  "slots-taken",
];

/** The node that comes closest to taking a task, and what it lacks: the miss that is furthest from never, then the node's id. */
export function nearestMiss(
  nodes: readonly NodeSnapshot[],
  demand: Demand,
  usedOn: (node: NodeSnapshot) => Usage,
): { node: string; miss: NodeMiss } | undefined {
  let best: { node: string; miss: NodeMiss; order: number } | undefined;
  for (const node of nodes) {
    const miss = whyNotOn(node, usedOn(node), demand);
    if (miss === undefined) continue;
    const order = missOrder.indexOf(miss.kind);
    if (best === undefined || order > best.order || (order === best.order && node.id < best.node)) best = { node: node.id, miss, order };
  }
  return best === undefined ? undefined : { node: best.node, miss: best.miss };
}

/** What a placement weighs about a node that fits. */
export interface NodeMerit {
  node: NodeSnapshot;
  usedSlots: number;
  /** The task's last attempt ran there, and was not lost there. */
  ranLast: boolean;
  /** Some attempt of the project was placed there. */
  knowsProject: boolean;
}

const overloadedAbove = 1.5;

/** Which of two nodes that fit is taken: not low-priority, not overloaded, the last one, one that knows the project, the emptier, by id. */
export function isBetterNode(a: NodeMerit, b: NodeMerit): boolean {
  if (a.node.lowPriority !== b.node.lowPriority) return b.node.lowPriority;
  const aOver = isOverloaded(a.node);
  if (aOver !== isOverloaded(b.node)) return !aOver;
  if (a.ranLast !== b.ranLast) return a.ranLast;
  if (a.knowsProject !== b.knowsProject) return a.knowsProject;
  const aFree = (a.node.slots - a.usedSlots) / a.node.slots;
  const bFree = (b.node.slots - b.usedSlots) / b.node.slots;
  if (aFree !== bFree) return aFree > bFree;
  return a.node.id < b.node.id;
}

function isOverloaded(node: NodeSnapshot): boolean {
  return node.load !== null && node.load > overloadedAbove;
}
