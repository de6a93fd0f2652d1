import { readFileSync } from "node:fs";

const none = { passed: 0, failed: 0, skipped: 0 };

/** What vitest left at `path`, or undefined when it left nothing. */
export function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Counts of the report at `path`; all zero when there is none. */
export function readTotals(path) {
  const report = readReport(path);
  return report === undefined ? none : totalsOf(report);
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

/** The test files that took longest, longest first: `{path, seconds}`. */
export function slowestFiles(report, count) {
  return report.testResults
    .map(({ name, startTime, endTime }) => ({ path: name, seconds: (endTime - startTime) / 1000 }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count);
}

export function isGreen(totals) {
  return totals.passed > 0 && totals.failed === 0 && totals.skipped === 0;
}

/** The last line of a run. Each red step counts as one failure, so that a red run never says `0 failed`. */
export function closingLine(totals, redSteps) {
  const line = `${totals.passed} passed, ${totals.failed + redSteps.length} failed`;
  return totals.skipped === 0 ? line : `${line}, ${totals.skipped} skipped`;
}
