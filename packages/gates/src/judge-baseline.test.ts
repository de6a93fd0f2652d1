import type { CommandResult } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import { judgeBaseline } from "./judge-baseline.ts";
import { judgeVerify } from "./judge-verify.ts";
import { baselineOf, deservesRetry, needsBaseline, turnedGreen } from "./results/baseline.ts";

function tap(...points: string[]): CommandResult {
  const outputTail = ["TAP version 13", ...points.map((point, i) => point.replace("ok", `ok ${i + 1} -`)), `1..${points.length}`, ""].join("\n");
  const exitCode = points.some((point) => point.startsWith("not")) ? 1 : 0;
  return { command: "npm test", outcome: "exited", exitCode, signal: null, durationMs: 1, outputBytes: outputTail.length, outputTail };
}

const base = "a".repeat(40);
const judge = (now: CommandResult, before: CommandResult) => {
  const input = { verify: [now], baseline: baselineOf(base, [before]) };
  return [...judgeVerify(input), ...judgeBaseline(input)].map(({ gate, severity }) => `${gate} ${severity}`);
};

describe("G15", () => {
  test.each([
    ["green on both", tap("ok a"), tap("ok a"), []],
    ["a test that passed on the base fails", tap("not ok a"), tap("ok a"), ["G01 block", "G15 block"]],
    ["a test fails that was not on the base", tap("ok a", "not ok b"), tap("ok a"), ["G01 block", "G15 block"]],
    ["only what failed on the base fails", tap("not ok a", "ok b"), tap("not ok a"), ["G15 note"]],
    ["something old and something new fail", tap("not ok a", "not ok b"), tap("not ok a", "ok b"), ["G01 block", "G15 block", "G15 note"]],
    ["what failed on the base passes now", tap("ok a"), tap("not ok a"), []],
    [
      "the base is red and says no more than that",
      { ...tap("not ok a") },
      { ...tap("not ok a"), outputTail: "make: error" },
      ["G01 block", "G15 block"],
    ],
    ["the command ends in another way than on the base", { ...tap("not ok a"), exitCode: 2 }, tap("not ok a"), ["G01 block", "G15 note"]],
    [
      "it was killed before it could name everything",
      { ...tap("not ok a"), outcome: "killed" as const, exitCode: null },
      tap("not ok a"),
      ["G01 block", "G15 note"],
    ],
    [
      "the start of the output is gone, and with it other failures",
      { ...tap("not ok a"), outputBytes: 1e6 },
      tap("not ok a"),
      ["G01 block", "G15 note"],
    ],
    ["the base timed out", tap("not ok a"), { ...tap("not ok a"), outcome: "timed-out" as const, exitCode: null }, ["G01 block", "G15 note"]],
  ])("%s", (_, now, before, expected) => {
    expect(judge(now, before)).toEqual(expected);
  });

  test("a failure of one command is no excuse for another one", () => {
    const lint: CommandResult = { ...tap("not ok a"), command: "npm run lint" };
    const input = { verify: [lint], baseline: baselineOf(base, [tap("not ok a"), { ...lint, exitCode: 0 }]) };
    expect(judgeBaseline(input).map(({ severity }) => severity)).toEqual(["block"]);
    expect(judgeVerify(input)).toHaveLength(1);
  });

  test("names the test, its message and the file, and tells that an old failure looks different", () => {
    const output = (message: string): string =>
      ` FAIL  src/a.test.ts > adds\nAssertionError: ${message}\n⎯⎯⎯⎯[1/1]⎯\n Test Files  1 failed (1)\n      Tests  1 failed (1)\n`;
    const vitest = (message: string): CommandResult => ({ ...tap("not ok a"), outputTail: output(message), outputBytes: 10 });
    const [fresh] = judgeBaseline({ verify: [vitest("expected 3 to be 4")], baseline: baselineOf(base, [tap("ok a")]) });
    expect(fresh).toMatchObject({ path: "src/a.test.ts", found: "src/a.test.ts › adds fails: AssertionError: expected 3 to be 4" });
    const [same] = judgeBaseline({ verify: [vitest("took 3 ms")], baseline: baselineOf(base, [vitest("took 99 ms")]) });
    const [other] = judgeBaseline({ verify: [vitest("expected 5 to be 4")], baseline: baselineOf(base, [vitest("expected 3 to be 4")]) });
    expect([same?.found.includes("another message"), other?.found.includes("another message")]).toEqual([false, true]);
  });

  test("many new failures are cut to a number, and the rest is counted", () => {
    const many = tap(...Array.from({ length: 60 }, (_, i) => `not ok t${i}`));
    const findings = judgeBaseline({ verify: [many], baseline: baselineOf(base, [tap("ok a")]) });
    expect(findings).toHaveLength(21);
    expect(findings.at(-1)?.found).toContain("40 more");
  });

  test("without a run on the base there is nothing to compare", () => {
    expect(judgeBaseline({ verify: [tap("not ok a")] })).toEqual([]);
    expect(judgeBaseline({ verify: null, baseline: baselineOf(base, [tap("ok a")]) })).toEqual([]);
  });
});

test("the base is asked only when a red command names what failed", () => {
  expect(needsBaseline([tap("ok a")])).toBe(false);
  expect(needsBaseline([{ ...tap("ok a"), exitCode: 1, outputTail: "boom" }])).toBe(false);
  expect(needsBaseline([{ ...tap("not ok a"), outcome: "timed-out", exitCode: null }])).toBe(false);
  expect(needsBaseline([tap("ok a"), tap("not ok a")])).toBe(true);
});

describe("known flakes", () => {
  const flake = [{ suite: "", name: "a" }];
  test.each([
    ["nothing but a known flake is red", tap("not ok a", "ok b"), null, true],
    ["something else is red too", tap("not ok a", "not ok b"), null, false],
    ["something else is red, as it was on the base", tap("not ok a", "not ok b"), tap("ok a", "not ok b"), true],
    ["nothing is red", tap("ok a"), null, false],
    ["all that is red was so on the base", tap("not ok a"), tap("not ok a"), false],
    ["the output does not name everything", { ...tap("not ok a"), outputBytes: 1e6 }, null, false],
  ])("%s", (_, now, before, expected) => {
    expect(deservesRetry([now], before === null ? null : baselineOf(base, [before]), flake)).toBe(expected);
    expect(deservesRetry([now], before === null ? null : baselineOf(base, [before]), [])).toBe(false);
  });

  test("a test is flaky that was red and then not, by the same command", () => {
    expect(turnedGreen([tap("not ok a", "not ok b")], [tap("ok a", "not ok b")])).toEqual([{ suite: "", name: "a" }]);
    expect(turnedGreen([tap("not ok a")], [{ ...tap("ok a"), command: "other" }])).toEqual([]);
    expect(turnedGreen([tap("not ok a")], [{ ...tap("ok a"), outputTail: "boom", exitCode: 1 }])).toEqual([]);
    expect(turnedGreen([tap("ok a")], [tap("ok a")])).toEqual([]);
  });
});
