export { lintRules, toJsonReport, toSarif } from "@dispatch/spec";
export { type FactoryConfig, loadFactory } from "./config/load-factory.ts";
export { addProject, type NewProject } from "./factory/add-project.ts";
export { compareSpecs } from "./factory/compare-specs.ts";
export { initFactory } from "./factory/init-factory.ts";
export { type LintReport, lintSpecFiles } from "./factory/lint-factory.ts";
export { planProject } from "./plan/plan-project.ts";
export { type DaemonOptions, runDaemon } from "./run-daemon.ts";
export { version } from "./version.ts";
