import type { Finding, Oid } from "@dispatch/core";
import type { Change } from "./change.ts";
import { judgeAcceptance } from "./judge-acceptance.ts";
import { judgeBaseline } from "./judge-baseline.ts";
import { contractsToRead, judgeContract } from "./judge-contract.ts";
import { judgeEmpty } from "./judge-empty.ts";
import { judgeEvidence } from "./judge-evidence.ts";
import { judgeFailToPass } from "./judge-fail-to-pass.ts";
import { judgeMarkers } from "./judge-markers.ts";
import { bodiesToRead, judgePlaceholder } from "./judge-placeholder.ts";
import { judgeProtected, manifestsToRead } from "./judge-protected.ts";
import { judgeScope } from "./judge-scope.ts";
import { judgeSecrets } from "./judge-secrets.ts";
import { judgeTestsMin } from "./judge-tests-min.ts";
import { judgeVerify } from "./judge-verify.ts";
import { judgeWeight } from "./judge-weight.ts";
import type { GateInput } from "./policy.ts";
import { judgeTampering } from "./tampering/judge-tampering.ts";
import { waive } from "./waive.ts";

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
  judgeTampering,
  judgeProtected,
  judgeMarkers,
  judgeSecrets,
  judgeWeight,
  judgeContract,
  judgeFailToPass,
  judgeTestsMin,
  judgeEvidence,
];

/** What stands against a change, gate by gate. Empty: nothing does. */
export function judgeChange(input: GateInput): Finding[] {
  return judges.flatMap((judge) => capFindings(waive(judge(input), input.spec, input.policy)));
}

/** The blobs whose texts `judgeChange` has to be given; those that are not there count as unreadable. */
export function blobsToRead(changes: readonly Change[], contracts: readonly string[]): Oid[] {
  const named = [...bodiesToRead(changes), ...manifestsToRead(changes), ...contractsToRead(changes, contracts)];
  return [...new Set(named)].filter((oid) => !/^0+$/.test(oid)).sort();
}

/** What blocks is kept before remarks. */
function capFindings(findings: readonly Finding[]): Finding[] {
  const sorted = [...findings.filter(({ severity }) => severity === "block"), ...findings.filter(({ severity }) => severity === "note")];
  const kept = sorted.slice(0, findingsPerGate);
  const last = kept.at(-1);
  if (last === undefined || sorted.length <= findingsPerGate) return kept;
  const { gate, severity, why, hint } = last;
  return [...kept, { gate, severity, found: `and ${sorted.length - findingsPerGate} more of the same gate`, why, hint }];
}
