import type { Finding } from "@dispatch/core";
import { quoteLine } from "./clean-output.ts";
import type { GateInput } from "./policy.ts";
import { isExcused, isGreen, splitFailures } from "./results/baseline.ts";
import { fingerprint, namesOf, testKey } from "./results/fingerprint.ts";
import { type TestCase, titleOf } from "./results/test-report.ts";

const named = 20;

/**
 * G15: no test fails that did not fail on the base. Tests that failed there are remarked on and block nothing; tests that
 * were red and then green on this tree are remarked on as flaky. Without a run on the base there is nothing to compare.
 */
export function judgeBaseline({ verify, baseline, flaky = [] }: Pick<GateInput, "verify" | "baseline" | "flaky">): Finding[] {
  const unsteady = flaky.length === 0 ? [] : [flakeNote(flaky)];
  if (verify === null || baseline === undefined) return unsteady;
  const red = verify.filter((result) => !isGreen(result));
  const split = red.map((result) => splitFailures(result, baseline));
  const fresh = distinct(split.flatMap((each) => each.fresh));
  const old = distinct(split.flatMap((each) => each.old));
  const base = baseline.base.slice(0, 12);
  const findings = fresh.slice(0, named).map((test) => freshFinding(test, base));
  if (fresh.length > named) findings.push(blocked(`${fresh.length - named} more tests fail`, base));
  if (old.length === 0) return [...findings, ...unsteady];
  const before = new Set(baseline.commands.flatMap((command) => command.failures).map(fingerprint));
  const excused = red.length > 0 && red.every((result) => isExcused(result, baseline));
  return [...findings, oldNote({ old, changed: old.filter((test) => !before.has(fingerprint(test))), base, excused }), ...unsteady];
}

function distinct(tests: readonly TestCase[]): TestCase[] {
  return [...new Map(tests.map((test) => [testKey(test), test])).values()];
}

function freshFinding(test: TestCase, base: string): Finding {
  const message = test.message === "" ? "" : `: ${quoteLine(test.message)}`;
  const finding = blocked(`${quoteLine(titleOf(test))} fails${message}`, base);
  return isRepositoryPath(test.suite) ? { ...finding, path: test.suite } : finding;
}

function blocked(found: string, base: string): Finding {
  return {
    gate: "G15",
    severity: "block",
    found,
    why: `the same command did not see this fail on the base ${base}`,
    hint: "if the test is right, mend the code; change the test only where the spec changes what it asserts",
  };
}

function isRepositoryPath(suite: string): boolean {
  return /^[\w@.][\w@./ -]*\.\w{1,5}$/.test(suite) && !suite.split("/").includes("..");
}

function oldNote(from: { old: readonly TestCase[]; changed: readonly TestCase[]; base: string; excused: boolean }): Finding {
  const { old, changed, base, excused } = from;
  const otherwise = changed.length === 0 ? "" : `; with another message than there: ${namesOf(changed, 5)}`;
  return {
    gate: "G15",
    severity: "note",
    found: `${old.length === 1 ? "a test fails" : `${old.length} tests fail`} as on the base: ${namesOf(old)}${otherwise}`,
    why: `failed on the base ${base} too, so this change is not to blame${excused ? "; nothing else is red" : ""}`,
    hint: "leave them unless the spec is about them; the lead sees this remark",
  };
}

function flakeNote(flaky: NonNullable<GateInput["flaky"]>): Finding {
  return {
    gate: "G15",
    severity: "note",
    found: `red and then green on the same tree: ${namesOf(flaky)}`,
    why: "a test that gives two answers for one tree blames nobody until it was run again",
    hint: "the project should mend what makes it flaky: time, order, ports, shared state",
  };
}
