import type { CommandResult, TaskSpec } from "@dispatch/core";
import type { Change } from "./change.ts";

/** What a project grants, read from the factory or the base revision, never from the branch that is judged. */
export interface GatePolicy {
  /** Paths and globs in which G02 looks for nothing. */
  placeholderAllow: readonly string[];
  /** Words that G02 takes for a mark besides its own; matched without regard to case. */
  placeholderWords: readonly string[];
  /** Paths and globs in which G07 looks for nothing. */
  markerAllow: readonly string[];
  /** Paths and globs that every task may change. `forbids` of a spec still wins. */
  alwaysAllowed: readonly string[];
}

/** Grants nothing. */
export const defaultGatePolicy: GatePolicy = { placeholderAllow: [], placeholderWords: [], markerAllow: [], alwaysAllowed: [] };

/** Everything a gate may look at. */
export interface GateInput {
  spec: TaskSpec;
  changes: readonly Change[];
  /** What the verify commands returned on this very tree; null when they are not judged here. */
  verify: readonly CommandResult[] | null;
  policy: GatePolicy;
}
