import { describe, expect, test } from "vitest";
import { lintRules } from "./lint/lint-rules.ts";
import { describeRules, toJsonReport, toSarif } from "./report-problems.ts";
import { lint } from "./testing/draft-specs.ts";

const problems = lint([{ id: "S01-demo", head: "prioriti: 1\nmodifies: [./lib/a.ts]", doNot: "" }]);

describe("problems for programs", () => {
  test("SARIF: each result points to its rule and its place", () => {
    const log = toSarif(
      problems.map((problem) => ({ ...problem, file: "specs/a b/ü.md" })),
      "1.2.3",
    );
    expect(log).toMatchObject({ version: "2.1.0", runs: [{ tool: { driver: { version: "1.2.3", rules: lintRules.map(({ id }) => ({ id })) } } }] });
    const [run] = log["runs"] as [{ results: { ruleId: string; ruleIndex: number; level: string; locations: unknown[] }[] }];
    expect(run.results.map(({ ruleId, level }) => [ruleId, level])).toEqual(problems.map(({ id, severity }) => [id, severity]));
    for (const { ruleId, ruleIndex } of run.results) expect(lintRules[ruleIndex]?.id).toBe(ruleId);
    expect(run.results[0]?.locations).toMatchObject([
      {
        physicalLocation: {
          artifactLocation: { uri: "specs/a%20b/%C3%BC.md" },
          region: { startLine: problems[0]?.line, startColumn: problems[0]?.column },
        },
      },
    ]);
  });

  test("JSON: counts, and fixes as words", () => {
    const report = toJsonReport(problems);
    expect([report.errors, report.warnings]).toEqual([2, 1]);
    expect(report.problems.flatMap(({ fix }) => fix ?? [])).toHaveLength(2);
    expect(JSON.stringify(report)).not.toContain('"repair"');
  });

  test("an unpaired surrogate in a path does no harm", () => {
    const [first] = problems;
    expect(() => toSarif(first === undefined ? [] : [{ ...first, file: "a\uD800.md" }], "1")).not.toThrow();
  });
});

test("the page of the rules has a row for each", () => {
  expect(describeRules().match(/^\| [A-Z]+\d{3} \|/gm)).toHaveLength(lintRules.length);
});
