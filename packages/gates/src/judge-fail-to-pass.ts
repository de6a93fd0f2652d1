import type { Finding } from "@dispatch/core";
import { type Change, submoduleMode } from "./change.ts";
import { isSuiteFile, isTestPath, languageOf } from "./language.ts";
import type { GateInput } from "./policy.ts";
import { isGreen } from "./results/baseline.ts";
import { readResults } from "./results/read-results.ts";
import { ranOf } from "./results/test-report.ts";

/**
 * The files of a change that are laid over the base to see its tests fail there: tests, and what stands in test folders
 * beside them. Empty where there is nothing to show: no new or changed test, or nothing changed but tests and prose.
 */
export function testsToProve({ spec, changes }: Pick<GateInput, "spec" | "changes">): readonly Change[] {
  if (spec.type !== "feature" && spec.type !== "bugfix") return [];
  const kept = changes.filter((change) => change.kind !== "deleted" && change.newMode !== submoduleMode);
  const tests = kept.filter((change) => isTestPath(change.path));
  if (!tests.some((change) => isSuiteFile(change.path)) || changes.every(({ path }) => isTestPath(path) || languageOf(path) === "prose")) return [];
  return tests;
}

/** G10: of the new and changed tests at least one fails on the base sources. Where no known runner ran a test, nothing can be told. */
export function judgeFailToPass({ proof = [] }: Pick<GateInput, "proof">): Finding[] {
  if (proof.length === 0 || !proof.every(isGreen)) return [];
  const ran = proof.reduce((sum, result) => {
    const report = readResults(result);
    return sum + (report === null ? 0 : ranOf(report.totals));
  }, 0);
  if (ran === 0) return [];
  return [
    {
      gate: "G10",
      severity: "block",
      found: `the new and changed tests were run on the sources as they were at the base, and all ${ran} tests that ran passed`,
      why: "a test that passes without the change shows nothing about the change",
      hint: "write a test that fails without your change and passes with it; make sure that the verify command runs it",
    },
  ];
}
