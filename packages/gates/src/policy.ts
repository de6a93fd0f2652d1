import type { CommandResult, GatePolicy, Oid, TaskSpec } from "@dispatch/core";
import type { Change } from "./change.ts";

/** Everything a gate may look at. */
export interface GateInput {
  spec: TaskSpec;
  changes: readonly Change[];
  /** Texts of the blobs that `blobsToRead` names. */
  texts: ReadonlyMap<Oid, string>;
  /** What the verify commands returned on this very tree; null when they are not judged here. */
  verify: readonly CommandResult[] | null;
  policy: GatePolicy;
}
