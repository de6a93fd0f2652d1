import type { CommandResult } from "@dispatch/core";
import { cleanOutput } from "./clean-output.ts";

/** How many tests ran, passed or failed, and which runner said so. Skipped tests did not run. */
export interface TestCount {
  runner: string;
  tests: number;
}

/** Reads a count from the lines of an output; null when the runner did not speak. */
type Counter = (lines: readonly string[]) => number | null;

/** `spread`: the runner speaks once per package, so a zero says nothing when the start of the output is gone. */
const counters: readonly { runner: string; spread: boolean; count: Counter }[] = [
  { runner: "node --test", spread: false, count: (lines) => countNode(lines, true) },
  { runner: "tap", spread: false, count: (lines) => countNode(lines, false) },
  { runner: "tap", spread: true, count: countTap },
  { runner: "vitest", spread: false, count: countVitest },
  { runner: "jest", spread: false, count: countJest },
  { runner: "mocha", spread: false, count: countMocha },
  { runner: "pytest", spread: false, count: countPytest },
  { runner: "unittest", spread: true, count: countUnittest },
  { runner: "go test", spread: true, count: countGo },
  { runner: "cargo test", spread: true, count: countCargo },
  { runner: "junit", spread: true, count: countJunit },
];

/**
 * How many tests a command ran, by what known runners print. Null: no known runner spoke, and the exit code is all
 * there is. The output is the agent's own text, so a count can raise an alarm and never proves anything.
 */
export function countTests(result: CommandResult): TestCount | null {
  const lines = cleanOutput(result.outputTail).split("\n");
  const cut = result.outputBytes > utf8Length(result.outputTail);
  const counts: TestCount[] = [];
  for (const { runner, spread, count } of counters) {
    const tests = count(lines);
    if (tests !== null && !(tests === 0 && spread && cut)) counts.push({ runner, tests });
  }
  if (counts.length === 0) return null;
  const runners = [...new Set(counts.map((each) => each.runner))];
  return { runner: runners.join(" and "), tests: counts.reduce((sum, each) => sum + each.tests, 0) };
}

function utf8Length(text: string): number {
  let length = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

/** Sum of the first groups of all lines that match; null when none does. */
function sumOf(lines: readonly string[], pattern: RegExp): number | null {
  let sum: number | null = null;
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) sum = (sum ?? 0) + Number(match[1] ?? 0);
  }
  return sum;
}

/** Sum of the numbers before any of these words, as in `2 failed, 5 passed`. */
function sumBefore(text: string, words: RegExp): number {
  return [...text.matchAll(/(\d+) ([a-z]+)/g)].reduce((sum, [, digits, word]) => sum + (words.test(word ?? "") ? Number(digits) : 0), 0);
}

/**
 * The summary `# tests 4 … # pass 3` of node:test and tape; only node names suites. node --test counts a file
 * without any test as one passing test that bears the file's name: those did not run a test.
 */
function countNode(lines: readonly string[], node: boolean): number | null {
  const tests = sumOf(lines, /^[#ℹ] tests\s+(\d+)$/);
  const passed = sumOf(lines, /^[#ℹ] pass\s+(\d+)$/);
  if (tests === null || (passed === null && tests > 0)) return null;
  if (lines.some((line) => /^[#ℹ] suites \d+$/.test(line)) !== node) return null;
  const skipped = sumOf(lines, /^[#ℹ] skip(?:ped)?\s+(\d+)$/) ?? 0;
  const files = node ? lines.filter((line) => /^(?:ok \d+ - |✔ )\S+\.[cm]?[jt]sx?(?: \([\d.]+ms\))?$/.test(line)).length : 0;
  return Math.max(0, tests - skipped - files);
}

function countTap(lines: readonly string[]): number | null {
  if (lines.some((line) => /^[#ℹ] (?:tests|pass)\s+\d+$/.test(line))) return null;
  const points = lines.filter((line) => /^\s*(?:not )?ok\b(?: \d+)?/.test(line) && !/^\s*ok\s+\S+\/\S+\s+[\d(]/.test(line));
  const planned = lines.some((line) => /^1\.\.\d+/.test(line));
  const spoke =
    lines.some((line) => /^TAP version \d+$/.test(line)) || (planned && points.length > 0) || lines.some((line) => /^1\.\.0\b/.test(line));
  return spoke ? points.filter((line) => !/# skip/i.test(line)).length : null;
}

function countVitest(lines: readonly string[]): number | null {
  const none = lines.some((line) => /^\s*No test files found, exiting with code \d/.test(line));
  const spoke = lines.some((line) => /^\s*Test Files\s{1,4}(?:\d|no )/.test(line));
  return sumSummaries(lines, spoke ? /^\s*Tests\s{1,4}(?:\d|no )/ : null, none);
}

function countJest(lines: readonly string[]): number | null {
  const none = lines.some((line) => /^\s*No tests found, exiting with code \d/.test(line));
  return sumSummaries(lines, /^Tests:\s+.*\d+ total$/, none);
}

/** What summaries add up to; where there is none, zero if the runner said that it found nothing. */
function sumSummaries(lines: readonly string[], summary: RegExp | null, none: boolean): number | null {
  const summaries = summary === null ? [] : lines.filter((line) => summary.test(line));
  if (summaries.length === 0) return none ? 0 : null;
  return summaries.reduce((sum, line) => sum + sumBefore(line, /^(?:passed|failed)$/), 0);
}

function countMocha(lines: readonly string[]): number | null {
  const passing = sumOf(lines, /^\s*(\d+) passing\b/);
  return passing === null ? null : passing + (sumOf(lines, /^\s*(\d+) failing\b/) ?? 0);
}

function countPytest(lines: readonly string[]): number | null {
  let count: number | null = null;
  for (const line of lines) {
    if (/^(?:=+ )?no tests ran in [\d.]+s/.test(line)) count ??= 0;
    if (!/\bin \d[\d.]*s\b/.test(line)) continue;
    const summary = /^(?:=+ )?(\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun)\b.*) in \d/.exec(line)?.[1];
    if (summary !== undefined) count = (count ?? 0) + sumBefore(summary, /^(?:passed|failed|errors?|xfailed|xpassed)$/);
  }
  return count;
}

function countUnittest(lines: readonly string[]): number | null {
  const ran = sumOf(lines, /^Ran (\d+) tests? in [\d.]+s$/);
  return ran === null ? null : Math.max(0, ran - (sumOf(lines, /^(?:OK|FAILED) \(.*\bskipped=(\d+)/) ?? 0));
}

/** Without -v go names packages, not tests; then a package with tests counts as one. */
function countGo(lines: readonly string[]): number | null {
  const packages = lines.filter(
    (line) => /^(?:ok|FAIL|\?|---)?\s*\t?\S+\t(?:[\d.]+s|\(cached\)|\[no test files\])/.test(line) && /^(?:ok\s|FAIL\t|\?\s)/.test(line),
  );
  const named = lines.filter((line) => /^\s*--- (?:PASS|FAIL): \S+ \([\d.]+s\)$/.test(line)).length;
  if (packages.length === 0 && named === 0) return null;
  const tested = packages.filter((line) => !/\[no test(?:s to run| files)\]/.test(line)).length;
  return Math.max(named, tested);
}

function countCargo(lines: readonly string[]): number | null {
  const results = lines.filter((line) => /^test result: \w+\. \d+ passed; \d+ failed;/.test(line));
  if (results.length > 0) return results.reduce((sum, line) => sum + sumBefore(line, /^(?:passed|failed)$/), 0);
  return sumOf(lines, /^\s*Summary \[.*\] +(\d+) tests? run:/) ?? sumOf(lines, /^running (\d+) tests?$/);
}

/** Maven's `Tests run:` lines and JUnit XML. */
function countJunit(lines: readonly string[]): number | null {
  const run = sumOf(lines, /\bTests run: (\d+), Failures: \d+, Errors: \d+/);
  const skipped = sumOf(lines, /\bTests run: \d+, Failures: \d+, Errors: \d+, Skipped: (\d+)/) ?? 0;
  const xml = sumOf(lines, /<testsuite\b[^>]*\btests="(\d+)"/);
  return run === null ? xml : Math.max(0, run - skipped) + (xml ?? 0);
}
