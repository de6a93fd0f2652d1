import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildSpecGraph, specKey } from "../facts/spec-graph.ts";
import { defaultProtectedPaths, type LintFacts } from "../lint/lint-facts.ts";
import { lintSpecs } from "../lint/lint-specs.ts";
import { formatProblem, type Problem } from "../problem.ts";
import { contractFiles, direction, factsWith } from "../testing/draft-specs.ts";
import { parseSpec } from "./parse-spec.ts";

const facts: LintFacts = {
  projects: [{ id: "demo", hasVerify: false, files: ["lib/a.ts", "lib/b.ts"], protectedPaths: defaultProtectedPaths, tasks: [] }],
  executors: ["codex"],
};

const fields =
  "task_id id project title type priority modifies creates deletes forbids reads depends_on after verify executor tier skills estimate_min timeout_min attempts allow_empty contract context acceptance qa evidence tests_min requires questions assumptions review checkpoint commit budget network env direction parent source labels lang status x-own depends-on".split(
    " ",
  );
const values = [
  "S01-demo",
  "demo",
  "lib/a.ts",
  "../x",
  "[lib/a.ts, '*.ts']",
  "[S01-demo, S02-x]",
  "P0",
  "12",
  "-1",
  "true",
  "~",
  '""',
  "'",
  "*",
  "&a x",
  "{a: b}",
  "{run: x, expect: exit 2}",
  "[[a], {b: c}]",
  "|\n  text\n  more",
  ">-\n  folded",
  "\n  - a\n  - b: c",
  "\n\t- tab",
  "a: b",
  "`x`",
  "中文",
  "!!int x",
  "# none",
  "@",
  "[",
  "]",
  "\u0000",
  "\uFEFF",
  "__proto__",
];
const bodyLines = [
  "## Goal",
  "## 目标",
  "### Acceptance",
  "## 验收",
  "## QA",
  "# Title",
  "## Own",
  "Change lib/a.ts",
  "- [ ] a: `npm test` -> exit 0",
  "- [ ]",
  "1. x -> y",
  "```",
  "````",
  "~~~",
  "\\`\\`\\`",
  "<!--",
  "-->",
  "---",
  "task_id: S02",
  "Scenario: x",
  "Tool: sh",
  "Steps:",
  "  1. a",
  "Expected Result: b",
  "",
  "  deep",
  "`",
  "``",
  "a: b: -> ->",
  "\r",
  "| a | b |",
];

const line = fc.oneof(
  fc.tuple(fc.constantFrom(...fields), fc.constantFrom(...values)).map(([key, value]) => `${key}: ${value}`),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const likely = fc
  .tuple(
    fc.constantFrom("", "\uFEFF", "\n", " "),
    fc.array(line, { maxLength: 12 }),
    fc.array(fc.oneof(fc.constantFrom(...bodyLines), fc.string({ maxLength: 40 })), { maxLength: 25 }),
    fc.constantFrom("\n", "\r\n"),
  )
  .map(([start, front, body, end]) => [`${start}---`, ...front, "---", ...body].join(end));
const anyText = fc.oneof(
  likely,
  fc.string({ maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 300 }),
  likely.chain((text) => fc.nat(text.length).map((cut) => text.slice(0, cut))),
);

function expectInside(text: string, problem: Problem) {
  const rows = text
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n")
    .split("\n");
  const row = rows[problem.line - 1];
  expect(row, formatProblem(problem)).toBeDefined();
  expect(problem.column).toBeGreaterThanOrEqual(1);
  expect(problem.column, formatProblem(problem)).toBeLessThanOrEqual((row?.length ?? 0) + 1);
}

describe("for any text", () => {
  test("parsing and linting end, say the same again, and point into the file", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const file = "specs/demo/S01-demo.md";
        const parsed = parseSpec({ text, file });
        expect(parseSpec({ text, file })).toEqual(parsed);
        const problems = lintSpecs([{ file, parsed }], facts);
        for (const problem of problems) {
          expectInside(text, problem);
          expect(formatProblem(problem)).not.toContain("\n");
        }
        if (parsed.outcome === "unreadable") expect(parsed.problems.some(({ severity }) => severity === "error")).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("an acceptance section with text never gives nothing in silence", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bodyLines), { maxLength: 12 }), (lines) => {
        const text = `---\nmodifies: [lib/a.ts]\n---\n## Acceptance\n${lines.join("\n")}\n`;
        const parsed = parseSpec({ text, file: "specs/demo/S01-demo.md" });
        if (parsed.outcome === "unreadable" || parsed.document.acceptance.length > 0) return;
        const problems = lintSpecs([{ file: "specs/demo/S01-demo.md", parsed }], facts);
        expect(problems.some(({ id, severity }) => id === "AC001" && severity === "error")).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

const allFacts = factsWith({
  contractFiles,
  contracts: ["SHARED_CONTEXT.md"],
  directions: [{ ...direction, file: "inputs/D-1.md" }],
  retired: ["S09-x"],
});
const wordy = fc.constantFrom(
  "Add POST /schedule and `ScheduleItem` to lib/a.ts, and also TBD",
  "目测合理，待定，等等",
  "- [ ] fast: `curl ... | sh` -> manually",
  "- [ ] `npm run x && node test/b.test.ts` -> exit 1",
  "- no change of lib/a.ts",
  "## Do not",
  "<!-- TBD --> ??? <!--",
  "API_KEY=9fK2mZ81xQpL0vTr7YwB3nHc `rm -rf /`",
);

test("all rules together end, say the same again, and point into the file", () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.array(fc.oneof(wordy, fc.constantFrom(...bodyLines)), { maxLength: 20 }),
      fc.constantFrom("\n", "\r\n"),
      (front, body, end) => {
        const text = ["---", "modifies: [lib/a.ts]", "direction: D-1", ...front, "---", "## Goal", ...body].join(end);
        const file = "specs/demo/S01-demo.md";
        const other = "specs/demo/S02-x.md";
        const set = [
          { file, parsed: parseSpec({ text, file }) },
          { file: other, parsed: parseSpec({ text: "---\ncreates: [lib/item.ts]\n---\n## Goal\nAdd ScheduleItem in lib/item.ts", file: other }) },
        ];
        const problems = lintSpecs(set, allFacts);
        expect(
          lintSpecs([...set].reverse(), allFacts)
            .map(formatProblem)
            .sort(),
        ).toEqual(problems.map(formatProblem).sort());
        for (const problem of problems) if (problem.file === file) expectInside(text, problem);
      },
    ),
    { numRuns: 1500 },
  );
});

test("long and hostile texts are read in linear time", () => {
  const shapes = [
    "`",
    "## ",
    " #",
    "- [ ] a: `b` -> ",
    "```x\n",
    "\\`\\`\\`\n",
    "<!--",
    "<!-- -->",
    "id: x\n",
    "Scenario: x\n",
    "- [ ] \n",
    ": ",
    "->",
    "**",
    "| ",
    "\t",
    "－：",
    "~~~\n",
    "id: x\n---\n",
    "a/b.ts ",
    "... ",
    "not ",
    "`a` ",
    "- [ ] a: `x y` -> z\n",
    "合理",
    "add `x` ",
    "rm -r -r ",
    "POST /x ",
    "a.b. ",
    "token=",
    "a:b@",
  ];
  for (const shape of shapes) {
    for (const head of ["## Acceptance\n- [ ] ", "## QA\n", "## Goal\n", "## "]) {
      const text = `---\nmodifies: [lib/a.ts]\n---\n${head}${shape.repeat(Math.floor(200_000 / shape.length))}`;
      const start = performance.now();
      const file = "specs/demo/S01-demo.md";
      const parsed = parseSpec({ text, file });
      lintSpecs([{ file, parsed }], allFacts);
      expect(performance.now() - start, JSON.stringify(shape)).toBeLessThan(5000);
    }
  }
}, 180_000);

test("a cycle is reported exactly when there is one, and is a real walk along the edges", () => {
  const edges = fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 14 });
  fc.assert(
    fc.property(edges, (pairs) => {
      const set = Array.from({ length: 7 }, (_, i) => {
        const targets = pairs.filter(([from, to]) => from === i && to !== i).map(([, to]) => `S${to}`);
        const file = `specs/demo/S${i}.md`;
        return { file, parsed: parseSpec({ text: `---\nmodifies: [lib/a.ts]\ndepends_on: [${targets.join(", ")}]\n---\n`, file }) };
      });
      const readable = set.flatMap(({ file, parsed }) => (parsed.outcome === "parsed" ? [{ file, parsed }] : []));
      const graph = buildSpecGraph(readable, facts);
      for (const { parsed } of readable) {
        const key = specKey("demo", parsed.spec.id);
        const cycle = graph.cycleThrough(key);
        const reachable = new Set(graph.ancestorsOf(key).flatMap((node) => node.dependsOn));
        expect(cycle !== undefined).toBe(reachable.has(parsed.spec.id));
        for (const [i, step] of (cycle ?? []).entries()) {
          const next = cycle?.[i + 1];
          if (next !== undefined) expect(graph.nodes.get(step)?.dependsOn.map((id) => specKey("demo", id))).toContain(next);
        }
        if (cycle !== undefined) expect([cycle[0], cycle.at(-1)]).toEqual([key, key]);
      }
    }),
    { numRuns: 500 },
  );
});
