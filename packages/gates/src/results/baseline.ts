import type { CommandResult, TestName } from "@dispatch/core";
import { testKey } from "./fingerprint.ts";
import { readResults } from "./read-results.ts";
import { failedCases, type TestCase } from "./test-report.ts";

/** What one verify command returned on the base, as far as it is needed to tell new failures from old ones. */
export interface BaselineCommand {
  command: string;
  green: boolean;
  exitCode: number | null;
  failures: readonly Pick<TestCase, "suite" | "name" | "message">[];
}

/** What the verify commands returned on the tree that a change builds on. */
export interface Baseline {
  /** Commit the change builds on. */
  base: string;
  commands: readonly BaselineCommand[];
}

export function baselineOf(base: string, results: readonly CommandResult[]): Baseline {
  const commands = results.map((result): BaselineCommand => {
    const green = isGreen(result);
    const report = green ? null : readResults(result);
    const failures = report === null ? [] : failedCases(report).map(({ suite, name, message }) => ({ suite, name, message }));
    return { command: result.command, green, exitCode: result.exitCode, failures };
  });
  return { base, commands };
}

export function isGreen(result: Pick<CommandResult, "outcome" | "exitCode">): boolean {
  return result.outcome === "exited" && result.exitCode === 0;
}

/** Whether a run on the base can tell anything: some command ended red by itself and named a test that failed. */
export function needsBaseline(verify: readonly CommandResult[]): boolean {
  return verify.some((result) => result.outcome === "exited" && result.exitCode !== 0 && failuresOf(result).failures.length > 0);
}

/** The failures of one red result. `complete`: there are no others. */
export interface Failures {
  failures: readonly TestCase[];
  complete: boolean;
}

export function failuresOf(result: CommandResult): Failures {
  const report = isGreen(result) ? null : readResults(result);
  return report === null ? { failures: [], complete: false } : { failures: failedCases(report), complete: report.complete };
}

/** The failures of a result, told apart by what the same command returned on the base. */
export function splitFailures(result: CommandResult, baseline: Baseline): { fresh: readonly TestCase[]; old: readonly TestCase[] } {
  const before = new Set(baseline.commands.find((each) => each.command === result.command)?.failures.map(testKey));
  const { failures } = failuresOf(result);
  return { fresh: failures.filter((test) => !before.has(testKey(test))), old: failures.filter((test) => before.has(testKey(test))) };
}

/**
 * Whether a red result says nothing against the change: it ended as the same command did on the base, and named
 * everything that failed, all of which failed there too. Where the base is green nothing is ever excused.
 */
export function isExcused(result: CommandResult, baseline: Baseline): boolean {
  const before = baseline.commands.find((each) => each.command === result.command);
  if (before === undefined || before.green || result.outcome !== "exited" || result.exitCode !== before.exitCode) return false;
  const { failures, complete } = failuresOf(result);
  return complete && failures.length > 0 && splitFailures(result, baseline).fresh.length === 0;
}

/**
 * Whether red results deserve another run before anybody is blamed: everything that keeps them from being green or
 * excused is a test that is known to be flaky.
 */
export function deservesRetry(verify: readonly CommandResult[], baseline: Baseline | null, flakes: readonly TestName[]): boolean {
  const known = new Set(flakes.map(testKey));
  const blamed = verify.filter((result) => !isGreen(result) && !(baseline !== null && isExcused(result, baseline)));
  if (known.size === 0 || blamed.length === 0) return false;
  return blamed.every((result) => {
    const { failures, complete } = failuresOf(result);
    const fresh = baseline === null ? failures : splitFailures(result, baseline).fresh;
    return result.outcome === "exited" && complete && fresh.length > 0 && fresh.every((test) => known.has(testKey(test)));
  });
}

/** Tests that failed and then, by the same command on the same tree, did not. */
export function turnedGreen(before: readonly CommandResult[], after: readonly CommandResult[]): TestName[] {
  return before.flatMap((red) => {
    const again = after.find((result) => result.command === red.command);
    if (again === undefined) return [];
    const now = failuresOf(again);
    if (!isGreen(again) && !now.complete) return [];
    const still = new Set(now.failures.map(testKey));
    return failuresOf(red)
      .failures.filter((test) => !still.has(testKey(test)))
      .map(({ suite, name }) => ({ suite, name }));
  });
}
