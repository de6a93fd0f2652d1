export { stripCredentials } from "./classify-git-error.ts";
export { createRepositories, type GitRepositories, type RepositoriesOptions } from "./create-repositories.ts";
export type { ComingConflict, Forecast, LiveBranch } from "./forecast/forecast-conflicts.ts";
export { findForge, forgeAddress } from "./forge/forge-address.ts";
export type { BaseView } from "./open-base.ts";
export type { MainCommit } from "./read-history.ts";
