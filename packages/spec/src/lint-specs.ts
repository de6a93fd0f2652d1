import { indexFiles } from "./index-files.ts";
import { lintDependencies } from "./lint-dependencies.ts";
import { isReadable, type LintFacts, type ParsedFile, type ProjectFacts, problemAt, type ReadableFile } from "./lint-facts.ts";
import { lintGoal } from "./lint-goal.ts";
import { lintLock, lintPaths } from "./lint-paths.ts";
import { stemOf } from "./make-task-spec.ts";
import { type Problem, sortProblems } from "./problem.ts";
import { buildSpecGraph, specKey } from "./spec-graph.ts";
import { didYouMean } from "./suggest-nearest.ts";

const maxCriteria = 8;

/** All problems of a set of spec files, those found while parsing included, in the order of files and lines. */
export function lintSpecs(set: readonly ParsedFile[], facts: LintFacts): Problem[] {
  const readable = set.filter(isReadable);
  const unreadable = set.filter((file) => !isReadable(file));
  const namesakes = new Map<string, ReadableFile[]>();
  for (const file of readable) {
    const key = specKey(file.parsed.spec.project, file.parsed.spec.id);
    const group = namesakes.get(key);
    if (group === undefined) namesakes.set(key, [file]);
    else group.push(file);
  }
  const graph = buildSpecGraph(readable, facts);
  const projects = new Map(facts.projects.map((project) => [project.id, { ...project, index: indexFiles(project) }]));
  const found = readable.flatMap((file) => {
    const { project: projectId, id } = file.parsed.spec;
    const project = projects.get(projectId);
    const key = specKey(projectId, id);
    return [
      ...lintRegistry(file, facts),
      ...lintIdentity(file, namesakes.get(key) ?? []),
      ...lintGoal(file),
      ...lintAcceptance(file),
      ...lintVerify(file, project),
      ...lintLock(file),
      ...lintPaths(file, project === undefined ? undefined : { ...project, node: graph.nodes.get(key), ancestors: () => graph.ancestorsOf(key) }),
      ...lintDependencies(file, graph, unreadable),
    ];
  });
  return sortProblems([...set.flatMap((file) => file.parsed.problems), ...found]);
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

function lintIdentity(file: ReadableFile, namesakes: readonly ReadableFile[]): Problem[] {
  const { spec, document, problems } = file.parsed;
  const part = document.given.has("task_id") ? "task_id" : "id";
  if (problems.some((problem) => problem.code === "F01")) return [];
  const found: Problem[] = [];
  const stem = stemOf(file.file);
  if (stem !== spec.id)
    found.push(
      problemAt(file, { id: "ID001", code: "id-differs-from-file", part, message: `task_id ${spec.id} differs from file ${stem}.md; rename one` }),
    );
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
  return found;
}

function lintAcceptance(file: ReadableFile): Problem[] {
  const { document, problems } = file.parsed;
  const count = document.acceptance.length;
  if (count > maxCriteria)
    return [
      problemAt(file, {
        id: "AC001",
        code: "acceptance-many",
        severity: "warning",
        part: `acceptance[${maxCriteria}]`,
        message: `${count} acceptance criteria are more than ${maxCriteria}; split the spec`,
      }),
    ];
  if (count > 0 || problems.some((problem) => problem.id === "AC001" || problem.code === "F22")) return [];
  return [
    problemAt(file, {
      id: "AC001",
      code: "acceptance-absent",
      part: "body.acceptance",
      message: "no acceptance criteria; an agent cannot know when to stop. Add ## Acceptance with lines - [ ] claim: command -> expected",
    }),
  ];
}

function lintVerify(file: ReadableFile, project: ProjectFacts | undefined): Problem[] {
  const { spec, problems } = file.parsed;
  if (spec.verify.length > 0 || project === undefined || project.hasVerify || problems.some((problem) => problem.code === "F10")) return [];
  return [
    problemAt(file, {
      id: "VER001",
      code: "verify-absent",
      part: "verify",
      message: "no verify command; the wrapper would have nothing to run. Add e.g. verify: pytest tests/x.py, or give the project one",
    }),
  ];
}
