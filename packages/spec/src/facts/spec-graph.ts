import { alg, Graph } from "@dagrejs/graphlib";
import type { KnownTask, LintFacts, ReadableFile } from "../lint/lint-facts.ts";
import { orderSpecs, type SpecOrder } from "./order-specs.ts";

/** One spec, in the set or in the ledger, among the specs of its project. */
export interface SpecNode {
  key: string;
  project: string;
  specId: string;
  dependsOn: readonly string[];
  after: readonly string[];
  creates: readonly string[];
  deletes: readonly string[];
  /** null when the ledger's task is not known that well. */
  modifies: readonly string[] | null;
  goal: string;
  /** null for a spec that is only in the ledger. */
  file: ReadableFile | null;
  /** null for a spec that is not in the ledger. */
  known: KnownTask | null;
}

export interface SpecGraph {
  nodes: ReadonlyMap<string, SpecNode>;
  /** Nodes that a node waits for to be merged, directly or through others; without itself. */
  ancestorsOf(key: string): readonly SpecNode[];
  /** Keys of a shortest cycle through the node, first and last the same; undefined when there is none. */
  cycleThrough(key: string): readonly string[] | undefined;
  order: SpecOrder;
}

export function specKey(project: string, specId: string): string {
  return `${project}/${specId}`;
}

/** Joins the specs of the set with the tasks of the ledger; a file wins over the task of the same id. */
export function buildSpecGraph(files: readonly ReadableFile[], facts: LintFacts): SpecGraph {
  const nodes = new Map<string, SpecNode>();
  for (const { id: project, tasks } of facts.projects) {
    for (const known of tasks) {
      const key = specKey(project, known.specId);
      nodes.set(key, { ...known, modifies: known.modifies ?? null, goal: known.goal ?? "", key, project, file: null, known });
    }
  }
  for (const file of files) {
    const { project, id, dependsOn, after, creates, deletes, modifies, goal } = file.parsed.spec;
    const key = specKey(project, id);
    const before = nodes.get(key);
    if (before?.file === null || before === undefined)
      nodes.set(key, { key, project, specId: id, dependsOn, after, creates, deletes, modifies, goal, file, known: before?.known ?? null });
  }
  const edges = new Map([...nodes].map(([key, node]) => [key, edgesOf(node, nodes)]));
  const order = orderSpecs(edges);
  const graph = knottedGraph(edges, order);
  const waits = new Map([...nodes].map(([key, node]) => [key, node.dependsOn.map((target) => specKey(node.project, target))]));
  const knots = new Map<string, ReadonlySet<string>>();
  for (const knot of alg.findCycles(graph)) {
    const members = new Set(knot);
    for (const key of knot) knots.set(key, members);
  }
  return {
    nodes,
    ancestorsOf: (key) => ancestors(nodes, waits, key),
    cycleThrough: (key) => shortestCycle(graph, knots.get(key), key),
    order,
  };
}

/** Keys of all nodes that a node waits for itself. */
function edgesOf(node: SpecNode, nodes: ReadonlyMap<string, SpecNode>): string[] {
  const keys = [...node.dependsOn, ...node.after].map((target) => specKey(node.project, target));
  return [...new Set(keys)].filter((key) => key !== node.key && nodes.has(key));
}

/** Only what has no place in the order can be in a cycle, so that long chains never reach the recursive search. */
function knottedGraph(edges: ReadonlyMap<string, readonly string[]>, order: SpecOrder): Graph {
  const graph = new Graph({ directed: true });
  const knotted = [...edges].filter(([key]) => order.rankOf(key) === undefined);
  for (const [key] of knotted) graph.setNode(key);
  for (const [key, targets] of knotted) for (const target of targets) if (order.rankOf(target) === undefined) graph.setEdge(key, target);
  return graph;
}

function ancestors(nodes: ReadonlyMap<string, SpecNode>, waits: ReadonlyMap<string, readonly string[]>, from: string): SpecNode[] {
  const seen = new Set([from]);
  const found: SpecNode[] = [];
  const open = [from];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    for (const next of waits.get(key) ?? []) {
      const node = nodes.get(next);
      if (node === undefined || seen.has(next)) continue;
      seen.add(next);
      found.push(node);
      open.push(next);
    }
  }
  return found;
}

function shortestCycle(graph: Graph, knot: ReadonlySet<string> | undefined, start: string): string[] | undefined {
  if (knot === undefined) return undefined;
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (const key of open) {
    for (const next of graph.successors(key) ?? []) {
      if (next === start) return [...pathTo(cameFrom, key, start), start];
      if (!knot.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, key);
      open.push(next);
    }
  }
  return undefined;
}

function pathTo(cameFrom: ReadonlyMap<string, string>, end: string, start: string): string[] {
  const path = [end];
  for (let key = end; key !== start; ) {
    key = cameFrom.get(key) ?? start;
    path.unshift(key);
  }
  return path;
}
