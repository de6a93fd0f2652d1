import type { CommandResult } from "@dispatch/core";
import { expect, test } from "vitest";
import { meetsExpectation } from "./meets-expectation.ts";

function printed(outputTail: string, exitCode: number | null = 0): CommandResult {
  return { command: "c", outcome: "exited", exitCode, signal: null, durationMs: 1, outputBytes: outputTail.length, outputTail };
}

test.each<[expected: string, output: string, exitCode: number, met: boolean]>([
  ["", "", 0, true],
  ["", "", 1, false],
  ["全绿", "", 0, true],
  ["all green", "", 3, false],
  ["exit 0", "anything", 0, true],
  ["exit 2", "", 2, true],
  ["exit 2", "", 0, false],
  ["exit code 0", "", 0, true],
  ["exits with 1", "", 1, true],
  ["non-zero", "", 4, true],
  ["fails", "", 0, false],
  ['equals "1"', "1\n", 0, true],
  ['equals "0"', "0\n", 1, true],
  ['equals "1"', "11\n", 0, false],
  ['"ok"', "ok\n", 0, true],
  ['contains "max 50"', "error: max 50 posts", 1, true],
  ['contains "max 50"', "error", 0, false],
  ['contains "hello" or "Hello"', "Hello you", 0, true],
  ['shows "a and b"', "x a and b y", 0, true],
  ['contains "Unauthorized" and HTTP 401', "HTTP/1.1 401\nUnauthorized", 0, true],
  ['contains "Unauthorized" and HTTP 401', "HTTP/1.1 403\nUnauthorized", 0, false],
  ['does not contain "secret"', "all clear", 0, true],
  ['does not contain "secret"', "a secret", 0, false],
  ["matches /^v\\d+\\.\\d+$/", "name\nv1.20\n", 0, true],
  ["matches /^v\\d+$/", "v1.20\n", 0, false],
  ["HTTP 401", "401", 0, true],
  ["401", "4010", 0, false],
  ["returns 402", "< HTTP/1.1 402 Payment", 22, true],
  ["< 200", "took 250 ms\n", 0, false],
  ["< 200", "p95: 150\n", 0, true],
  [">= 12", "12", 0, true],
  ["integer > 0", "0", 0, false],
  ["integer > 0", "none", 0, false],
])("%s, given %j and %i", (expected, output, exitCode, met) => {
  expect(meetsExpectation(expected, printed(output, exitCode))).toEqual({ met, unread: "" });
});

test("prose is told, and then the exit code decides", () => {
  expect(meetsExpectation("shows the dashboard", printed("x"))).toEqual({ met: true, unread: "shows the dashboard" });
  expect(meetsExpectation("shows the dashboard", printed("x", 1)).met).toBe(false);
  expect(meetsExpectation('shows the dashboard and contains "x"', printed("x", 1))).toEqual({ met: true, unread: "shows the dashboard" });
  expect(meetsExpectation("matches /(/", printed("x")).unread).toBe("matches /(/");
});

test("a command that did not end by itself meets nothing", () => {
  expect(meetsExpectation('contains "x"', { ...printed("x", null), outcome: "timed-out" }).met).toBe(false);
  expect(meetsExpectation("non-zero", { ...printed("x", null), outcome: "killed" }).met).toBe(false);
});
