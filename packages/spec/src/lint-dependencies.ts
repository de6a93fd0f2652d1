import { type ParsedFile, problemAt, type ReadableFile } from "./lint-facts.ts";
import { stemOf } from "./make-task-spec.ts";
import type { Problem } from "./problem.ts";
import { type SpecGraph, type SpecNode, specKey } from "./spec-graph.ts";
import { didYouMean } from "./suggest-nearest.ts";

type EdgeField = "depends_on" | "after";

/** DEP001: dependencies that can never be fulfilled. `unreadable` files are known by their stem alone. */
export function lintDependencies(file: ReadableFile, graph: SpecGraph, unreadable: readonly ParsedFile[]): Problem[] {
  const { spec } = file.parsed;
  const stems = new Set(unreadable.map((each) => stemOf(each.file)));
  const edges: readonly (readonly [EdgeField, readonly string[]])[] = [
    ["depends_on", spec.dependsOn],
    ["after", spec.after],
  ];
  const problems = edges.flatMap(([field, ids]) => ids.flatMap((id, i) => lintEdge(file, graph, stems, { field, id, part: `${field}[${i}]` })));
  return [...problems, ...lintCycle(file, graph)];
}

function lintEdge(
  file: ReadableFile,
  graph: SpecGraph,
  unreadable: ReadonlySet<string>,
  edge: { field: EdgeField; id: string; part: string },
): Problem[] {
  const { field, id, part } = edge;
  const { spec } = file.parsed;
  const problem = (code: "dependency-self" | "dependency-unknown" | "dependency-cancelled", message: string) => [
    problemAt(file, { id: "DEP001", code, part, message }),
  ];
  if (id === spec.id) return problem("dependency-self", `${part} names the spec itself; remove it`);
  const node = graph.nodes.get(specKey(spec.project, id));
  if (node === undefined) {
    if (unreadable.has(id)) return [];
    return problem(
      "dependency-unknown",
      `${part} ${id} is neither among the specs of ${spec.project || "the project"} nor a known task${elsewhere(graph, spec, id)}`,
    );
  }
  if (field === "depends_on" && node.file === null && node.known?.state === "cancelled")
    return problem("dependency-cancelled", `${part} ${id} was cancelled and will not be merged; retry it, or remove the dependency`);
  return [];
}

function elsewhere(graph: SpecGraph, of: { project: string; id: string }, id: string): string {
  const { project } = of;
  const nodes = [...graph.nodes.values()];
  const other = nodes.find((node) => node.specId === id && node.project !== project);
  if (other !== undefined) return `; ${id} belongs to project ${other.project}, and dependencies stay inside a project`;
  return didYouMean(
    id,
    nodes.filter((node) => node.project === project && node.specId !== of.id).map((node) => node.specId),
  );
}

/** Every member of a cycle is told, because none of them can ever start. */
function lintCycle(file: ReadableFile, graph: SpecGraph): Problem[] {
  const { spec } = file.parsed;
  const key = specKey(spec.project, spec.id);
  const node = graph.nodes.get(key);
  if (node?.file !== file) return [];
  const cycle = graph.cycleThrough(key);
  if (cycle === undefined) return [];
  const ids = cycle.map((each) => nameOf(graph.nodes.get(each), each));
  const next = ids[1] ?? spec.id;
  const inDepends = spec.dependsOn.indexOf(next);
  const part = inDepends >= 0 ? `depends_on[${inDepends}]` : `after[${spec.after.indexOf(next)}]`;
  return [problemAt(file, { id: "DEP001", code: "dependency-cycle", part, message: `cycle: ${ids.join(" -> ")}; remove one edge` })];
}

function nameOf(node: SpecNode | undefined, key: string): string {
  return node?.specId ?? key;
}
