export { parseContract } from "./contract/parse-contract.ts";
export { isManifest, knownExecutables, type Manifest, readManifest } from "./facts/read-manifest.ts";
export { specKey } from "./facts/spec-graph.ts";
export { type FixedSpec, fixSpecs } from "./fix/fix-specs.ts";
export {
  type ContractFile,
  citedFiles,
  type DirectionFacts,
  defaultProtectedPaths,
  type ForbiddenTopic,
  type KnownTask,
  knownTaskOf,
  type LintFacts,
  type ParsedFile,
  type Preflight,
  type ProjectFacts,
  type ProjectPolicy,
  type ReadableFile,
  type Requirement,
  type ReviewKind,
} from "./lint/lint-facts.ts";
export { type LintRule, lintRules } from "./lint/lint-rules.ts";
export { lintSpecs, verifiedFiles } from "./lint/lint-specs.ts";
export { specFrontMatterSchema } from "./parse/front-matter.ts";
export type { SectionKind } from "./parse/heading-kind.ts";
export type { AcceptanceItem } from "./parse/parse-acceptance.ts";
export type { QaScenario } from "./parse/parse-scenarios.ts";
export { type ParsedSpec, parseSpec, type SpecFile } from "./parse/parse-spec.ts";
export type { Assumption, SpecDocument, SpecSource } from "./parse/spec-document.ts";
export type { Section } from "./parse/split-sections.ts";
export { formatProblem, hasErrors, type Position, type Problem, type ProblemCode, type Repair, type RuleId, sortProblems } from "./problem.ts";
export { describeRules, type JsonReport, relativeUri, toJsonReport, toSarif } from "./report-problems.ts";
export { exampleSpec, type SpecTemplateInput, specTemplateVersion, writeSpecTemplate } from "./spec-template.ts";
