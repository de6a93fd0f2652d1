import type { AcceptanceResult, CommandResult, GatePolicy, TaskSpec } from "@dispatch/core";
import { defaultGatePolicy, laterSpecFields } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import type { Change } from "./change.ts";
import { judgeAcceptance } from "./judge-acceptance.ts";
import { judgeEvidence } from "./judge-evidence.ts";
import { judgeFailToPass, testsToProve } from "./judge-fail-to-pass.ts";
import { judgeTestsMin } from "./judge-tests-min.ts";
import { isSuiteFile } from "./language.ts";

function specOf(change: Partial<TaskSpec>): TaskSpec {
  const lists = { dependsOn: [], after: [], modifies: [], creates: [], deletes: [], forbids: [], reads: [], verify: [], labels: [] };
  const numbers = { priority: 2 as const, estimateMinutes: 10, timeoutMinutes: 30, attempts: 4 };
  const words = { id: "S01-a", project: "shop", title: "a", type: "feature" as const, executor: "auto", commit: "feat: a", goal: "a" };
  return { ...lists, ...numbers, ...words, allowEmpty: false, ...laterSpecFields, ...change };
}

function changeOf(path: string, change: Partial<Change> = {}): Change {
  const oids = { oldOid: "0".repeat(40), newOid: "1".repeat(40) };
  return {
    path,
    kind: "added",
    oldMode: "000000",
    newMode: "100644",
    ...oids,
    binary: false,
    bytes: { before: 0, after: 0 },
    addedLines: [],
    removedLines: [],
    hunks: [],
    ...change,
  };
}

function ran(outputTail: string, exitCode = 0): CommandResult {
  return { command: "npm test", outcome: "exited", exitCode, signal: null, durationMs: 1, outputBytes: outputTail.length, outputTail };
}

const vitest = (passed: number, named: readonly string[] = []): CommandResult =>
  ran(`${named.map((name) => ` ✓ ${name} 2ms\n`).join("")}\n Test Files  1 passed (1)\n      Tests  ${passed} passed (${passed})\n`);

describe("G11", () => {
  const judge = (testsMin: TaskSpec["testsMin"], verify: readonly CommandResult[] | null, policy: GatePolicy = defaultGatePolicy): string[] =>
    judgeTestsMin({ spec: specOf({ testsMin }), policy, verify }).map((finding) => finding.found);
  const mixed = vitest(5, [
    "test/a.test.ts > one",
    "test/a.test.ts > two",
    "src/ui/b.test.ts > three",
    "test/e2e/c.test.ts > four",
    "src/d.test.tsx > five",
  ]);

  test.each<[string, TaskSpec["testsMin"], readonly CommandResult[] | null, number]>([
    ["nothing is demanded", {}, [ran("ok")], 0],
    ["enough of each kind", { unit: 2, ui: 2, e2e: 1 }, [mixed], 0],
    ["too few of one kind", { unit: 2, e2e: 2 }, [mixed], 1],
    ["too few of two kinds", { unit: 3, e2e: 2 }, [mixed], 2],
    ["tests whose file is not named count for what is short", { unit: 8, e2e: 2 }, [vitest(10)], 0],
    ["but only once", { unit: 8, e2e: 3 }, [vitest(10)], 2],
    ["tests of several commands add up", { unit: 3 }, [vitest(2), vitest(1)], 0],
    ["no known runner spoke", { unit: 1 }, [ran("all good")], 1],
    ["what is red has to be mended first", { unit: 99 }, [ran("boom", 1)], 0],
    ["results that are not judged here", { unit: 99 }, null, 0],
  ])("%s", (_, testsMin, verify, count) => {
    expect(judge(testsMin, verify)).toHaveLength(count);
  });

  test("the spec wins over the project's policy", () => {
    const policy: GatePolicy = { ...defaultGatePolicy, testsMin: { unit: 12 } };
    expect(judge({}, [vitest(3)], policy)).toHaveLength(1);
    expect(judge({ unit: 3 }, [vitest(3)], policy)).toHaveLength(0);
    expect(judge({ unit: 0 }, [vitest(0)], policy)).toHaveLength(0);
  });
});

describe("G12", () => {
  const spec = specOf({ acceptance: [{ id: "AC1", text: "51 posts are refused", command: "npm test", expected: "exit 0" }] });
  const item = (change: Partial<AcceptanceResult>): AcceptanceResult => ({
    item: "AC1",
    expected: "exit 0",
    met: true,
    result: ran("fine"),
    ...change,
  });

  test("an item that is met gives nothing, one that is not blocks with claim, expectation and output", () => {
    expect(judgeAcceptance({ spec, acceptance: [item({})] })).toEqual([]);
    const [finding] = judgeAcceptance({ spec, acceptance: [item({ met: false, result: ran("51 accepted", 1) })] });
    expect(finding).toMatchObject({ gate: "G12", severity: "block" });
    for (const part of ["AC1", "51 posts are refused", "exited with 1", "exit 0", "51 accepted"]) expect(finding?.found).toContain(part);
  });

  test("what nothing can compare is remarked on", () => {
    expect(judgeAcceptance({ spec, acceptance: [item({ expected: "shows the dashboard" })] }).map(({ severity }) => severity)).toEqual(["note"]);
  });
});

describe("G13", () => {
  const evidence = [{ scenario: "limit", path: "evidence/S01-a/limit.txt", manual: false }];
  const folder = [{ scenario: "limit", path: "evidence/S01-a", manual: false }];
  const empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
  test.each<[string, TaskSpec["evidence"], Change[], string[]]>([
    ["no scenario", [], [], []],
    ["the file is there", evidence, [changeOf("evidence/S01-a/limit.txt")], []],
    ["a file in the folder", folder, [changeOf("evidence/S01-a/x/limit.png", { binary: true })], []],
    ["nothing there", evidence, [changeOf("src/a.ts")], ["block"]],
    ["an empty file", evidence, [changeOf("evidence/S01-a/limit.txt", { newOid: empty })], ["block"]],
    ["a link to somewhere", evidence, [changeOf("evidence/S01-a/limit.txt", { newMode: "120000" })], ["block"]],
    ["evidence that was deleted", evidence, [changeOf("evidence/S01-a/limit.txt", { kind: "deleted", newMode: "000000" })], ["block"]],
    ["evidence of another task", folder, [changeOf("evidence/S01-ab/limit.txt")], ["block"]],
    ["a scenario for a person", [{ scenario: "look", path: "evidence/S01-a/look.png", manual: true }], [], ["note"]],
  ])("%s", (_, declared, changes, severities) => {
    expect(judgeEvidence({ spec: specOf({ evidence: declared }), changes }).map(({ severity }) => severity)).toEqual(severities);
  });
});

describe("G10", () => {
  const both = [changeOf("src/a.ts"), changeOf("test/a.test.ts"), changeOf("test/fixtures/a.json")];
  test.each<[string, Partial<TaskSpec>, Change[], string[]]>([
    ["a feature with a test and what it needs", {}, both, ["test/a.test.ts", "test/fixtures/a.json"]],
    ["a bugfix", { type: "bugfix" }, both, ["test/a.test.ts", "test/fixtures/a.json"]],
    ["a refactoring has nothing to show", { type: "refactor" }, both, []],
    ["nothing but tests", {}, [changeOf("test/a.test.ts")], []],
    ["tests and prose", {}, [changeOf("test/a.test.ts"), changeOf("README.md")], []],
    ["no test", {}, [changeOf("src/a.ts"), changeOf("test/fixtures/a.json")], []],
    ["a test that was deleted", {}, [changeOf("src/a.ts"), changeOf("test/a.test.ts", { kind: "deleted" })], []],
  ])("%s", (_, spec, changes, paths) => {
    expect(testsToProve({ spec: specOf(spec), changes }).map(({ path }) => path)).toEqual(paths);
  });

  test.each<[string, CommandResult[] | undefined, number]>([
    ["green on the base sources", [vitest(3)], 1],
    ["red there", [ran("not ok", 1)], 0],
    ["one of two is red there", [vitest(3), ran("boom", 2)], 0],
    ["green, but no known runner ran a test", [ran("built")], 0],
    ["not run", undefined, 0],
  ])("%s", (_, proof, count) => {
    expect(judgeFailToPass(proof === undefined ? {} : { proof })).toHaveLength(count);
  });

  test.each([
    ["src/a.test.ts", true],
    ["src/a.spec.jsx", true],
    ["__tests__/a.js", true],
    ["tests/test_a.py", true],
    ["tests/a.py", true],
    ["tests/conftest.py", false],
    ["pkg/a_test.go", true],
    ["tests/limits.rs", true],
    ["src/test/java/ATest.java", true],
    ["test/kit/build.ts", false],
    ["test/fixtures/a.test.json", false],
    ["tests/helpers.py", false],
    ["spec/a_spec.rb", true],
    ["src/contest.ts", false],
    ["docs/test.md", false],
  ])("%s is a file of tests: %s", (path, is) => {
    expect(isSuiteFile(path)).toBe(is);
  });
});
