import type { Finding } from "@dispatch/core";
import { judgeAcceptance } from "./judge-acceptance.ts";
import { judgeBaseline } from "./judge-baseline.ts";
import { judgeEmpty } from "./judge-empty.ts";
import { judgeEvidence } from "./judge-evidence.ts";
import { judgeFailToPass } from "./judge-fail-to-pass.ts";
import { judgeMarkers } from "./judge-markers.ts";
import { judgePlaceholder } from "./judge-placeholder.ts";
import { judgeScope } from "./judge-scope.ts";
import { judgeTestsMin } from "./judge-tests-min.ts";
import { judgeVerify } from "./judge-verify.ts";
import type { GateInput } from "./policy.ts";

/** Findings are stored and shown; past this many of one gate, the number says as much as the list. */
const findingsPerGate = 50;

/** In the order in which an agent should read them: what failed first. */
const judges: readonly ((input: GateInput) => Finding[])[] = [
  judgeVerify,
  judgeBaseline,
  judgeAcceptance,
  judgePlaceholder,
  judgeScope,
  judgeEmpty,
  judgeMarkers,
  judgeFailToPass,
  judgeTestsMin,
  judgeEvidence,
];

/** What stands against a change, gate by gate. Empty: nothing does. */
export function judgeChange(input: GateInput): Finding[] {
  return judges.flatMap((judge) => capFindings(judge(input)));
}

function capFindings(findings: readonly Finding[]): Finding[] {
  const kept = findings.slice(0, findingsPerGate);
  const last = kept.at(-1);
  if (last === undefined || findings.length <= findingsPerGate) return kept;
  const { gate, severity, why, hint } = last;
  return [...kept, { gate, severity, found: `and ${findings.length - findingsPerGate} more of the same gate`, why, hint }];
}
