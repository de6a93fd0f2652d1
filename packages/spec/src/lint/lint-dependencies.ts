import { type SpecGraph, type SpecNode, specKey } from "../facts/spec-graph.ts";
import type { Problem, ProblemCode } from "../problem.ts";
import { didYouMean } from "../suggest-nearest.ts";
import type { LintCase } from "./lint-case.ts";
import { problemAt, type ReadableFile } from "./lint-facts.ts";

type EdgeField = "depends_on" | "after";

/** DEP001: dependencies that can never be fulfilled. Files that cannot be read are known by their stem alone. */
export function lintDependencies({ file, graph, project }: LintCase, unreadable: ReadonlySet<string>): Problem[] {
  const { spec } = file.parsed;
  const around = { graph, unreadable, retired: project?.retired ?? [] };
  const edges: readonly (readonly [EdgeField, readonly string[]])[] = [
    ["depends_on", spec.dependsOn],
    ["after", spec.after],
  ];
  const problems = edges.flatMap(([field, ids]) => ids.flatMap((id, i) => lintEdge(file, around, { field, id, part: `${field}[${i}]` })));
  return [...problems, ...lintCycle(file, graph)];
}

function lintEdge(
  file: ReadableFile,
  around: { graph: SpecGraph; unreadable: ReadonlySet<string>; retired: readonly string[] },
  { field, id, part }: { field: EdgeField; id: string; part: string },
): Problem[] {
  const { graph, unreadable, retired } = around;
  const { spec } = file.parsed;
  const problem = (code: ProblemCode, message: string, severity: "error" | "warning" = "error") => [
    problemAt(file, { id: "DEP001", code, part, message, severity }),
  ];
  if (id === spec.id) return problem("dependency-self", `${part} names the spec itself; remove it`);
  if (retired.includes(id)) return problem("dependency-retired", `${part} ${id} is retired and will not be merged; remove the dependency`);
  const node = graph.nodes.get(specKey(spec.project, id));
  if (node === undefined) {
    if (unreadable.has(id)) return [];
    return problem(
      "dependency-unknown",
      `${part} ${id} is neither among the specs of ${spec.project || "the project"} nor a known task${elsewhere(graph, spec, id)}`,
    );
  }
  if (field === "after" || node.file !== null) return [];
  if (node.known?.state === "cancelled")
    return problem("dependency-cancelled", `${part} ${id} was cancelled and will not be merged; retry it, or remove the dependency`);
  if (node.known?.state === "parked")
    return problem("dependency-parked", `${part} ${id} is parked; this spec waits until the lead retries it`, "warning");
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
