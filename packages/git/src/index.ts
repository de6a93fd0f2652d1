export { createRepositories, type GitRepositories, type RepositoriesOptions } from "./create-repositories.ts";
export type { BaseView } from "./open-base.ts";
export type { MainCommit } from "./read-history.ts";
