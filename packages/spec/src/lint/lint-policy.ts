import { patternProblem } from "@dispatch/core";
import type { Problem } from "../problem.ts";
import { didYouMean, suggestPath } from "../suggest-nearest.ts";
import { createsPath, isHistory, type LintCase } from "./lint-case.ts";
import { problemAt, type ReviewKind } from "./lint-facts.ts";

const maxContext = 64 * 1024;
const reviews: readonly ReviewKind[] = ["none", "sample", "model", "human"];

/** Fields that the project's policy or its repository decides: F16, F21, F29, F32, F33 and F35. */
export function lintPolicy(given: LintCase): Problem[] {
  if (isHistory(given)) return [];
  return [...lintSkills(given), ...lintContext(given), ...lintReview(given), ...lintBudget(given), ...lintNetwork(given), ...lintSource(given)];
}

function lintSkills({ file, project }: LintCase): Problem[] {
  const known = project?.policy?.skills;
  if (known === undefined) return [];
  return file.parsed.document.skills.flatMap((skill, i) =>
    known.includes(skill)
      ? []
      : [problemAt(file, { id: "FM001", code: "F16", part: `skills[${i}]`, message: `skill "${skill}" not found${didYouMean(skill, known)}` })],
  );
}

function lintContext(given: LintCase): Problem[] {
  const { file, project } = given;
  const { document, spec } = file.parsed;
  const problems = document.context.flatMap((path, i): Problem[] => {
    const index = project?.index ?? null;
    if (index === null || given.uncertain || patternProblem(path) !== undefined || index.holds(path) || createsPath(spec, path)) return [];
    if (given.ancestors().some((node) => createsPath(node, path))) return [];
    const near = suggestPath(path, index.files);
    const part = `context[${i}]`;
    return [
      problemAt(file, {
        id: "FM001",
        code: "F21",
        part,
        message: `${part} "${path}" does not exist${near === undefined ? "" : `; nearest: ${near}`}`,
      }),
    ];
  });
  const sizes = project?.sizes ?? null;
  const total = sizes === null ? 0 : document.context.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0);
  if (total <= maxContext) return problems;
  const message = `context files add up to ${Math.ceil(total / 1024)} kB (limit ${maxContext / 1024} kB); name sections or smaller files`;
  return [...problems, problemAt(file, { id: "FM001", code: "F21", part: "context", message })];
}

function lintReview({ file, project }: LintCase): Problem[] {
  const { spec, document } = file.parsed;
  const least = project?.policy?.review?.[spec.priority];
  if (document.review === null || least === undefined || reviews.indexOf(document.review) >= reviews.indexOf(least)) return [];
  const message = `review: ${document.review} is below the project policy for P${spec.priority} (${least})`;
  return [problemAt(file, { id: "FM001", code: "F29", part: "review", message })];
}

function lintBudget({ file, project }: LintCase): Problem[] {
  const cap = project?.policy?.budget;
  const { budget } = file.parsed.spec;
  return (["tokens", "usd", "turns"] as const).flatMap((what) => {
    const [asked, most] = [budget[what], cap?.[what] ?? null];
    if (asked === null || most === null || asked <= most) return [];
    return [
      problemAt(file, { id: "FM001", code: "F32", part: `budget.${what}`, message: `budget.${what} ${asked} exceeds the project cap ${most}` }),
    ];
  });
}

function lintNetwork({ file, project }: LintCase): Problem[] {
  const allowed = project?.policy?.network;
  const { network } = file.parsed.document;
  if (allowed === undefined || allowed === true || network === false) return [];
  if (network === true)
    return [
      problemAt(file, {
        id: "FM001",
        code: "F33",
        part: "network",
        message: `network: true is more than the project allows (${allowed === false ? "none" : allowed.join(", ") || "none"})`,
      }),
    ];
  const hosts = allowed === false ? [] : allowed;
  return network.flatMap((host, i) =>
    hosts.some((each) => host === each || (each.startsWith("*.") && host.endsWith(each.slice(1))))
      ? []
      : [problemAt(file, { id: "FM001", code: "F33", part: `network[${i}]`, message: `network host ${host} is not on the project allow list` })],
  );
}

function lintSource({ file, project }: LintCase): Problem[] {
  const { source } = file.parsed.document;
  const now = source === null ? undefined : project?.sources?.get(source.file);
  if (source?.sha256 == null || now === undefined || now === source.sha256) return [];
  const of = file.parsed.spec.direction ?? source.file;
  return [problemAt(file, { id: "FM001", code: "F35", part: "source", message: `source text changed since the split (${of}); re-split or confirm` })];
}
