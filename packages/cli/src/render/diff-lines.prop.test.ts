import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareLines, diffLines } from "./diff-lines.ts";

const text = fc.array(fc.constantFrom("a", "b", "c", "", "- [ ] x"), { maxLength: 14 }).map((lines) => lines.join("\n"));
const names = { before: "old", after: "new" };

/** Applies a unified diff to a text, as patch(1) would. */
function apply(before: string, diff: readonly string[]): string {
  const lines = before.split("\n");
  const result: string[] = [];
  let at = 0;
  for (const line of diff.slice(2)) {
    const [, start] = /^@@ -(\d+),/.exec(line) ?? [];
    if (start !== undefined) {
      while (at < Number(start) - 1) result.push(lines[at++] ?? "");
    } else if (line.startsWith("+")) result.push(line.slice(1));
    else {
      expect(lines[at]).toBe(line.slice(1));
      if (line.startsWith(" ")) result.push(line.slice(1));
      at += 1;
    }
  }
  return [...result, ...lines.slice(at)].join("\n");
}

describe("a diff of two texts", () => {
  it("makes the one of the other", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = diffLines(before, after, names);
        expect(diff.length === 0).toBe(before === after);
        expect(apply(before, diff)).toBe(after);
      }),
    );
  });

  it("keeps as many lines as the two have in common in order, and no fewer", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const kept = compareLines(before, after).filter((edit) => edit.kind === "same").length;
        expect(kept).toBe(longestCommon(before.split("\n"), after.split("\n")));
      }),
    );
  });

  it("says nothing of lines far from any change", () => {
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    const diff = diffLines(lines.join("\n"), lines.with(20, "changed").join("\n"), names);
    expect(diff.slice(2)).toEqual([
      "@@ -18,7 +18,7 @@",
      " line 17",
      " line 18",
      " line 19",
      "-line 20",
      "+changed",
      " line 21",
      " line 22",
      " line 23",
    ]);
  });
});

function longestCommon(left: readonly string[], right: readonly string[]): number {
  const [first, ...rest] = left;
  if (first === undefined || right.length === 0) return 0;
  const found = right.indexOf(first);
  const without = longestCommon(rest, right);
  return found < 0 ? without : Math.max(without, 1 + longestCommon(rest, right.slice(found + 1)));
}
