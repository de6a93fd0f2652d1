import { describe, expect, test } from "vitest";
import type { RuleId } from "../problem.ts";
import { type Draft, factsWith, lint, said } from "../testing/draft-specs.ts";
import type { KnownTask } from "./lint-facts.ts";

const s = (n: number, head: string, more: Partial<Draft> = {}): Draft => ({ id: `S0${n}-x`, head, ...more });

/** Rule, file and severity of what a rule says of a set. */
function told(id: RuleId, drafts: readonly Draft[], facts = factsWith()): string[] {
  return lint(drafts, facts)
    .filter((problem) => problem.id === id)
    .map(({ file, code, severity, fix }) => `${file.slice(11, 14)} ${code} ${severity}${fix === undefined ? "" : " fix"}`);
}

function task(specId: string, over: Partial<KnownTask>): KnownTask {
  return { specId, state: "planned", dependsOn: [], after: [], creates: [], deletes: [], modifies: [], ...over };
}

describe("MOD004", () => {
  test.each<[string, Draft[], string[]]>([
    ["a file of two specs", [s(1, "modifies: [lib/a.ts, lib/b.ts]"), s(2, "modifies: [lib/a.ts, lib/c.ts]")], ["S02 overlap warning fix"]],
    [
      "mostly the same files",
      [s(1, "modifies: [lib/a.ts, lib/b.ts]"), s(2, "modifies: [lib/a.ts, lib/b.ts, lib/c.ts]")],
      ["S02 overlap-merge error"],
    ],
    ["a folder and a file in it", [s(1, "modifies: [lib]"), s(2, "modifies: [lib/c.ts, docs/use.md]")], ["S02 overlap warning fix"]],
    ["two globs", [s(1, "modifies: ['lib/*.ts', docs/use.md]"), s(2, "modifies: ['lib/a*', api/routes.ts]")], ["S02 overlap warning fix"]],
    ["two who create one file", [s(1, "creates: [x.md, y.md]"), s(2, "creates: [x.md, z.md]")], ["S02 overlap warning fix"]],
    ["an order by depends_on", [s(1, "modifies: [lib/a.ts]"), s(2, "modifies: [lib/a.ts]\ndepends_on: [S01-x]")], []],
    [
      "an order by after, over others",
      [s(1, "modifies: [lib/a.ts]"), s(2, "modifies: [lib/b.ts]\nafter: S01-x"), s(3, "modifies: [lib/a.ts]\nafter: S02-x")],
      [],
    ],
    ["the later one comes first in the set", [s(2, "modifies: [lib/a.ts]\ndepends_on: [S01-x]"), s(1, "modifies: [lib/a.ts]")], []],
    ["different files", [s(1, "modifies: [lib/a.ts]"), s(2, "modifies: [lib/b.ts]")], []],
  ])("%s", (_, drafts, expected) => {
    expect(told("MOD004", drafts)).toEqual(expected);
  });

  test("lets several change shared paths and generated files", () => {
    const drafts = [s(1, "modifies: [lib/a.ts, lib/list.ts, lock.json]"), s(2, "modifies: [lib/b.ts, lib/list.ts, lock.json]")];
    expect(told("MOD004", drafts)).toEqual(["S02 overlap-merge error"]);
    expect(told("MOD004", drafts, factsWith({ common: ["lib/list.ts", "*.json"] }))).toEqual([]);
    expect(told("MOD004", drafts, factsWith({ common: ["*.json"] }))).toEqual(["S02 overlap warning fix"]);
  });

  test("counts open tasks of the ledger, but not what has ended or is hardly known", () => {
    const facts = (state: KnownTask["state"], modifies?: string[]) =>
      factsWith({ tasks: [task("S09-y", modifies === undefined ? { state } : { state, modifies })] });
    const draft = s(1, "modifies: [lib/a.ts]");
    expect(told("MOD004", [draft], facts("running", ["lib/a.ts"]))).toEqual(["S01 overlap warning fix"]);
    for (const ended of ["merged", "cancelled"] as const) expect(told("MOD004", [draft], facts(ended, ["lib/a.ts"]))).toEqual([]);
    const { modifies: _, ...hardlyKnown } = task("S09-y", {});
    expect(told("MOD004", [draft], factsWith({ tasks: [hardlyKnown] }))).toEqual([]);
  });

  test("tells each spec of three others at most", () => {
    const drafts = [1, 2, 3, 4, 5, 6].map((n) => s(n, `modifies: [lib/a.ts, other/${n}.ts]`));
    expect(told("MOD004", drafts).filter((line) => line.startsWith("S06"))).toHaveLength(3);
  });
});

const maker = s(1, "creates: [lib/item.ts, test/item.test.ts]", { goal: "Add `ScheduleItem` and `toUtc(local)` in lib/item.ts." });
const zhMaker = s(1, "creates: [lib/item.ts]", { goal: "在 lib/item.ts 中新增 ScheduleItem 和 `toUtc(local)`。" });
const user = (head: string, more: Partial<Draft> = {}) => s(2, `modifies: [lib/a.ts]\n${head}`, more);

describe("DEP002", () => {
  test.each<[string, Draft[], string[]]>([
    ["a symbol of another spec", [maker, user("", { constraints: "- takes ScheduleItem values" })], ["S02 dependency-hidden error fix"]],
    ["另一个 spec 的符号", [zhMaker, user("", { constraints: "- 使用 `toUtc` 转换" })], ["S02 dependency-hidden error fix"]],
    ["a file of another spec in words", [maker, user("", { constraints: "- import from lib/item.ts" })], ["S02 dependency-hidden error fix"]],
    ["a file that is read", [maker, user("reads: [lib/item.ts]")], ["S02 F07 error fix"]],
    ["a file of the context", [maker, user("context: [lib/item.ts]")], ["S02 dependency-hidden error fix"]],
    ["with the dependency", [maker, user("depends_on: [S01-x]", { constraints: "- takes ScheduleItem values" })], []],
    ["with after alone", [maker, user("after: [S01-x]", { constraints: "- takes ScheduleItem values" })], ["S02 dependency-hidden error fix"]],
    ["in the do-not list", [maker, user("", { doNot: "- no change of ScheduleItem, nothing in lib/item.ts" })], []],
    [
      "a symbol that two specs add",
      [maker, s(3, "modifies: [lib/b.ts]", { goal: "Add ScheduleItem to lib/b.ts." }), user("", { constraints: "- takes ScheduleItem values" })],
      [],
    ],
  ])("%s", (_, drafts, expected) => {
    expect(told("DEP002", drafts)).toEqual(expected);
  });

  test("is silent where the maker waits for the spec that mentions it", () => {
    const later = s(3, "depends_on: [S02-x]\ncreates: [lib/item.ts]", { goal: "Add ScheduleItem in lib/item.ts, used by lib/a.ts." });
    expect(told("DEP002", [user("", { constraints: "- leaves room for ScheduleItem" }), later])).toEqual([]);
  });

  test("knows what open tasks of the ledger bring", () => {
    const tasks = [task("S09-y", { state: "running", goal: "Add `ScheduleItem` to lib/c.ts", modifies: ["lib/c.ts"] })];
    expect(told("DEP002", [user("", { constraints: "- takes ScheduleItem values" })], factsWith({ tasks }))).toEqual([
      "S02 dependency-hidden error fix",
    ]);
  });

  test("a missing file that another spec creates is a missing dependency", () => {
    expect(lint([maker, s(2, "modifies: [lib/item.ts]", { goal: "Change lib/item.ts" })]).map(({ code, fix }) => [code, fix])).toEqual([
      ["F03", "add S01-x to depends_on"],
    ]);
  });
});

describe("DEP003", () => {
  test.each<[string, Draft[], string[]]>([
    ["nothing is used", [maker, user("depends_on: [S01-x]")], ["S02 dependency-false warning"]],
    ["a symbol is used", [maker, user("depends_on: [S01-x]", { constraints: "- takes ScheduleItem" })], []],
    ["a file is read", [maker, user("depends_on: [S01-x]\nreads: [lib/item.ts]")], []],
    ["the same file is changed", [s(1, "modifies: [lib/a.ts]"), user("depends_on: [S01-x]")], []],
    ["its test is run", [maker, user("depends_on: [S01-x]\nverify: node --test test/item.test.ts")], []],
    ["the contract comes first", [s(1, "type: contract\nmodifies: [docs/use.md]", { goal: "docs/use.md" }), user("depends_on: [S01-x]")], []],
    ["it is named with a reason", [maker, user("depends_on: [S01-x]", { constraints: "- after S01 the clock is a parameter" })], []],
    [
      "what it builds on is used",
      [
        maker,
        s(3, "modifies: [lib/b.ts]\ndepends_on: [S01-x]", { constraints: "- takes ScheduleItem" }),
        user("depends_on: [S03-x]", { constraints: "- takes ScheduleItem" }),
      ],
      [],
    ],
  ])("%s", (_, drafts, expected) => {
    expect(told("DEP003", drafts)).toEqual(expected);
  });

  test("says nothing of a task of which only the name is known", () => {
    const { modifies: _, ...landed } = task("S09-y", { state: "merged" });
    expect(told("DEP003", [user("depends_on: [S09-y]")], factsWith({ tasks: [landed] }))).toEqual([]);
  });
});

describe("VER003 in a set", () => {
  const check = (head: string) => user(`${head}\nverify: node --test test/item.test.ts`, { constraints: "- takes ScheduleItem" });
  test("a file made by a spec before is there, one made by another is not", () => {
    expect(told("VER003", [maker, check("depends_on: [S01-x]")])).toEqual([]);
    expect(told("VER003", [maker, check("")])).toEqual(["S02 check-file-foreign error"]);
    expect(told("VER003", [s(1, "depends_on: [S02-x]\ncreates: [test/item.test.ts]", { goal: "lib/a.ts" }), check("")])).toEqual([
      "S02 check-file-foreign error",
    ]);
  });
});

test("files of specs that cannot be read leave open what is there", () => {
  expect(said([s(2, "depends_on: [S01-x]\nmodifies: [lib/a.ts]\nreads: [lib/item.ts]")], "MOD002")).toEqual(["F07 error"]);
});
