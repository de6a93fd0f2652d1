export { type FixedSpec, fixSpecs } from "./fix-specs.ts";
export { specFrontMatterSchema } from "./front-matter.ts";
export type { SectionKind } from "./heading-kind.ts";
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
} from "./lint-facts.ts";
export { type LintRule, lintRules } from "./lint-rules.ts";
export { lintSpecs, verifiedFiles } from "./lint-specs.ts";
export type { AcceptanceItem } from "./parse-acceptance.ts";
export { anchorKey, type ContractAnchor, type ContractProblem, changedAnchors, type ParsedContract, parseContract } from "./parse-contract.ts";
export type { QaScenario } from "./parse-scenarios.ts";
export { type ParsedSpec, parseSpec, type SpecFile } from "./parse-spec.ts";
export { formatProblem, hasErrors, type Position, type Problem, type ProblemCode, type Repair, type RuleId, sortProblems } from "./problem.ts";
export { isManifest, knownExecutables, type Manifest, readManifest } from "./read-manifest.ts";
export { describeRules, type JsonReport, toJsonReport, toSarif } from "./report-problems.ts";
export type { Assumption, SpecDocument, SpecSource } from "./spec-document.ts";
export { specKey } from "./spec-graph.ts";
export { exampleSpec, type SpecTemplateInput, specTemplateVersion, writeSpecTemplate } from "./spec-template.ts";
export type { Section } from "./split-sections.ts";
