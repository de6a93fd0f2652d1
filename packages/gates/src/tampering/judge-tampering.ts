import type { Finding } from "@dispatch/core";
import type { GateInput } from "../policy.ts";
import { readChanges } from "../read-change.ts";
import { findLostAssertions } from "./lost-assertions.ts";
import { balanceTests, findLostTests } from "./lost-tests.ts";
import { findLoweredSettings } from "./lowered-settings.ts";
import { findRewrittenSnapshots } from "./rewritten-snapshots.ts";
import { findSkippedTests } from "./skipped-tests.ts";
import { findSuppressions } from "./suppressions.ts";
import { findWeakAssertions } from "./weak-assertions.ts";

/** G05: what makes tests, linters, type checkers or coverage hold the code to less than before. */
export function judgeTampering({ spec, changes }: Pick<GateInput, "spec" | "changes">): Finding[] {
  const reads = readChanges(changes);
  const balances = balanceTests(reads);
  return [
    ...findLostTests(reads, balances, spec),
    ...findLostAssertions(reads, balances),
    ...findWeakAssertions(reads),
    ...findSkippedTests(reads),
    ...findSuppressions(reads),
    ...findLoweredSettings(reads),
    ...findRewrittenSnapshots(reads),
  ];
}
