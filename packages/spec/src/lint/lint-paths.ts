import { coversAny, coversPath, isGlob, patternProblem, patternsOverlap, type TaskSpec } from "@dispatch/core";
import { type FileIndex, fixedPart } from "../facts/index-files.ts";
import type { SpecNode } from "../facts/spec-graph.ts";
import type { Problem, ProblemCode } from "../problem.ts";
import { suggestPath } from "../suggest-nearest.ts";
import { problemAt, type ReadableFile } from "./lint-facts.ts";

type OwnField = "modifies" | "creates" | "deletes";
const ownFields: readonly OwnField[] = ["modifies", "creates", "deletes"];

/** MOD001: a spec that locks nothing. */
export function lintLock(file: ReadableFile): Problem[] {
  const { spec, problems } = file.parsed;
  if (ownFields.some((field) => spec[field].length > 0) || spec.type === "research" || spec.type === "plan") return [];
  if (problems.some((problem) => problem.severity === "error" && ownFields.some((field) => problem.field?.startsWith(field)))) return [];
  return [
    problemAt(file, {
      id: "MOD001",
      code: "nothing-to-lock",
      part: "modifies",
      message: "nothing to lock; list the files this spec changes under modifies, new ones under creates",
    }),
  ];
}

/** What is known of a spec's project and of the spec among the others. */
export interface PathFacts {
  protectedPaths: readonly string[];
  /** null when the repository is not known. */
  index: FileIndex | null;
  node: SpecNode | undefined;
  /** Specs that are merged before this one starts. */
  ancestors: () => readonly SpecNode[];
  /** The spec that creates a path and could be waited for. */
  makerOf: (path: string) => SpecNode | undefined;
}

/** MOD002: paths that leave the repository, are protected, or are not as the field says. */
export function lintPaths(file: ReadableFile, facts: PathFacts | undefined): Problem[] {
  const { spec, document } = file.parsed;
  const problems: Problem[] = [];
  const ownSound: { field: OwnField; index: number; path: string }[] = [];
  for (const field of ownFields) {
    for (const [index, path] of spec[field].entries()) {
      const wrong =
        formProblem(path) ?? (field === "creates" && isGlob(path) ? "is a glob; name the new file, or a new folder to own all of it" : undefined);
      if (wrong === undefined) ownSound.push({ field, index, path });
      else problems.push(asForm(file, `${field}[${index}]`, path, wrong));
    }
  }
  for (const [field, paths] of [
    ["forbids", spec.forbids],
    ["reads", spec.reads],
    ["context", document.context],
  ] as const) {
    for (const [index, path] of paths.entries()) {
      const wrong = patternProblem(path);
      if (wrong !== undefined) problems.push(asForm(file, `${field}[${index}]`, path, wrong));
    }
  }
  if (facts === undefined) return problems;
  for (const { field, index, path } of ownSound) {
    const part = `${field}[${index}]`;
    const guard = isWaived(spec, path) ? undefined : protectedBy(path, facts);
    if (guard !== undefined)
      problems.push(
        problemAt(file, {
          id: "MOD002",
          code: "path-protected",
          part,
          message: `${part} "${path}" reaches ${guard}, which no spec may change without a waiver: waivers: [{gate: G06, paths: [${JSON.stringify(path)}], because: …}]`,
        }),
      );
    else if (facts.index !== null && facts.node?.known?.state !== "merged") {
      const wrong = existenceProblem(field, path, spec, facts.index, facts.ancestors);
      if (wrong === undefined) continue;
      const maker = wrong.code === "F04" ? undefined : facts.makerOf(path);
      if (maker === undefined) problems.push(problemAt(file, { id: "MOD002", ...wrong, part, message: `${part} "${path}" ${wrong.message}` }));
      else problems.push(asForeign(file, part, path, { code: wrong.code, maker: maker.specId }));
    }
  }
  return problems;
}

/** Who wrote the spec took it upon himself that exactly this is changed. */
function isWaived({ waivers }: TaskSpec, path: string): boolean {
  return waivers.some(({ gate, paths }) => gate === "G06" && (paths.includes(path) || (!isGlob(path) && coversAny(paths, path))));
}

function asForeign(file: ReadableFile, part: string, path: string, { code, maker }: { code: ProblemCode; maker: string }): Problem {
  const message = `${part} "${path}" is created by ${maker}; add ${maker} to depends_on`;
  return problemAt(file, { id: "MOD002", code, part, message, repair: { do: "add", field: "depends_on", value: maker } });
}

/** Git on a file system that ignores case would take `.GIT` for its own folder. */
function formProblem(path: string): string | undefined {
  return patternProblem(path) ?? (path.split("/").some((segment) => segment.toLowerCase() === ".git") ? "is inside a .git folder" : undefined);
}

function asForm(file: ReadableFile, part: string, path: string, wrong: string): Problem {
  const hint = path.startsWith("./") ? `; write ${path.replace(/^(\.\/)+/, "")}` : "";
  const bare = path.replace(/^(\.\/)+/, "");
  const repair = bare !== path && patternProblem(bare) === undefined ? ({ do: "set", field: part, value: bare, from: path } as const) : undefined;
  return problemAt(file, {
    id: "MOD002",
    code: "path-form",
    part,
    message: `${part} "${path}" ${wrong}${hint}`,
    ...(repair === undefined ? {} : { repair }),
  });
}

/** The protected pattern that an entry reaches: named by the entry, below its folder, or among the files it covers. */
function protectedBy(path: string, { protectedPaths, index }: PathFacts): string | undefined {
  const entry = path.replace(/\/$/, "");
  const fixed = fixedPart(entry);
  return protectedPaths.find((guard) => {
    if (!patternsOverlap(guard, entry)) return false;
    if (!isGlob(entry) && coversPath(guard, entry)) return true;
    const guarded = fixedPart(guard);
    if (guarded !== "" && (coversPath(guarded, fixed) || (!isGlob(entry) && coversPath(entry, guarded)))) return true;
    return index?.guarded.get(guard)?.some((file) => coversPath(entry, file)) ?? false;
  });
}

function existenceProblem(
  field: OwnField,
  path: string,
  spec: TaskSpec,
  index: FileIndex,
  ancestors: () => readonly SpecNode[],
): { code: "F03" | "F04" | "F05"; message: string } | undefined {
  const there = index.holds(path);
  if (there && field !== "creates") return undefined;
  const before = ancestors();
  const made = before.find((ancestor) => ancestor.creates.some((created) => patternProblem(created) === undefined && patternsOverlap(created, path)));
  if (field === "creates") {
    if (made !== undefined && made.known?.state !== "merged")
      return { code: "F04", message: `is created by ${made.specId}, which comes before this spec; use modifies` };
    const removed = before.some((ancestor) =>
      coversAny(
        ancestor.deletes.filter((entry) => patternProblem(entry) === undefined),
        path,
      ),
    );
    return there && !removed ? { code: "F04", message: "already exists; use modifies" } : undefined;
  }
  if (made !== undefined) return undefined;
  const near = isGlob(path) ? undefined : suggestPath(path.replace(/\/$/, ""), index.files);
  const nearest = near === undefined ? "" : `; nearest: ${near}`;
  if (field === "deletes") return { code: "F05", message: `does not exist${nearest}` };
  if (spec.creates.some((created) => patternProblem(created) === undefined && patternsOverlap(created, path))) return undefined;
  return {
    code: "F03",
    message: `matches nothing${nearest}. If it is new, move it to creates; if another spec creates it, add that spec to depends_on`,
  };
}
