export type { Change, ChangedLine, ChangeKind, Hunk } from "./change.ts";
export { cleanOutput } from "./clean-output.ts";
export { composeFeedback, type FeedbackInput, feedbackLimit } from "./compose-feedback.ts";
export { countTests, type TestCount } from "./count-tests.ts";
export { findingKey } from "./finding-key.ts";
export { blobsToRead, judgeChange } from "./judge-change.ts";
export { describeEvidence, judgeVerify } from "./judge-verify.ts";
export { parseDiff } from "./parse-diff.ts";
export type { GateInput } from "./policy.ts";
