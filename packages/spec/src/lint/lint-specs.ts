import { specIdPattern } from "@dispatch/core";
import { type Bringers, indexBringers } from "../facts/artefacts.ts";
import { indexFiles } from "../facts/index-files.ts";
import { buildSpecGraph, type SpecGraph, type SpecNode, specKey } from "../facts/spec-graph.ts";
import { stemOf } from "../parse/make-task-spec.ts";
import { type Problem, sortProblems } from "../problem.ts";
import { didYouMean } from "../suggest-nearest.ts";
import { lintAcceptance } from "./lint-acceptance.ts";
import { lintArtefacts } from "./lint-artefacts.ts";
import { caseOf, type KnownProject, type LintCase } from "./lint-case.ts";
import { lintCommands } from "./lint-commands.ts";
import { lintContract } from "./lint-contract.ts";
import { lintCoverage, lintDirection } from "./lint-coverage.ts";
import { lintDependencies } from "./lint-dependencies.ts";
import { isReadable, type LintFacts, type ParsedFile, problemAt, type ReadableFile } from "./lint-facts.ts";
import { lintGoal } from "./lint-goal.ts";
import { lintOverlaps } from "./lint-overlaps.ts";
import { lintLock, lintPaths } from "./lint-paths.ts";
import { lintPolicy } from "./lint-policy.ts";
import { lintScope } from "./lint-scope.ts";
import { lintBreadth, lintSize } from "./lint-size.ts";
import { lintVerify } from "./lint-verify.ts";
import { lintWords } from "./lint-words.ts";
import { scanSecrets } from "./scan-secrets.ts";

/**
 * All problems of a set of spec files, those found while parsing included, in the order of files and lines.
 * A file whose front matter cannot be read is judged no further.
 */
export function lintSpecs(set: readonly ParsedFile[], facts: LintFacts): Problem[] {
  const readable = set.filter(isReadable);
  const unreadable = new Set(set.filter((file) => !isReadable(file)).map((file) => stemOf(file.file)));
  const namesakes = new Map<string, ReadableFile[]>();
  for (const file of readable) {
    const key = specKey(file.parsed.spec.project, file.parsed.spec.id);
    const group = namesakes.get(key);
    if (group === undefined) namesakes.set(key, [file]);
    else group.push(file);
  }
  const graph = buildSpecGraph(readable, facts);
  const projects = new Map(facts.projects.map((project): [string, KnownProject] => [project.id, { ...project, index: indexFiles(project) }]));
  const bringers = bringersByProject(graph);
  const found = readable.flatMap((file) => {
    const { project: projectId, id } = file.parsed.spec;
    const given = caseOf(file, { facts, graph, project: projects.get(projectId), unreadable });
    return [
      ...lintRegistry(file, facts),
      ...lintIdentity(given, namesakes.get(specKey(projectId, id)) ?? [], readable),
      ...lintForm(given, bringers.get(projectId) ?? nobody),
      ...lintDependencies(given, unreadable),
      ...lintArtefacts(given, bringers.get(projectId) ?? nobody),
    ];
  });
  return sortProblems([...set.flatMap((file) => file.parsed.problems), ...found, ...lintOverlaps(graph, facts), ...lintCoverage(set, facts)]);
}

/** The rules that look at one spec and its project. */
function lintForm(given: LintCase, bringers: Bringers): Problem[] {
  const { file, project, graph, key } = given;
  const makerOf = (path: string) => bringers.ofPath(path).find((maker) => maker.key !== key && !graph.order.isBefore(key, maker.key));
  return [
    ...lintGoal(file),
    ...lintAcceptance(file),
    ...lintVerify(given),
    ...lintCommands(given),
    ...lintLock(file),
    ...lintPaths(file, project === undefined ? undefined : { ...project, node: given.node, ancestors: given.ancestors, makerOf }),
    ...lintBreadth(given),
    ...lintScope(given),
    ...lintSize(given),
    ...lintWords(file),
    ...lintContract(given),
    ...lintDirection(given),
    ...lintPolicy(given),
    ...scanSecrets(file),
  ];
}

const nobody: Bringers = { ofSymbol: () => undefined, ofEndpoint: () => undefined, ofPath: () => [] };

function bringersByProject(graph: SpecGraph): Map<string, Bringers> {
  const groups = new Map<string, SpecNode[]>();
  for (const node of graph.nodes.values()) {
    const group = groups.get(node.project);
    if (group === undefined) groups.set(node.project, [node]);
    else group.push(node);
  }
  return new Map([...groups].map(([project, nodes]) => [project, indexBringers(nodes)]));
}

/**
 * The files that may be fed: without errors, and every dependency is verified too or known to the ledger.
 * `problems` is what `lintSpecs` found in the same set.
 */
export function verifiedFiles(set: readonly ParsedFile[], facts: LintFacts, problems: readonly Problem[]): ReadableFile[] {
  const wrong = new Set(problems.filter((problem) => problem.severity === "error").map((problem) => problem.file));
  const known = new Set(facts.projects.flatMap((project) => project.tasks.map((task) => specKey(project.id, task.specId))));
  let verified = set.filter(isReadable).filter((file) => !wrong.has(file.file));
  for (let before = -1; before !== verified.length; ) {
    before = verified.length;
    const keys = new Set(verified.map((file) => specKey(file.parsed.spec.project, file.parsed.spec.id)));
    verified = verified.filter(({ parsed: { spec } }) =>
      [...spec.dependsOn, ...spec.after].map((id) => specKey(spec.project, id)).every((key) => keys.has(key) || known.has(key)),
    );
  }
  return verified;
}

/** FM001, where the answer is in the factory's configuration: unknown project, unknown executor. */
function lintRegistry(file: ReadableFile, facts: LintFacts): Problem[] {
  const { spec } = file.parsed;
  const problems: Problem[] = [];
  const names = facts.projects.map((project) => project.id);
  if (spec.project !== "" && !names.includes(spec.project)) {
    const near =
      didYouMean(spec.project, names) ||
      (names.length === 0 ? "; add it with dispatch project add" : `; registered: ${names.slice(0, 8).join(", ")}`);
    problems.push(problemAt(file, { id: "FM001", code: "F02", part: "project", message: `project "${spec.project}" is not registered${near}` }));
  }
  if (facts.executors !== null && spec.executor !== "auto" && !facts.executors.includes(spec.executor))
    problems.push(
      problemAt(file, {
        id: "FM001",
        code: "F14",
        part: "executor",
        message: `executor "${spec.executor}" not configured; known: ${["auto", ...facts.executors].join(", ")}`,
      }),
    );
  return problems;
}

function lintIdentity({ file, project }: LintCase, namesakes: readonly ReadableFile[], all: readonly ReadableFile[]): Problem[] {
  const { spec, document, problems } = file.parsed;
  const part = document.given.has("task_id") ? "task_id" : "id";
  if (problems.some((problem) => problem.code === "F01")) return [];
  const found: Problem[] = [];
  const stem = stemOf(file.file);
  if (stem !== spec.id) {
    const free =
      namesakes.length === 1 && specIdPattern.test(stem) && !all.some((other) => names(other, stem) || (other !== file && names(other, spec.id)));
    const message = `task_id ${spec.id} differs from file ${stem}.md; rename one`;
    const repair = { do: "set", field: part, value: stem } as const;
    found.push(problemAt(file, { id: "ID001", code: "id-differs-from-file", part, message, ...(free ? { repair } : {}) }));
  }
  const twins = namesakes.filter((other) => other !== file);
  if (twins.length > 0)
    found.push(
      problemAt(file, {
        id: "ID001",
        code: "id-duplicate",
        part,
        message: `task_id ${spec.id} is also in ${twins.map((twin) => twin.file).join(", ")}; an id is used once in a project`,
      }),
    );
  if (project?.retired?.includes(spec.id) === true)
    found.push(
      problemAt(file, {
        id: "ID001",
        code: "id-retired",
        part,
        message: `task_id ${spec.id} was used before and is retired; an id is never used again`,
      }),
    );
  return found;
}

/** Whether a spec has the id or waits for it. */
function names({ parsed: { spec } }: ReadableFile, id: string): boolean {
  return spec.id === id || spec.dependsOn.includes(id) || spec.after.includes(id);
}
