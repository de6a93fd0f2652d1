import { coversPath, patternProblem } from "@dispatch/core";
import type { FileIndex } from "../facts/index-files.ts";
import { type SpecGraph, type SpecNode, specKey } from "../facts/spec-graph.ts";
import type { LintFacts, ProjectFacts, ReadableFile } from "./lint-facts.ts";

/** A project with its files indexed, once for all of its specs. */
export interface KnownProject extends ProjectFacts {
  index: FileIndex | null;
}

/** One spec with what is known around it: what the rules that look further than the file get. */
export interface LintCase {
  file: ReadableFile;
  key: string;
  /** undefined when the project is not registered. */
  project: KnownProject | undefined;
  graph: SpecGraph;
  node: SpecNode | undefined;
  /** Specs that are merged before this one starts. */
  ancestors: () => readonly SpecNode[];
  /** Whether it waits for a file that cannot be read, so that what it builds on is not known. */
  uncertain: boolean;
  facts: LintFacts;
}

export function caseOf(
  file: ReadableFile,
  around: { facts: LintFacts; graph: SpecGraph; project: KnownProject | undefined; unreadable: ReadonlySet<string> },
): LintCase {
  const { spec } = file.parsed;
  const key = specKey(spec.project, spec.id);
  let found: readonly SpecNode[] | undefined;
  const ancestors = () => {
    found ??= around.graph.ancestorsOf(key);
    return found;
  };
  const uncertain = [...spec.dependsOn, ...spec.after].some((id) => around.unreadable.has(id));
  return { file, key, project: around.project, graph: around.graph, node: around.graph.nodes.get(key), ancestors, uncertain, facts: around.facts };
}

/** Whether the spec is merged: then it is history, and only its form is judged. */
export function isHistory({ node }: LintCase): boolean {
  return node?.known?.state === "merged";
}

export function createsPath(node: Pick<SpecNode, "creates">, path: string): boolean {
  return node.creates.some((entry) => patternProblem(entry) === undefined && (coversPath(entry, path) || coversPath(path, entry.replace(/\/$/, ""))));
}
