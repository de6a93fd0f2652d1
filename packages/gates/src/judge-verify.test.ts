import type { CommandResult } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import { describeEvidence, judgeVerify } from "./judge-verify.ts";
import { quoteFailure } from "./quote-failure.ts";

function resultOf(change: Partial<CommandResult>): CommandResult {
  const outputTail = change.outputTail ?? "";
  return {
    command: "npm test",
    outcome: "exited",
    exitCode: 0,
    signal: null,
    durationMs: 1200,
    outputBytes: Buffer.byteLength(outputTail),
    ...change,
    outputTail,
  };
}

const judge = (verify: readonly CommandResult[] | null) => judgeVerify({ verify });
const green = "ℹ tests 2\nℹ suites 0\nℹ pass 2\nℹ fail 0\n";

describe("G01", () => {
  test.each<[string, Partial<CommandResult>[], number]>([
    ["green with tests", [{ outputTail: green }], 0],
    ["green of an unknown runner", [{ command: "make check", outputTail: "all good\n" }], 0],
    ["green, but no test ran", [{ outputTail: "# tests 0\n# suites 0\n# pass 0\n" }], 1],
    ["red", [{ exitCode: 1, outputTail: "boom\n" }], 1],
    ["red although the output says that all passed", [{ exitCode: 1, outputTail: green }], 1],
    ["timed out", [{ outcome: "timed-out", exitCode: null }], 1],
    ["killed", [{ outcome: "killed", exitCode: null, signal: "SIGKILL" }], 1],
    ["not started", [{ outcome: "not-started", exitCode: null }], 1],
    ["without an exit code", [{ exitCode: null }], 1],
    ["the second of three is red", [{ outputTail: green }, { exitCode: 2 }, { outputTail: green }], 1],
    ["two are red", [{ exitCode: 1 }, { exitCode: 127 }], 2],
    ["none was run", [], 1],
  ])("%s", (_, results, count) => {
    const findings = judge(results.map(resultOf));
    expect(findings.map(({ gate, severity }) => [gate, severity])).toEqual(Array(count).fill(["G01", "block"]));
  });

  test("results that are not judged here give nothing", () => {
    expect(judge(null)).toEqual([]);
  });

  test("a missing command, a command that may not run and a red one are told apart", () => {
    const hints = [127, 126, 1].map((exitCode) => judge([resultOf({ exitCode })])[0]?.hint);
    expect(new Set(hints).size).toBe(3);
  });

  test("evidence names the runner, or that there is only the exit code", () => {
    expect(describeEvidence(resultOf({ outputTail: green }))).toContain("node --test");
    expect(describeEvidence(resultOf({ outputTail: "ok" }))).toContain("exit code alone");
  });
});

const red: readonly (readonly [runner: string, output: string, failing: string[]])[] = [
  ["node TAP", "not ok 2 - bad one\n  ---\n    not ok 1 - inner\nnot ok 3 - later # TODO\n", ["bad one", "inner"]],
  ["node spec", "✖ bad one (0.9ms)\n▶ s\n  ✖ inner (8.7ms)\n✖ failing tests:\n", ["bad one", "inner"]],
  ["vitest", " FAIL  a.test.ts > suite > bad\n", ["a.test.ts > suite > bad"]],
  ["jest", "FAIL src/a.test.js\n  ● suite › bad\n", ["src/a.test.js", "suite › bad"]],
  ["mocha", "  1 failing\n\n  1) suite\n       bad:\n", ["suite"]],
  ["pytest", "FAILED test_x.py::test_c - assert 1 == 2\n", ["test_x.py::test_c - assert 1 == 2"]],
  ["unittest", "FAIL: test_a (test_u.T.test_a)\n", ["test_a (test_u.T.test_a)"]],
  ["go", "--- FAIL: TestB (0.01s)\n    b_test.go:9: no\nFAIL\n", ["TestB"]],
  ["cargo", "test tests::adds ... FAILED\n", ["tests::adds"]],
];

describe("the quoted failure", () => {
  test.each(red)("names the failing tests of %s", (_, output, failing) => {
    expect(quoteFailure(output).failing).toEqual(failing);
  });

  test("shows the first failure and the end of a long output, within its size", () => {
    const noise = Array.from({ length: 5000 }, (_, i) => `line ${i}`).join("\n");
    const { quote } = quoteFailure(`${noise}\nnot ok 7 - deep\n  error: 'the reason'\n${noise}\nthe very end\n`);
    expect(quote).toContain("the reason");
    expect(quote.endsWith("the very end")).toBe(true);
    expect(quote.length).toBeLessThan(5_100);
  });

  test("has no terminal sequences, controls or bidi marks, and keeps text that an unclosed sequence tries to hide", () => {
    const hostile =
      "\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u001b]8;;unclosed\nshown\u202e\u0000\u0008\n10%\r50%\r100%\r\n\u009b1mbold\u001bc\n";
    const { quote } = quoteFailure(hostile);
    expect(quote).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(quote).toContain("red x");
    expect(quote).toContain("unclosed\nshown\n100%\nbold");
  });

  test("a finding stays far below the size of the output", () => {
    const outputTail = `${"✖ x".repeat(10)} (1ms)\n`.repeat(2000);
    const [finding] = judge([resultOf({ exitCode: 1, outputTail, command: `sh -c "${"y".repeat(5000)}"` })]);
    expect(finding?.found.length).toBeLessThan(7_000);
  });
});
