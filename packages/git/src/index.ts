export { createRepositories, type GitRepositories, type RepositoriesOptions } from "./create-repositories.ts";
export type { MainCommit } from "./read-history.ts";
