import type { Problem } from "../problem.ts";
import type { LintCase } from "./lint-case.ts";
import { isReadable, type LintFacts, type ParsedFile, type ProjectFacts, problemAt, type ReadableFile } from "./lint-facts.ts";

/** COV001 over the whole set: every requirement of a direction has a spec. */
export function lintCoverage(set: readonly ParsedFile[], facts: LintFacts): Problem[] {
  const readable = set.filter(isReadable);
  return facts.projects.flatMap((project) =>
    (project.directions ?? []).flatMap((direction) => {
      const mine = readable.filter(({ parsed: { spec } }) => spec.project === project.id && spec.direction === direction.id);
      const served = new Set(mine.flatMap(({ parsed }) => parsed.document.requires));
      const file = direction.file ?? mine[0]?.file;
      if (file === undefined) return [];
      return direction.requirements
        .filter(({ id }) => !served.has(id))
        .map(
          ({ id, text, line }): Problem => ({
            file,
            line: direction.file === undefined ? 1 : (line ?? 1),
            column: 1,
            id: "COV001",
            severity: "error",
            code: "requirement-uncovered",
            message: `requirement ${id} "${text.length > 80 ? `${text.slice(0, 77)}...` : text}" has no spec`,
          }),
        );
    }),
  );
}

const unasked = new Set(["contract", "plan", "chore", "research", "stage"]);

/** What a spec says of its direction: requirements it serves (F26, COV001), questions (F27) and assumptions (F28). */
export function lintDirection({ file, project }: LintCase): Problem[] {
  return [...lintServed(file, project), ...lintQuestions(file, project), ...lintAssumptions(file, project)];
}

function directionOf({ parsed: { spec } }: ReadableFile, project: ProjectFacts | undefined) {
  return spec.direction === null ? undefined : project?.directions?.find(({ id }) => id === spec.direction);
}

function lintServed(file: ReadableFile, project: ProjectFacts | undefined): Problem[] {
  const { spec, document } = file.parsed;
  const direction = directionOf(file, project);
  if (direction === undefined || direction.requirements.length === 0) return [];
  const ids = direction.requirements.map(({ id }) => id);
  const has = ids.length > 4 ? `${ids[0]}..${ids.at(-1)}` : ids.join(", ");
  const unknown = document.requires.flatMap((id, i) =>
    ids.includes(id)
      ? []
      : [
          problemAt(file, {
            id: "COV001",
            code: "F26",
            part: `requires[${i}]`,
            message: `requirement ${id} is not in direction ${direction.id} (has ${has})`,
          }),
        ],
  );
  if (document.requires.length > 0 || unasked.has(spec.type)) return unknown;
  const message = `serves no requirement of direction ${direction.id}; name one of ${has}, or drop the spec`;
  return [problemAt(file, { id: "COV001", code: "requirement-unserved", severity: "warning", part: "requires", message })];
}

function lintQuestions(file: ReadableFile, project: ProjectFacts | undefined): Problem[] {
  const questions = directionOf(file, project)?.questions ?? null;
  if (questions === null) return [];
  return file.parsed.document.questions.flatMap((id, i) => {
    const known = questions.find((question) => question.id === id);
    if (known?.answered === true) return [];
    const message = known === undefined ? `question ${id} is not known` : `${id} is open; spec stays waiting`;
    return [problemAt(file, { id: "FM001", code: "F27", part: `questions[${i}]`, message })];
  });
}

function lintAssumptions(file: ReadableFile, project: ProjectFacts | undefined): Problem[] {
  const { document } = file.parsed;
  const questions = directionOf(file, project)?.questions ?? null;
  const answered = document.questions.some((id) => questions === null || questions.some((question) => question.id === id && question.answered));
  if (answered) return [];
  return document.assumptions.flatMap(({ reversible, text }, i) =>
    reversible
      ? []
      : [
          problemAt(file, {
            id: "FM001",
            code: "F28",
            part: `assumptions[${i}]`,
            message: `irreversible assumption "${text.length > 60 ? `${text.slice(0, 57)}...` : text}" without an answered question; ask it, and name the question under questions`,
          }),
        ],
  );
}
