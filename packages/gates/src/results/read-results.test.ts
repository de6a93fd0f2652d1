import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandResult } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readResults } from "./read-results.ts";
import { type TestReport, titleOf } from "./test-report.ts";

const folder = fileURLToPath(new URL("../../../../test/golden/results", import.meta.url));
const recordings = readdirSync(folder)
  .filter((name) => name !== "readings.txt")
  .map((name) => ({ name: name.replace(".txt", ""), text: readFileSync(join(folder, name), "utf8") }));

function resultOf(outputTail: string): CommandResult {
  const outputBytes = Buffer.byteLength(outputTail);
  return { command: "npm test", outcome: "exited", exitCode: 1, signal: null, durationMs: 1, outputBytes, outputTail };
}

function describeReport(name: string, report: TestReport | null): string {
  if (report === null) return `${name}: the exit code alone`;
  const { passed, failed, skipped } = report.totals;
  const head = `${name}: ${report.runner} (${report.format}), ${passed} passed, ${failed} failed, ${skipped} skipped${report.complete ? "" : ", incomplete"}`;
  return [head, ...report.cases.map((each) => `  ${each.outcome} ${titleOf(each)}${each.message === "" ? "" : ` | ${each.message}`}`)].join("\n");
}

test("what real runners printed is read as recorded", async () => {
  const readings = recordings.map(({ name, text }) => describeReport(name, readResults(resultOf(text)))).join("\n\n");
  await expect(`${readings}\n`).toMatchFileSnapshot(join(folder, "readings.txt"));
});

/** The suite that was recorded: one test that passes, one that is skipped, and these that fail. */
const alike = [
  ["vitest", ["is a name", "throws", "expects", "broken.test.mjs"]],
  ["vitest-json", ["is a name", "throws", "expects", "broken.test.mjs"]],
  ["vitest-junit", ["is a name", "throws", "expects", "broken.test.mjs"]],
  ["vitest-tap", ["is a name", "throws", "expects", "broken.test.mjs"]],
  ["jest", ["is a name", "throws", "expects", "broken.test.js"]],
  ["jest-json", ["is a name", "throws", "expects", "broken.test.js"]],
  ["mocha", ["is a name", "throws", "before all"]],
  ["mocha-json", ["is a name", "throws", "before all"]],
  ["node-tap", ["is a name", "throws", "broken.test.mjs"]],
  ["node-spec", ["is a name", "throws", "broken.test.mjs"]],
  ["node-junit", ["is a name", "throws", "broken.test.mjs"]],
  ["pytest-q", ["test_slug_of_nothing", "test_numbers[2]", "test_delete", "test_uses_database"]],
  ["pytest-junit", ["test_slug_of_nothing", "test_numbers[2]", "test_delete", "test_uses_database"]],
  ["go", ["TestSlugs", "TestSlugs/of_nothing", "TestPanics"]],
  ["go-json", ["TestSlugs", "TestSlugs/of_nothing", "TestPanics"]],
  ["cargo", ["tests::must_panic", "tests::slug_of_nothing"]],
] as const;

test.each(alike)("%s names everything that failed, and nothing else", (name, failing) => {
  const report = readResults(resultOf(recordings.find((each) => each.name === name)?.text ?? ""));
  const failed = report?.cases.filter((each) => each.outcome === "failed").map((each) => each.name) ?? [];
  expect(report?.complete).toBe(true);
  expect(failed).toHaveLength(failing.length);
  for (const part of failing) expect(failed.some((each) => each.includes(part))).toBe(true);
});

describe("hostile output", () => {
  const size = 64 * 1024;
  const fill = (part: string): string => part.repeat(Math.ceil(size / part.length)).slice(0, size);
  const timed = (text: string): number => {
    const result = resultOf(text);
    const begin = process.cpuUsage();
    readResults(result);
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  };

  test.each([
    ["open braces", "{\n"],
    ["one line of open braces", '{"numTotalTests":1,"testResults":['],
    ["nested arrays", "["],
    ["unclosed tags", '<testcase name="'],
    ["tags within tags", "<testsuite <testcase "],
    ["attributes without end", "<testsuite a a a a a a a a a a a a"],
    ["entities", "<testsuite name='&#99999999;&amp;&#x10ffff;'>"],
    [
      "TAP that goes deeper and deeper",
      `TAP version 13\n${Array.from({ length: 350 }, (_, i) => `${" ".repeat(350 - i)}not ok ${i} - x`).join("\n")}\n`,
    ],
    ["TAP groups that are never closed", "ok 1 - a # time=1ms {\n"],
    ["dashes", "test a - a - a - a - a - a - "],
    ["pytest without end", "FAILED a.py::b.py::"],
    ["arrows", " ✓ a > a > a > a > "],
    ["spaces", "not ok                                  "],
    ["numbers", "1".repeat(60_000)],
    ["deep describes", Array.from({ length: 340 }, (_, i) => `${" ".repeat(i)}▶ x`).join("\n")],
    ["go failures", "--- FAIL: a (0.00s)\n"],
    ["go events", '{"Action":"fail","Package":"p","Test":"t"}\n'],
    ["summaries", "Tests: 999999999999 failed, 99999999999999999999 total\n"],
    ["maven", "Tests run: 999999999, Failures: 999999999, Errors: 0\n"],
    ["returns", "\r"],
  ])("%s are read in bounded time", (_, part) => {
    expect(timed(fill(part))).toBeLessThan(1500);
  });

  test("recordings that were cut and mixed up are read without an exception, to counts that are numbers", () => {
    const lines = recordings.flatMap(({ text }) => text.split("\n"));
    const mixed = fc.array(fc.oneof(fc.constantFrom(...lines), fc.string(), fc.string({ unit: "grapheme-ascii" })), { maxLength: 60 });
    fc.assert(
      fc.property(mixed, fc.nat(20), (some, cut) => {
        const report = readResults(resultOf(some.join("\n").slice(cut)));
        if (report === null) return;
        for (const count of Object.values(report.totals)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        for (const each of report.cases) expect(each.name.length + each.suite.length + each.message.length).toBeLessThan(1100);
      }),
      { numRuns: 300 },
    );
  });

  test("a recording that lost its start never claims to name everything it did not name", () => {
    for (const { text } of recordings) {
      const whole = readResults(resultOf(text));
      const tail = text.slice(Math.floor(text.length / 2));
      const part = readResults({ ...resultOf(tail), outputBytes: Buffer.byteLength(text) });
      if (part === null || !part.complete) continue;
      const named = (report: TestReport | null): number => report?.cases.filter((each) => each.outcome === "failed").length ?? 0;
      expect(named(part)).toBe(named(whole));
    }
  });
});
