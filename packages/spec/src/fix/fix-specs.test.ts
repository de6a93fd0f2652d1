import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LintFacts, ParsedFile } from "../lint/lint-facts.ts";
import { lintSpecs } from "../lint/lint-specs.ts";
import { parseSpec } from "../parse/parse-spec.ts";
import { formatProblem } from "../problem.ts";
import { factsWith } from "../testing/draft-specs.ts";
import { fixSpecs } from "./fix-specs.ts";

const body = "## Goal\nChange addOne() of lib/a.ts.\n## Acceptance\n- [ ] bad input is refused: `pytest test/a.test.ts` -> exit 0\n## Do not\n- x\n";

function file(text: string, stem = "S01-demo"): ParsedFile {
  const path = `specs/demo/${stem}.md`;
  return { file: path, parsed: parseSpec({ text, file: path }) };
}

function fixed(head: string, facts = factsWith(), rest = body): string | undefined {
  return fixSpecs([file(`---\n${head}\n---\n${rest}`)], facts)[0]?.text;
}

describe("one spec", () => {
  test.each<[string, string, string]>([
    ["id: S1-demo\nmodifies: [lib/a.ts]", "id: S01-demo\nmodifies: [lib/a.ts]", "the id of the file"],
    ["task_id: 'S1-demo' # mine\nmodifies: [lib/a.ts]", "task_id: 'S01-demo' # mine\nmodifies: [lib/a.ts]", "quotes and comments"],
    ["depend_on: []\nmodifies: [lib/a.ts]", "depends_on: []\nmodifies: [lib/a.ts]", "a misspelt field"],
    ["dependsOn: []\nmodifies: [lib/a.ts]", "depends_on: []\nmodifies: [lib/a.ts]", "a field in camel case"],
    ['modifies: [./lib/a.ts, "./lib/b.ts"]', 'modifies: [lib/a.ts, "lib/b.ts"]', "a path with a dot"],
    ["modifies:\n  - ./lib/a.ts   # it\n  - lib/b.ts", "modifies:\n  - lib/a.ts   # it\n  - lib/b.ts", "a path with a dot in a block"],
    ["priority: p1\nmodifies: [lib/a.ts]", "priority: P1\nmodifies: [lib/a.ts]", "a priority"],
    ["labels: [Back End, api]\nmodifies: [lib/a.ts]", "labels: [back-end, api]\nmodifies: [lib/a.ts]", "a label"],
    ["type: Feature\nmodifies: [lib/a.ts]", "type: feature\nmodifies: [lib/a.ts]", "a type in capitals"],
  ])("%s", (before, after, _) => {
    expect(fixed(before)).toBe(`---\n${after}\n---\n${body}`);
  });

  test("gets the test command of its criteria as verify, unless the project has one", () => {
    expect(fixed("modifies: [lib/a.ts]", factsWith({ hasVerify: false }))).toBe(
      `---\nmodifies: [lib/a.ts]\nverify: pytest test/a.test.ts\n---\n${body}`,
    );
    expect(fixed("modifies: [lib/a.ts]")).toBeUndefined();
    const both = body.replace(
      "exit 0\n",
      'exit 0\n- [ ] b fails: `npx vitest run test/a.test.ts -t "b: c"` -> exit 0\n- [ ] c: `npm run build` -> exit 0\n',
    );
    expect(fixed("modifies: [lib/a.ts]", factsWith({ hasVerify: false }), both)).toBe(
      `---\nmodifies: [lib/a.ts]\nverify:\n  - pytest test/a.test.ts\n  - "npx vitest run test/a.test.ts -t \\"b: c\\""\n---\n${both}`,
    );
  });

  test("keeps a byte order mark and CRLF", () => {
    const text = `\uFEFF---\r\npriority: p0\r\nmodifies: [lib/a.ts]\r\n---\r\n${body.replaceAll("\n", "\r\n")}`;
    const [result] = fixSpecs([file(text)], factsWith({ hasVerify: false }));
    expect(result?.text).toBe(text.replace("p0", "P0").replace("]\r\n---", "]\r\nverify: pytest test/a.test.ts\r\n---"));
    expect(result?.fixes.map(({ id }) => id).sort()).toEqual(["FM001", "VER001"]);
  });

  test.each([
    ["an id that another spec has", "task_id: S02-other\nmodifies: [lib/a.ts]"],
    ["a priority in words", "priority: high\nmodifies: [lib/a.ts]"],
    ["a field that could be another", "moddifiez: none\nmodifies: [lib/a.ts]"],
    ["a field that is there already", "depend_on: []\ndepends_on: []\nmodifies: [lib/a.ts]"],
  ])("is left alone with %s", (_, head) => {
    const other = file(`---\ntask_id: S02-other\nmodifies: [lib/b.ts]\n---\n${body}`, "S02-other");
    expect(fixSpecs([file(`---\n${head}\n---\n${body}`), other], factsWith())).toEqual([]);
  });
});

describe("a set", () => {
  const spec = (n: number, head: string, more = ""): ParsedFile =>
    file(`---\ntask_id: S0${n}-x\n${head}\n---\n${body.replace("## Do", `${more}\n## Do`)}`, `S0${n}-x`);

  test.each([
    ["no field", "", "after: [S01-x]"],
    ["an empty list", "after: []", "after: [S01-x]"],
    ["no value", "after:", "after: [S01-x]"],
    ["a list", "after: [S00-x] # why", "after: [S00-x, S01-x] # why"],
    ["one value", "after: S00-x", "after: [S00-x, S01-x]"],
    ["lines", "after:\n  - S00-x\nlabels: [a]", "after:\n  - S00-x\n  - S01-x\nlabels: [a]"],
    ["lines without indentation", "after:\n- S00-x", "after:\n- S00-x\n- S01-x"],
    ["a list over lines", "after: [\n  S00-x\n]", "after: [\n  S00-x, S01-x\n]"],
  ])("gets an order where it overlaps, into %s", (_, before, after) => {
    const tasks = [{ specId: "S00-x", state: "merged" as const, dependsOn: [], after: [], creates: [], deletes: [] }];
    const set = [spec(1, "modifies: [lib/a.ts, lib/b.ts]"), spec(2, `modifies: [lib/a.ts, lib/c.ts]\n${before}`)];
    const [result] = fixSpecs(set, factsWith({ tasks }));
    expect(result?.text).toContain(after);
    expect(result?.text.split("\n").length).toBeLessThanOrEqual(
      ((set[1]?.parsed.outcome === "parsed" ? set[1].parsed.text : "").split("\n").length ?? 0) + 1,
    );
  });

  test("gets the dependency on what it uses, but never a cycle", () => {
    const first = spec(1, "creates: [lib/one.ts]", "").parsed;
    expect(first.outcome).toBe("parsed");
    const a = file(
      `---\ntask_id: S01-x\ncreates: [lib/one.ts]\n---\n${body.replace("Change addOne() of lib/a.ts.", "Add `oneThing()` in lib/one.ts with `twoThing`.")}`,
      "S01-x",
    );
    const b = file(
      `---\ntask_id: S02-x\ncreates: [lib/two.ts]\n---\n${body.replace("Change addOne() of lib/a.ts.", "Add `twoThing()` in lib/two.ts with `oneThing`.")}`,
      "S02-x",
    );
    const results = fixSpecs([a, b], factsWith());
    expect(results).toHaveLength(1);
    expect(results[0]?.text).toContain("depends_on: [S02-x]");
  });
});

const heads = fc.uniqueArray(
  fc.constantFrom(
    "priority: p2",
    "prioriti: 1",
    "dependsOn: []",
    "after: []",
    "after:",
    "depends_on: S01-x",
    "depends_on:\n  - S02-x",
    "depends_on: [S03-x] # c",
    "modifies: [./lib/a.ts, lib/b.ts]",
    "modifies:\n  - './lib/a.ts'",
    "modifies: [lib/c.ts, lib/a.ts]",
    "creates: [lib/new.ts]",
    "reads: [lib/new.ts]",
    "labels: [A B]",
    "type: Bugfix",
    "task_id: S9",
    "x-own: &a b",
    "title: 'it''s'",
  ),
  { maxLength: 7, selector: (line) => line.split(":", 1)[0] },
);
const goals = fc.constantFrom(
  "Add `oneThing()` in lib/new.ts.",
  "Change lib/a.ts with `oneThing`.",
  "改 lib/a.ts，使用 `twoThing`。",
  "Add `twoThing()` to lib/b.ts.",
);
const specSet = fc.array(fc.tuple(heads, goals, fc.constantFrom("\n", "\r\n"), fc.constantFrom("", "\uFEFF")), { minLength: 1, maxLength: 4 });

test("what could not be mended before others were is mended in the same go", () => {
  const facts = factsWith({ hasVerify: false });
  const set = ["depends_on: [S03-x]\ntask_id: S9\ncreates: [lib/new.ts]", "priority: p2", "priority: p2"].map((head, i) =>
    file(
      `---\n${head}\n---\n${body.replace("Change addOne() of lib/a.ts.", i === 1 ? "Add `oneThing()` in lib/new.ts." : "Change lib/a.ts with `oneThing`.")}`,
      `S0${i + 1}-x`,
    ),
  );
  const results = fixSpecs(set, facts);
  const after = set.map((old) => {
    const text = results.find((result) => result.file === old.file)?.text;
    return text === undefined ? old : { file: old.file, parsed: parseSpec({ text, file: old.file }) };
  });
  expect(fixSpecs(after, facts)).toEqual([]);
});

test("whatever the set: fixing is done once, keeps the body, and leaves no problem that it fixed", () => {
  const facts: LintFacts = factsWith({ hasVerify: false });
  fc.assert(
    fc.property(specSet, (parts) => {
      const set = parts.map(([head, goal, end, mark], i) => {
        const text = `---\n${head.join("\n")}\n---\n${body.replace("Change addOne() of lib/a.ts.", goal)}`;
        return file(mark + text.replaceAll("\n", end), `S0${i + 1}-x`);
      });
      const before = lintSpecs(set, facts);
      const results = fixSpecs(set, facts);
      const after = set.map((old) => {
        const text = results.find((result) => result.file === old.file)?.text;
        return text === undefined ? old : { file: old.file, parsed: parseSpec({ text, file: old.file }) };
      });
      expect(fixSpecs(after, facts)).toEqual([]);
      const left = lintSpecs(after, facts);
      for (const { file: path, fixes } of results) {
        const [old, now] = [set, after].map((files) => files.find((each) => each.file === path)?.parsed);
        if (old?.outcome !== "parsed" || now?.outcome !== "parsed") throw new Error("a fix made a file unreadable");
        expect(now.text.slice(now.text.indexOf("## Goal"))).toBe(old.text.slice(old.text.indexOf("## Goal")));
        for (const { what } of fixes) expect(left.filter((problem) => problem.file === path && problem.fix === what).map(formatProblem)).toEqual([]);
      }
      const errors = (problems: readonly { severity: string }[]) => problems.filter(({ severity }) => severity === "error").length;
      if (before.every(({ id }) => id !== "DEP001")) expect(errors(left)).toBeLessThanOrEqual(errors(before));
      expect(left.filter(({ code }) => code === "dependency-cycle").length).toBeLessThanOrEqual(
        before.filter(({ code }) => code === "dependency-cycle").length,
      );
    }),
    { numRuns: 400 },
  );
});
