import type { CommandResult, GatePolicy, TaskSpec } from "@dispatch/core";
import type { Change } from "./change.ts";

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
