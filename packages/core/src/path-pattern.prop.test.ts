import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coversPath, patternProblem, patternsOverlap } from "./path-pattern.ts";

const names = ["a", "b", "ab"];
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const segment = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "?", "**", "[ab]");
const pattern = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));

/** Every path of up to four segments over the small alphabet. */
const universe: string[] = [];
const grow = (prefix: string[], depth: number): void => {
  for (const name of names) {
    const parts = [...prefix, name];
    universe.push(parts.join("/"));
    if (depth > 1) grow(parts, depth - 1);
  }
};
grow([], 4);

describe("path patterns", () => {
  it("never call two patterns apart that cover a common path", () => {
    fc.assert(
      fc.property(pattern, pattern, (left, right) => {
        const common = universe.find((candidate) => coversPath(left, candidate) && coversPath(right, candidate));
        if (common !== undefined) expect(patternsOverlap(left, right)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("decide entries without wildcards exactly: equal, or one below the other", () => {
    fc.assert(
      fc.property(path, path, (left, right) => {
        expect(patternsOverlap(left, right)).toBe(left === right || left.startsWith(`${right}/`) || right.startsWith(`${left}/`));
      }),
    );
  });

  it("overlap both ways alike", () => {
    fc.assert(
      fc.property(pattern, pattern, (left, right) => {
        expect(patternsOverlap(left, right)).toBe(patternsOverlap(right, left));
      }),
    );
  });

  it("decide one glob against a plain path exactly", () => {
    fc.assert(
      fc.property(pattern, path, (glob, plain) => {
        const meets = universe.some((candidate) => (candidate === plain || candidate.startsWith(`${plain}/`)) && coversPath(glob, candidate));
        if (!meets && glob.includes("*")) return;
        expect(patternsOverlap(glob, plain)).toBe(meets);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("patternProblem", () => {
  it.each([
    ["", "is empty"],
    ["/etc/passwd", "is absolute"],
    ["C:/x", "is absolute"],
    ["../x", "leaves"],
    ["a/../../x", "leaves"],
    ["a\\b", "backslash"],
    ["a//b", "segment"],
    ["./a", "segment"],
    [".git/config", ".git"],
    ["~/x", "~"],
    ["a\0b", "NUL"],
  ])("refuses %j", (entry, word) => {
    expect(patternProblem(entry)).toContain(word);
  });

  it.each(["src/a.ts", "src/", "src/**/*.ts", "docs/ä b.md", ".github/x"])("accepts %j", (entry) => {
    expect(patternProblem(entry)).toBeUndefined();
  });
});
