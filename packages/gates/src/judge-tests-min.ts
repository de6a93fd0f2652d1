import type { Finding, TestKind } from "@dispatch/core";
import type { GateInput } from "./policy.ts";
import { isGreen } from "./results/baseline.ts";
import { testKey } from "./results/fingerprint.ts";
import { readResults } from "./results/read-results.ts";
import { ranOf, type TestReport } from "./results/test-report.ts";

const kinds: readonly TestKind[] = ["unit", "ui", "e2e"];
const words: Readonly<Record<TestKind, string>> = { unit: "unit tests", ui: "tests of the user interface", e2e: "end-to-end tests" };

/**
 * G11: as many tests ran as the spec demands of each kind, else the project. A runner that names no files leaves open of
 * which kind its tests are; these count for whatever is short.
 */
export function judgeTestsMin({ spec, policy, verify }: Pick<GateInput, "spec" | "policy" | "verify">): Finding[] {
  const demanded = kinds.map((kind) => ({ kind, least: spec.testsMin[kind] ?? policy.testsMin?.[kind] ?? 0 })).filter(({ least }) => least > 0);
  // What is red has to be mended first, and may have ended before it ran everything.
  if (demanded.length === 0 || verify === null || !verify.every(isGreen)) return [];
  const reports = verify.map(readResults).filter((report) => report !== null);
  const { byKind, open } = countKinds(reports);
  const short = demanded.filter(({ kind, least }) => byKind[kind] < least);
  const lack = short.reduce((sum, { kind, least }) => sum + least - byKind[kind], 0);
  if (lack <= open) return [];
  return short.map(({ kind, least }): Finding => {
    const seen =
      reports.length === 0
        ? "no known test runner in the output"
        : `${byKind[kind]} ran${open > 0 ? `, and ${open} of which the runner does not say the file` : ""}`;
    return {
      gate: "G11",
      severity: "block",
      found: `${least} ${words[kind]} are demanded: ${seen}`,
      why: `the ${spec.testsMin[kind] === undefined ? "project's policy" : "spec"} demands that many in what verify runs; skipped tests do not count`,
      hint: "write the tests that are missing, with cases that can fail, and make sure that the verify command runs them",
    };
  });
}

function countKinds(reports: readonly TestReport[]): { byKind: Record<TestKind, number>; open: number } {
  const byKind = { unit: 0, ui: 0, e2e: 0 };
  const seen = new Set<string>();
  const total = reports.reduce((sum, report) => sum + ranOf(report.totals), 0);
  for (const test of reports.flatMap((report) => report.cases)) {
    const kind = test.outcome === "skipped" || seen.has(testKey(test)) ? null : kindOfTest(test.suite);
    seen.add(testKey(test));
    if (kind !== null) byKind[kind]++;
  }
  return { byKind, open: Math.max(0, total - byKind.unit - byKind.ui - byKind.e2e) };
}

/** By the file that holds the test; null when the suite is no file. */
function kindOfTest(suite: string): TestKind | null {
  if (!/\.\w{1,6}$/.test(suite)) return null;
  if (/(?:^|\/)(?:e2e|cypress|playwright|end-to-end)(?:\/|$)|[._-]e2e[._-]|\.cy\.\w+$/i.test(suite)) return "e2e";
  if (/\.(?:tsx|jsx|vue|svelte)$|(?:^|\/)(?:ui|components?|pages|frontend|web)\//i.test(suite)) return "ui";
  return "unit";
}
