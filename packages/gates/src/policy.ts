import type { AcceptanceResult, CommandResult, GatePolicy, Oid, TaskSpec, TestName } from "@dispatch/core";
import type { Change } from "./change.ts";
import type { Baseline } from "./results/baseline.ts";

/** Everything a gate may look at. */
export interface GateInput {
  spec: TaskSpec;
  changes: readonly Change[];
  /** Texts of the blobs that `blobsToRead` names. */
  texts: ReadonlyMap<Oid, string>;
  /** What the verify commands returned on this very tree; null when they are not judged here. */
  verify: readonly CommandResult[] | null;
  policy: GatePolicy;
  /** What the same commands returned on the base; absent: they were not run there. */
  baseline?: Baseline;
  /** Tests that were red and then green on this very tree. */
  flaky?: readonly TestName[];
  /** What the commands of the acceptance items returned; absent: they were not run here. */
  acceptance?: readonly AcceptanceResult[];
  /** What the verify commands returned on the base with this change's tests; absent: they were not run there. */
  proof?: readonly CommandResult[];
}
