import { readFileSync } from "node:fs";

const none = { passed: 0, failed: 0, skipped: 0 };

/** Counts of the JSON report that vitest left at `path`; all zero when there is none. */
export function readTotals(path) {
  try {
    return totalsOf(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return none;
  }
}

/** Tests that passed, failed and did not run. A file that could not even be loaded is one failed test. */
export function totalsOf(report) {
  const unloadable = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function isGreen(totals) {
  return totals.passed > 0 && totals.failed === 0 && totals.skipped === 0;
}

/** The last line of a run. Each red step counts as one failure, so that a red run never says `0 failed`. */
export function closingLine(totals, redSteps) {
  const line = `${totals.passed} passed, ${totals.failed + redSteps.length} failed`;
  return totals.skipped === 0 ? line : `${line}, ${totals.skipped} skipped`;
}
