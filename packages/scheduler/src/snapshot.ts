import type { GeneratedFiles, NodeSnapshot, ProjectId, World } from "@dispatch/core";

export type LandingPolicy = "continuous" | "on-collect";

/** How the tasks of a project are placed and landed. */
export interface SchedulingPolicy {
  landing: LandingPolicy;
  /** Paths and globs of the shared contract: every task of the project reads them, and who changes them runs alone. */
  contracts: readonly string[];
  /** Weight among projects of equal urgency; a project with 2 gets twice the slots of one with 1. */
  share: number;
  /** Paths and globs of files that several branches may change at once, where git merges them cleanly. */
  shared: readonly string[];
  /** Files that a command makes out of the others: several branches may change them at once. */
  generated: readonly GeneratedFiles[];
  /** Paths and globs of what every gate run rests on: a branch that changes one lands alone. */
  barrier: readonly string[];
  /** The executor that `auto` stands for; null: not known, and any node will do. */
  executor: string | null;
}

/** Everything a decision rests on, as one value. */
export interface Snapshot {
  world: World;
  nodes: readonly NodeSnapshot[];
  /** Each configured project. One that is not listed places and lands nothing. */
  projects: ReadonlyMap<ProjectId, SchedulingPolicy>;
}
