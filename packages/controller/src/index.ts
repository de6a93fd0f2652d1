export { type FactoryConfig, loadFactory } from "./config/load-factory.ts";
export { addProject, type NewProject } from "./factory/add-project.ts";
export { initFactory } from "./factory/init-factory.ts";
export { lintFactory } from "./factory/lint-factory.ts";
export { type DaemonOptions, runDaemon } from "./run-daemon.ts";
export { version } from "./version.ts";
