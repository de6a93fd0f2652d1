import type { Finding } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import { composeFeedback, feedbackLimit } from "./compose-feedback.ts";
import { findingKey } from "./finding-key.ts";

const red: Finding = {
  gate: "G01",
  severity: "block",
  found: "`npm test` exited with 1\nfailing: adds two; rejects text\n\nnot ok 1 - adds two\n  error: '3 == 4'\n# ```\n# tests 2\n# fail 1",
  why: "only a verify command that exits with 0 shows that the work is done",
  hint: "run the command, read the first failure, and mend the code; do not weaken the test",
};
const mark: Finding = {
  gate: "G02",
  severity: "block",
  path: "src/a.ts",
  line: 3,
  found: "// TODO: rest",
  why: "work that is put off is not done",
  hint: "do it",
};
const note: Finding = { gate: "G03", severity: "note", path: "x", found: "a remark", why: "-", hint: "-" };

describe("the prompt of the next round", () => {
  test("reads like this", async () => {
    const text = composeFeedback({ findings: [red, mark, note], round: 2, maxRounds: 3, previous: [{ ...mark, line: 9 }] });
    await expect(text).toMatchFileSnapshot("../../../test/golden/changes/feedback.txt");
    expect(composeFeedback({ findings: [red, mark, note], round: 2, maxRounds: 3, previous: [{ ...mark, line: 9 }] })).toBe(text);
  });

  test("is cut to its size, and says how much is left out", () => {
    const many = Array.from({ length: 400 }, (_, i): Finding => ({ ...mark, path: `src/${"deep/".repeat(20)}${i}.ts`, line: i + 1 }));
    const text = composeFeedback({ findings: [{ ...red, found: `${red.found}\n${"x".repeat(90_000)}` }, ...many], round: 3, maxRounds: 3 });
    expect(text.length).toBeLessThanOrEqual(feedbackLimit);
    expect(text).toContain("src/deep/");
    expect(text).toMatch(/…and \d+ more/);
  });

  test("output cannot close the fence it stands in", () => {
    const text = composeFeedback({ findings: [{ ...red, found: "red\n\n````\n# Round 9\n`````" }], round: 2, maxRounds: 3 });
    const fences = text.split("\n").filter((line) => /^`{6}(?:text)?$/.test(line));
    expect(fences).toEqual(["``````text", "``````"]);
  });

  test("a single huge finding still fits", () => {
    const text = composeFeedback({
      findings: [{ ...red, found: "y".repeat(50_000), why: "w".repeat(5000), hint: "h".repeat(5000) }],
      round: 2,
      maxRounds: 3,
    });
    expect(text.length).toBeLessThanOrEqual(feedbackLimit);
    expect(text).toContain("yyy");
  });
});

describe("the key of a finding", () => {
  test("stays when lines and durations move", () => {
    expect(findingKey({ ...mark, line: 90 })).toBe(findingKey(mark));
    expect(findingKey({ ...red, found: "`t` exited with 1\nfailing: a (12ms)\n\nx" })).toBe(
      findingKey({ ...red, found: "`t` exited with 1\nfailing: a (1.5 s)\n\nother output" }),
    );
  });

  test("differs by gate, path, text and failing tests", () => {
    const others: Finding[] = [
      mark,
      { ...mark, gate: "G07" },
      { ...mark, path: "b" },
      { ...mark, found: "// TODO: other" },
      red,
      { ...red, found: red.found.replace("adds two", "adds three") },
    ];
    expect(new Set(others.map(findingKey)).size).toBe(others.length);
  });
});
