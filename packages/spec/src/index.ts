export { specFrontMatterSchema } from "./front-matter.ts";
export type { SectionKind } from "./heading-kind.ts";
export {
  defaultProtectedPaths,
  type KnownTask,
  knownTaskOf,
  type LintFacts,
  type ParsedFile,
  type ProjectFacts,
  type ReadableFile,
} from "./lint-facts.ts";
export { lintSpecs, verifiedFiles } from "./lint-specs.ts";
export type { AcceptanceItem } from "./parse-acceptance.ts";
export type { QaScenario } from "./parse-scenarios.ts";
export { type ParsedSpec, parseSpec, type SpecFile } from "./parse-spec.ts";
export { formatProblem, hasErrors, type Position, type Problem, type ProblemCode, type RuleId, sortProblems } from "./problem.ts";
export type { Assumption, SpecDocument, SpecSource } from "./spec-document.ts";
export { exampleSpec, type SpecTemplateInput, specTemplateVersion, writeSpecTemplate } from "./spec-template.ts";
export type { Section } from "./split-sections.ts";
