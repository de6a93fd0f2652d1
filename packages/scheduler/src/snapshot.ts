import type { NodeSnapshot, ProjectId, World } from "@dispatch/core";

export type LandingPolicy = "continuous" | "on-collect";

/** Everything a decision rests on, as one value. */
export interface Snapshot {
  world: World;
  nodes: readonly NodeSnapshot[];
  /** How each configured project lands. A project that is not listed places and lands nothing. */
  landing: ReadonlyMap<ProjectId, LandingPolicy>;
}
