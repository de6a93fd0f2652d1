import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandResult } from "@dispatch/core";
import { afterAll, describe, expect, test } from "vitest";
import { readResults } from "./read-results.ts";
import { ranOf } from "./test-report.ts";

function resultOf(outputTail: string, cut = false): CommandResult {
  const outputBytes = Buffer.byteLength(outputTail) + (cut ? 100_000 : 0);
  return { command: "npm test", outcome: "exited", exitCode: 0, signal: null, durationMs: 1, outputBytes, outputTail };
}

/** Who spoke and how many tests ran: what is skipped did not. */
function countTests(result: CommandResult): { runner: string; tests: number } | null {
  const report = readResults(result);
  return report === null ? null : { runner: report.runner, tests: ranOf(report.totals) };
}

const goOk = "ok  \texample.org/posts\t0.012s\n";
const table: readonly (readonly [name: string, output: string, runner: string | null, tests: number])[] = [
  [
    "node TAP",
    "TAP version 13\n# Subtest: a\nok 1 - a\n1..1\n# tests 3\n# suites 1\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n",
    "node --test",
    2,
  ],
  ["node spec", "✔ good (0.8ms)\nℹ tests 1\nℹ suites 0\nℹ pass 1\nℹ fail 0\nℹ skipped 0\n", "node --test", 1],
  [
    "node in colour",
    "\u001b[32m✔ good \u001b[90m(0.8ms)\u001b[39m\u001b[39m\n\u001b[34mℹ tests 1\u001b[39m\n\u001b[34mℹ suites 0\u001b[39m\n\u001b[34mℹ pass 1\u001b[39m\n",
    "node --test",
    1,
  ],
  ["node without files", "TAP version 13\n1..0\n# tests 0\n# suites 0\n# pass 0\n# fail 0\n", "node --test", 0],
  [
    "node with a file that tests nothing",
    "TAP version 13\n# Subtest: /w/a.test.mjs\nok 1 - /w/a.test.mjs\n1..1\n# tests 1\n# suites 0\n# pass 1\n",
    "node --test",
    0,
  ],
  ["node, all skipped", "ℹ tests 2\nℹ suites 0\nℹ pass 0\nℹ fail 0\nℹ skipped 2\n", "node --test", 0],
  ["tape", "TAP version 13\n# adds\nok 1 should be equal\n\n1..1\n# tests 1\n# pass  1\n\n# ok\n", "tap", 1],
  ["plain TAP", "TAP version 14\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP later\n1..3\n", "tap", 2],
  ["TAP whose tests are files", "TAP version 13\nok 1 - t/a.test.js\nok 2 - t/b.test.js\n1..2\n", "tap", 2],
  ["TAP with an empty plan", "TAP version 13\n1..0 # nothing\n", "tap", 0],
  ["vitest", " Test Files  1 failed (1)\n      Tests  1 failed | 1 passed | 1 skipped (3)\n   Start at  18:51:57\n", "vitest", 2],
  ["vitest, all skipped", " Test Files  1 skipped (1)\n      Tests  1 skipped (1)\n", "vitest", 0],
  ["vitest without files", "No test files found, exiting with code 0\n\ninclude: **/*.test.ts\n", "vitest", 0],
  [
    "vitest in two packages, one empty",
    "No test files found, exiting with code 0\n Test Files  2 passed (2)\n      Tests  7 passed (7)\n",
    "vitest",
    7,
  ],
  ["jest", "Test Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 1 skipped, 4 passed, 6 total\nSnapshots:   0 total\n", "jest", 5],
  ["jest without files", "No tests found, exiting with code 0\n", "jest", 0],
  ["mocha", "\n  5 passing (12ms)\n  2 pending\n  1 failing\n", "mocha", 6],
  ["mocha with nothing", "\n  0 passing (1ms)\n", "mocha", 0],
  ["pytest", "==================== 1 failed, 1 passed, 1 skipped in 0.88s ====================\n", "pytest", 2],
  ["pytest -q", ".....\n5 passed, 2 warnings in 1.20s\n", "pytest", 5],
  ["pytest with nothing", "collected 0 items\n\n============ no tests ran in 0.01s ============\n", "pytest", 0],
  ["pytest, all deselected", "3 deselected in 0.77s\n", "pytest", 0],
  ["unittest", "----\nRan 2 tests in 0.000s\n\nFAILED (failures=1, skipped=1)\n", "unittest", 1],
  ["unittest with nothing", "----\nRan 0 tests in 0.000s\n\nOK\n", "unittest", 0],
  ["go", `${goOk}?   \texample.org/posts/db\t[no test files]\nok  \texample.org/posts/api\t(cached)\tcoverage: 80.0% of statements\n`, "go test", 2],
  [
    "go -v",
    "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/sub (0.00s)\n--- FAIL: TestB (0.01s)\nFAIL\nFAIL\texample.org/posts\t0.020s\n",
    "go test",
    3,
  ],
  ["go without tests", "?   \texample.org/posts\t[no test files]\nok  \texample.org/posts/db\t0.002s [no tests to run]\n", "go test", 0],
  [
    "cargo",
    "running 1 test\ntest tests::it_works ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored;\n",
    "cargo test",
    1,
  ],
  ["cargo without tests", "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n", "cargo test", 0],
  ["maven", "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.1 s\n", "maven", 3],
  ["JUnit XML", '<testsuites><testsuite name="a" tests="3" failures="0"></testsuite></testsuites>\n', "junit", 3],
  ["a build and a linter", "> posts@1.0.0 check\n> tsc -b && eslint .\n\n✨ Done in 0.4s\n", null, 0],
  ["nothing", "", null, 0],
];

test.each(table)("%s is read", (_, output, runner, tests) => {
  expect(countTests(resultOf(output))).toEqual(runner === null ? null : { runner, tests });
});

test("two runners add up", () => {
  expect(countTests(resultOf(`  0 passing (1ms)\n${goOk}`))).toEqual({ runner: "mocha and go test", tests: 1 });
});

test("where the start of the output is gone, a zero of a runner that speaks per package says nothing", () => {
  expect(countTests(resultOf("running 0 tests\n\ntest result: ok. 0 passed; 0 failed;\n", true))).toBeNull();
  expect(countTests(resultOf("ℹ tests 0\nℹ suites 0\nℹ pass 0\n", true))).toEqual({ runner: "node --test", tests: 0 });
});

describe("the runner of this node", () => {
  const folder = mkdtempSync(join(tmpdir(), "gates-count-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (reporter: string, files: Record<string, string>): CommandResult => {
    const paths = Object.entries(files).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    });
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    return resultOf(execFileSync(process.execPath, ["--test", `--test-reporter=${reporter}`, ...paths], { encoding: "utf8", env, cwd: folder }));
  };
  const real = 'import test from "node:test"; test("a", () => {}); test("b", () => {}); test.skip("c", () => {});';
  test.each(["tap", "spec"])("is read from its %s reporter", (reporter) => {
    expect(countTests(run(reporter, { "real.test.mjs": real }))).toEqual({ runner: "node --test", tests: 2 });
    expect(countTests(run(reporter, { "idle.test.mjs": "export {};" }))).toEqual({ runner: "node --test", tests: 0 });
    expect(countTests(run(reporter, { "real.test.mjs": real, "idle.test.mjs": "export {};" }))).toEqual({ runner: "node --test", tests: 2 });
  });
});
