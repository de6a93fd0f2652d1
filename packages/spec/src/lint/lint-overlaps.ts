import { coversPath, isGlob, patternProblem } from "@dispatch/core";
import { createPathTree } from "../facts/path-tree.ts";
import type { SpecGraph, SpecNode } from "../facts/spec-graph.ts";
import type { Problem } from "../problem.ts";
import { type LintFacts, problemAt, type ReadableFile } from "./lint-facts.ts";

/** Earlier holders of one entry that a spec is compared with; more of them are found through those in between. */
const maxNear = 32;
const maxTold = 3;

/** MOD004 over all specs and open tasks: who locks the same paths without an order between them. The later one is told. */
export function lintOverlaps(graph: SpecGraph, facts: LintFacts): Problem[] {
  const projects = new Map<string, SpecNode[]>();
  for (const node of graph.nodes.values()) {
    if (node.modifies === null || node.known?.state === "merged" || node.known?.state === "cancelled") continue;
    if (graph.order.rankOf(node.key) === undefined) continue;
    const known = projects.get(node.project);
    if (known === undefined) projects.set(node.project, [node]);
    else known.push(node);
  }
  const commonOf = new Map(facts.projects.map(({ id, common }) => [id, common ?? []]));
  return [...projects].flatMap(([project, nodes]) => overlapsIn(nodes, graph, entriesBeside(commonOf.get(project) ?? [])));
}

type EntriesOf = (node: SpecNode) => string[];

function overlapsIn(nodes: SpecNode[], graph: SpecGraph, entriesOf: EntriesOf): Problem[] {
  const rank = (node: SpecNode) => graph.order.rankOf(node.key) ?? 0;
  const sorted = [...nodes].sort((left, right) => rank(left) - rank(right));
  const place = new Map(sorted.map((node, i) => [node, i]));
  const tree = createPathTree();
  const holders = new Map<string, SpecNode[]>();
  for (const node of sorted) {
    for (const entry of entriesOf(node)) {
      const known = holders.get(entry);
      if (known === undefined) holders.set(entry, [node]);
      else known.push(node);
      tree.add(entry);
    }
  }
  const neighbours = new Map([...holders.keys()].map((entry) => [entry, tree.overlapping(entry)]));
  return sorted.flatMap((node) => {
    const { file } = node;
    if (file === null) return [];
    const clashes = new Set<SpecNode>();
    for (const entry of entriesOf(node)) {
      for (const other of neighbours.get(entry) ?? []) {
        for (const holder of nearestBefore(holders.get(other) ?? [], place, place.get(node) ?? 0)) {
          if (!graph.order.isBefore(holder.key, node.key)) clashes.add(holder);
        }
      }
    }
    const nearest = [...clashes].sort((left, right) => (place.get(right) ?? 0) - (place.get(left) ?? 0));
    return nearest
      .slice(0, maxTold)
      .flatMap((other, i) => tell(file, node, other, { first: i === 0, more: i === 0 ? nearest.length - maxTold : 0 }, { neighbours, entriesOf }));
  });
}

/** The last few holders of an entry before a place. */
function nearestBefore(holders: readonly SpecNode[], place: ReadonlyMap<SpecNode, number>, at: number): readonly SpecNode[] {
  let low = 0;
  let high = holders.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const holder = holders[middle];
    if (holder !== undefined && (place.get(holder) ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return holders.slice(Math.max(0, low - maxNear), low);
}

/** What a spec locks: all that it changes but files that several may change at once. */
function entriesBeside(common: readonly string[]): EntriesOf {
  const isCommon = (entry: string): boolean => common.some((pattern) => pattern === entry || (!isGlob(entry) && coversPath(pattern, entry)));
  return ({ modifies, creates, deletes }) =>
    [...(modifies ?? []), ...creates, ...deletes].filter((entry) => patternProblem(entry) === undefined && !isCommon(entry));
}

function tell(
  file: ReadableFile,
  node: SpecNode,
  other: SpecNode,
  place: { first: boolean; more: number },
  { neighbours, entriesOf }: { neighbours: ReadonlyMap<string, readonly string[]>; entriesOf: EntriesOf },
): Problem[] {
  const theirs = new Set(entriesOf(other));
  const shared = entriesOf(node).filter((entry) => neighbours.get(entry)?.some((each) => theirs.has(each)));
  if (shared.every((entry) => isMade(entry, node, other))) return [];
  const mine = new Set(entriesOf(node));
  const sharedOfTheirs = [...theirs].filter((entry) => neighbours.get(entry)?.some((each) => mine.has(each)));
  const same = shared.length * 2 > mine.size && sharedOfTheirs.length * 2 > theirs.size;
  const merge = same && node.known === null && other.known === null;
  const names = shared.slice(0, 3).join(", ");
  const many = place.more > 0 ? ` (and ${place.more} more specs)` : "";
  const part = partOf(file, shared[0] ?? "");
  if (merge)
    return [
      problemAt(file, {
        id: "MOD004",
        code: "overlap-merge",
        part,
        message: `${node.specId} and ${other.specId}${many} change mostly the same files (${names}); merge them, or order them with after`,
      }),
    ];
  return [
    problemAt(file, {
      id: "MOD004",
      code: "overlap",
      severity: "warning",
      part,
      message: `${node.specId} and ${other.specId}${many} both change ${names} and may run together; add after: [${other.specId}]`,
      ...(place.first ? { repair: { do: "add", field: "after", value: other.specId } } : {}),
    }),
  ];
}

/** Whether one of the two creates what the other changes: then a dependency is missing, which MOD002 tells. */
function isMade(entry: string, node: SpecNode, other: SpecNode): boolean {
  const creates = (each: SpecNode) => each.creates.includes(entry);
  return creates(node) !== creates(other);
}

function partOf({ parsed: { spec } }: ReadableFile, entry: string): string {
  for (const field of ["modifies", "creates", "deletes"] as const) {
    const at = spec[field].indexOf(entry);
    if (at !== -1) return `${field}[${at}]`;
  }
  return "modifies";
}
