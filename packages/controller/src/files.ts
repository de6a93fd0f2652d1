/** What works with the files of a factory alone, without its ledger, its nodes and its daemon: a command that needs no more loads no more. */
export { loadFactory } from "./config/load-factory.ts";
export { addProject, type NewProject } from "./factory/add-project.ts";
export { initFactory } from "./factory/init-factory.ts";
