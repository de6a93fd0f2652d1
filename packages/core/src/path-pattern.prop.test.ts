import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coversPath, patternProblem, patternsOverlap, reachesInto } from "./path-pattern.ts";

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

/** Names of up to three letters: enough to find a witness for any two segments of two tokens over a, b and c. */
const letters = ["a", "b", "c"];
const shortNames = letters.flatMap((x) => [x, ...letters.flatMap((y) => [x + y, ...letters.map((z) => x + y + z)])]);
const token = fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]", "[b-c]");
const oneSegment = fc.array(token, { minLength: 1, maxLength: 2 }).map((tokens) => tokens.join(""));

const pairs: string[] = [];
for (const first of shortNames.filter((name) => name.length <= 2)) {
  pairs.push(first);
  for (const second of shortNames.filter((name) => name.length <= 2)) pairs.push(`${first}/${second}`);
}

describe("whether two globs meet", () => {
  it("is exact for segments: they meet when a name is in both, and never otherwise", () => {
    fc.assert(
      fc.property(oneSegment, oneSegment, (left, right) => {
        fc.pre(left !== "**" && right !== "**");
        const globbed = [`x*/${left}`, `x*/${right}`] as const;
        const common = shortNames.some((name) => coversPath(globbed[0], `x/${name}`) && coversPath(globbed[1], `x/${name}`));
        expect(patternsOverlap(globbed[0], globbed[1])).toBe(common);
      }),
      { numRuns: 3000 },
    );
  });

  it("is exact for paths: two patterns of up to two segments meet when a path of up to four is in both", () => {
    const small = fc
      .array(fc.constantFrom("a", "b", "*", "**", "?", "[!a]", "a*"), { minLength: 1, maxLength: 2 })
      .map((segments) => segments.join("/"));
    const deep = pairs
      .filter((one) => !one.includes("c"))
      .flatMap((one) => [one, ...["a", "b"].flatMap((next) => [`${one}/${next}`, `${one}/${next}/b`])]);
    fc.assert(
      fc.property(small, small, (left, right) => {
        const common = [...deep, ...pairs].some((candidate) => coversPath(left, candidate) && coversPath(right, candidate));
        expect(patternsOverlap(left, right)).toBe(common);
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    ["src/*.ts", "src/*.md", false],
    ["src/**/*.ts", "src/a/b", true],
    ["src/**/a.ts", "src/**/b.ts", false],
    ["*a*b", "*b*a", false],
    ["a*b*", "*b*a", true],
    ["[a-f]*", "[g-z]*", false],
    ["[!a]", "a", false],
    ["[z-a]", "*", false],
    ["**/[z-a]/x", "**", false],
    ["x[]y", "x[[]]y", true],
    ["x[]y", "x[[]y", false],
    ["[]a]", "[]b]", true],
    ["lib", "lib/x.ts", true],
    ["lib", "library", false],
    ["**", "a/b/c", true],
    ["a/**", "a", true],
  ])("knows %j against %j: %j", (left, right, meets) => {
    expect(patternsOverlap(left, right)).toBe(meets);
    expect(patternsOverlap(right, left)).toBe(meets);
  });

  it("answers hostile patterns at once", () => {
    const spans = `${"**/".repeat(400)}a`;
    const otherSpans = `${"**/".repeat(400)}b`;
    const stars = `${"*a".repeat(400)}b`;
    const otherStars = `${"*a".repeat(400)}c`;
    const start = performance.now();
    expect(patternsOverlap(spans, otherSpans)).toBe(false);
    expect(patternsOverlap(`${spans}/*`, `${otherSpans}/*/*`)).toBe(true);
    expect(patternsOverlap(stars, otherStars)).toBe(false);
    expect(coversPath(spans, `${"x/".repeat(400)}b`)).toBe(false);
    expect(coversPath(stars, "a".repeat(255))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("takes patterns longer than any path for meeting", () => {
    expect(patternsOverlap(`${"**/".repeat(3000)}a`, `${"**/".repeat(3000)}b`)).toBe(true);
  });
});

describe("whether an entry reaches into a pattern", () => {
  it.each([
    ["docs/a.md", "**/contract.md", false],
    ["docs", "**/contract.md", false],
    ["docs/contract.md", "**/contract.md", true],
    ["contract.md", "**/contract.md", true],
    ["docs/**", "**/contract.md", true],
    ["api/", "*.yaml", false],
    ["api.yaml", "*.yaml", true],
    ["shared/docs", "shared/**/x.md", true],
    ["shared", "shared/x.md", true],
  ])("knows %j and %j: %j", (entry, pattern, reaches) => {
    expect(reachesInto(entry, pattern)).toBe(reaches);
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
