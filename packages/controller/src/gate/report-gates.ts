import type { Finding } from "@dispatch/core";
import { findingKey, gateList } from "@dispatch/gates";
import { relativeUri } from "@dispatch/spec";
import { policyFile } from "../config/repository-policy.ts";
import type { LeftOut } from "./choose-gates.ts";
import type { GateReport } from "./gate-change.ts";

/** A report for programs. */
export interface GateJson {
  version: 1;
  base: string;
  head: string;
  /** Where the change starts. */
  from: string;
  changedPaths: number;
  /** Findings that block. */
  blocking: number;
  findings: readonly Finding[];
  gates: { run: readonly string[]; leftOut: readonly LeftOut[] };
  /** What was run on head. */
  verify: readonly { command: string; outcome: string; exitCode: number | null; durationMs: number }[];
}

export function gateJson({ base, head, from, changedPaths, findings, gates, verify }: GateReport): GateJson {
  return {
    version: 1,
    base,
    head,
    from,
    changedPaths,
    blocking: findings.filter(({ severity }) => severity === "block").length,
    findings,
    gates,
    verify: verify.map(({ command, outcome, exitCode, durationMs }) => ({ command, outcome, exitCode, durationMs })),
  };
}

/** The findings as a SARIF 2.1.0 log, with all gates described and those that did not judge among its notifications. */
export function gateSarif({ base, head, findings, gates }: GateReport, toolVersion: string): Record<string, unknown> {
  const index = new Map<string, number>(gateList.map(({ id }, i) => [id, i]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "dispatch gate",
            version: toolVersion,
            rules: gateList.map(({ id, name, redWhen }) => ({
              id,
              shortDescription: { text: name },
              fullDescription: { text: `Red when ${redWhen}.` },
              defaultConfiguration: { level: "error" },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: gates.leftOut.map(({ gate, because }) => ({
              level: "note",
              message: { text: `${gate} was left out: ${because}` },
              associatedRule: { id: gate, index: index.get(gate) ?? -1 },
            })),
          },
        ],
        results: findings.map((finding) => ({
          ruleId: finding.gate,
          ruleIndex: index.get(finding.gate) ?? -1,
          level: finding.severity === "block" ? "error" : "note",
          message: { text: [finding.found, finding.why, `try: ${finding.hint}`].join("\n") },
          locations: [locationOf(finding)],
          partialFingerprints: { "dispatchFinding/v1": findingKey(finding).replaceAll("\0", "|") },
        })),
        properties: { base, head },
      },
    ],
  };
}

/** What is about no file is shown at the policy: code scanning takes no result without a place. */
function locationOf({ path = policyFile, line = 1 }: Finding): Record<string, unknown> {
  return { physicalLocation: { artifactLocation: { uri: relativeUri(path), uriBaseId: "%SRCROOT%" }, region: { startLine: line } } };
}
