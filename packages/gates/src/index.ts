export type { Change, ChangedLine, ChangeKind, Hunk } from "./change.ts";
export { cleanOutput } from "./clean-output.ts";
export { composeFeedback, type FeedbackInput, feedbackLimit } from "./compose-feedback.ts";
export { findingKey } from "./finding-key.ts";
export { type GateName, gateList } from "./gate-list.ts";
export { judgeAcceptance } from "./judge-acceptance.ts";
export { judgeBaseline } from "./judge-baseline.ts";
export { blobsToRead, judgeChange } from "./judge-change.ts";
export { judgeEmpty } from "./judge-empty.ts";
export { judgeEvidence } from "./judge-evidence.ts";
export { judgeFailToPass, testsToProve } from "./judge-fail-to-pass.ts";
export { judgeMarkers } from "./judge-markers.ts";
export { judgePlaceholder } from "./judge-placeholder.ts";
export { judgeScope } from "./judge-scope.ts";
export { judgeTestsMin } from "./judge-tests-min.ts";
export { describeEvidence, judgeVerify } from "./judge-verify.ts";
export { type Comparison, meetsExpectation } from "./meets-expectation.ts";
export { parseDiff } from "./parse-diff.ts";
export type { GateInput } from "./policy.ts";
export {
  type Baseline,
  type BaselineCommand,
  baselineOf,
  deservesRetry,
  isExcused,
  isGreen,
  needsBaseline,
  turnedGreen,
} from "./results/baseline.ts";
export { fingerprint, normaliseMessage, testKey } from "./results/fingerprint.ts";
export { readResults } from "./results/read-results.ts";
export { failedCases, ranOf, type TestCase, type TestOutcome, type TestReport, type TestTotals, titleOf } from "./results/test-report.ts";
