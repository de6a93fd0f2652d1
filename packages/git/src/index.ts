export { stripCredentials } from "./classify-git-error.ts";
export { createRepositories, type GitRepositories, type RepositoriesOptions } from "./create-repositories.ts";
export type { ComingConflict, Forecast, LiveBranch } from "./forecast/forecast-conflicts.ts";
export { findForge, forgeAddress } from "./forge/forge-address.ts";
export type { Claim, Holding, LandedCommit, MainHistory } from "./inspect-hub.ts";
export type { KeptRef, WorkSize } from "./kept-work.ts";
export type { BaseView } from "./open-base.ts";
export type { PrunedRef } from "./prune-refs.ts";
export type { MainCommit } from "./read-history.ts";
