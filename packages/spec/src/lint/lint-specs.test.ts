import { describe, expect, test } from "vitest";
import { parseSpec } from "../parse/parse-spec.ts";
import { defaultProtectedPaths, type KnownTask, type LintFacts, type ParsedFile, type ProjectFacts } from "./lint-facts.ts";
import { lintSpecs, verifiedFiles } from "./lint-specs.ts";

const files = ["lib/a.ts", "lib/b.ts", "lib/schedule.ts", "test/a.test.ts", ".github/workflows/ci.yml", "src/deep/name.ts", "package.json"];

function project(over: Partial<ProjectFacts> = {}): ProjectFacts {
  return { id: "demo", hasVerify: true, files, protectedPaths: defaultProtectedPaths, tasks: [], ...over };
}

function facts(over: Partial<ProjectFacts> = {}, executors: readonly string[] | null = ["codex"]): LintFacts {
  return { projects: [project(over), { ...project(), id: "other" }], executors };
}

function task(specId: string, over: Partial<KnownTask> = {}): KnownTask {
  return { specId, state: "planned", dependsOn: [], after: [], creates: [], deletes: [], ...over };
}

interface Draft {
  id?: string;
  file?: string;
  fields?: string;
  goal?: string;
  acceptance?: string;
  doNot?: string;
  /** More sections. */
  more?: string;
}

function spec(draft: Draft = {}): ParsedFile {
  const id = draft.id ?? "S01-demo";
  const file = draft.file ?? `specs/demo/${id}.md`;
  const fields = draft.fields ?? "modifies: [lib/a.ts]";
  const text = `---\ntask_id: ${id}\n${fields}\n---\n## Goal\n${draft.goal ?? "Change lib/a.ts with addOne()."}\n## Acceptance\n${draft.acceptance ?? "- [ ] bad input is refused: `npm test` -> exit 0"}\n## Do not\n${draft.doNot ?? "- no new dependency"}\n${draft.more ?? ""}`;
  return { file, parsed: parseSpec({ text, file }) };
}

function found(set: readonly ParsedFile[], given: LintFacts = facts()) {
  return lintSpecs(set, given).map(
    ({ id, code, severity, line, column, field }) => `${id} ${code} ${severity} ${line}:${column}${field === undefined ? "" : ` ${field}`}`,
  );
}

test("a good spec has no problems", () => {
  expect(found([spec()])).toEqual([]);
  expect(found([spec()], { projects: [project({ files: null, hasVerify: true })], executors: null })).toEqual([]);
});

describe("one spec", () => {
  test.each<[string, Draft, string[]]>([
    ["unknown project", { fields: "project: dem\nmodifies: [lib/a.ts]" }, ["FM001 F02 error 3:10 project"]],
    ["unknown executor", { fields: "executor: codx\nmodifies: [lib/a.ts]" }, ["FM001 F14 error 3:11 executor"]],
    ["known executor", { fields: "executor: codex\nmodifies: [lib/a.ts]" }, []],
    ["file with another name", { id: "S04-auth", file: "specs/demo/S4-auth.md" }, ["ID001 id-differs-from-file error 2:10 task_id"]],
    ["empty goal", { goal: "<!-- say it -->" }, ["GOAL001 goal-empty error 5:1"]],
    ["goal that names nothing", { goal: "Make everything better." }, ["GOAL001 goal-names-nothing error 5:1"]],
    ["goal that names another file only", { goal: "Change frontend/App.tsx." }, ["GOAL001 goal-names-nothing error 5:1"]],
    ["goal that names a file by its name", { goal: "Repair a.ts." }, []],
    ["goal that names a symbol", { goal: "在项目中新增 BatchRequest。" }, []],
    ["goal that names a file below a glob", { goal: "Change deep/name.ts and src/deep/name.ts.", fields: 'modifies: ["src/**"]' }, []],
    ["goal that names a path in words", { goal: "The post service keeps order.", fields: "creates: [lib/post-service.ts]" }, []],
    ["no criterion", { acceptance: "" }, ["AC001 acceptance-absent error 7:1"]],
    ["prose as criteria", { acceptance: "It works." }, ["AC001 acceptance-unread error 7:1"]],
    ["nine criteria", { acceptance: "- [ ] bad input: `npm test` -> exit 1\n".repeat(9) }, ["AC001 acceptance-many warning 16:1 acceptance[8]"]],
    ["eight criteria", { acceptance: "- [ ] bad input: `npm test` -> exit 1\n".repeat(8) }, []],
    ["nothing to lock", { fields: "priority: 1" }, ["MOD001 nothing-to-lock error 1:1 modifies"]],
    ["nothing to lock in research", { fields: "type: research" }, []],
    ["nothing to lock because the field is bad", { fields: "modifies: {a: b}" }, ["FM001 F03 error 3:11 modifies"]],
    ["path above the repository", { fields: "modifies: [lib/a.ts, ../x.ts]" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["path out through a folder", { fields: "modifies: [lib/a.ts, lib/../../x.ts]" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["absolute path", { fields: "modifies: [lib/a.ts, /etc/passwd]" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["drive path", { fields: "modifies: [lib/a.ts, 'C:/x']" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["home path", { fields: "modifies: [lib/a.ts, ~/x]" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["backslash", { fields: "modifies: [lib/a.ts, 'lib\\b.ts']" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["path with a dot before it", { fields: "modifies: [lib/a.ts, ./lib/b.ts]" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["git's folder", { fields: "modifies: [lib/a.ts, .git/hooks/pre-commit]" }, ["MOD002 path-form error 3:22 modifies[1]"]],
    ["git's folder in capitals", { fields: "creates: [lib/c.ts, .GIT/hooks/pre-commit]" }, ["MOD002 path-form error 3:21 creates[1]"]],
    [
      "bad path in forbids, reads and context",
      { fields: "modifies: [lib/a.ts]\nforbids: [/x]\nreads: [../y]\ncontext: ['a\\b']" },
      ["MOD002 path-form error 4:11 forbids[0]", "MOD002 path-form error 5:9 reads[0]", "MOD002 path-form error 6:11 context[0]"],
    ],
    ["the pipeline", { fields: "modifies: [lib/a.ts, .github/workflows/ci.yml]" }, ["MOD002 path-protected error 3:22 modifies[1]"]],
    [
      "the pipeline, waived",
      {
        fields:
          "modifies: [lib/a.ts, .github/workflows/ci.yml]\nwaivers: [{gate: G06, paths: [.github/workflows], because: the build moves to Node 24}]",
      },
      [],
    ],
    ["the folder of the pipeline", { fields: "modifies: [lib/a.ts, .github]" }, ["MOD002 path-protected error 3:22 modifies[1]"]],
    [
      "a glob below the pipeline",
      { fields: "creates: [lib/c.ts]\nmodifies: ['.github/workflows/*.yml']" },
      ["MOD002 path-protected error 4:12 modifies[0]"],
    ],
    ["a glob that covers the pipeline", { fields: "modifies: ['**/*.yml', lib/a.ts]" }, ["MOD002 path-protected error 3:12 modifies[0]"]],
    ["the factory's policy", { fields: "modifies: [lib/a.ts]\ncreates: [.dispatch.yaml]" }, ["MOD002 path-protected error 4:11 creates[0]"]],
    [
      "a secret",
      { fields: "modifies: [lib/a.ts]\ncreates: [.env.local, keys/id_rsa]" },
      ["MOD002 path-protected error 4:11 creates[0]", "MOD002 path-protected error 4:23 creates[1]"],
    ],
    ["a folder that could hold a secret", { fields: "modifies: [lib, 'src/**']" }, []],
    ["missing file to modify", { fields: "modifies: [lib/sched.ts]", goal: "Change sched.ts" }, ["MOD002 F03 error 3:12 modifies[0]"]],
    ["missing glob to modify", { fields: "modifies: ['docs/*.md']", goal: "Change docs" }, ["MOD002 F03 error 3:12 modifies[0]"]],
    ["folder to modify", { fields: "modifies: [lib/]", goal: "Change lib" }, []],
    ["file both created and modified", { fields: "modifies: [lib/new.ts]\ncreates: [lib/new.ts]", goal: "Add new.ts" }, []],
    ["existing file to create", { fields: "creates: [lib/a.ts]" }, ["MOD002 F04 error 3:11 creates[0]"]],
    ["glob to create", { fields: "creates: ['lib/*.ts', lib/c.ts]" }, ["MOD002 path-form error 3:11 creates[0]"]],
    ["missing file to delete", { fields: "modifies: [lib/a.ts]\ndeletes: [lib/zzz.ts]" }, ["MOD002 F05 error 4:11 deletes[0]"]],
    ["dependency on nobody", { fields: "modifies: [lib/a.ts]\ndepends_on: [S09-x]" }, ["DEP001 dependency-unknown error 4:14 depends_on[0]"]],
    ["order after nobody", { fields: "modifies: [lib/a.ts]\nafter: S09-x" }, ["DEP001 dependency-unknown error 4:8 after[0]"]],
    ["dependency on itself", { fields: "modifies: [lib/a.ts]\ndepends_on: [S01-demo]" }, ["DEP001 dependency-self error 4:14 depends_on[0]"]],
  ])("%s", (_, draft, problems) => {
    expect(found([spec(draft)])).toEqual(problems);
  });

  test("without a verify command needs one of the project", () => {
    expect(found([spec()], facts({ hasVerify: false }))).toEqual(["VER001 verify-absent error 1:1 verify"]);
    expect(found([spec({ fields: "modifies: [lib/a.ts]\nverify: npm test" })], facts({ hasVerify: false }))).toEqual([]);
  });

  test("of a repository that is not known is not asked whether its paths exist", () => {
    const draft = spec({ fields: "modifies: [lib/sched.ts]\ncreates: [lib/a.ts]\ndeletes: [x.ts]" });
    expect(found([draft], facts({ files: null }))).toEqual([]);
  });

  test("that was merged is not asked whether its paths are still as before", () => {
    const draft = spec({ fields: "creates: [lib/a.ts]" });
    expect(found([draft], facts({ tasks: [task("S01-demo", { state: "merged" })] }))).toEqual([]);
  });

  test("names the nearest path for one that is missing", () => {
    const message = (path: string) => lintSpecs([spec({ fields: `modifies: [${path}]`, goal: path })], facts())[0]?.message ?? "";
    expect(message("lib/sched.ts").includes("nearest: lib/schedule.ts")).toBe(true);
    expect(message("src/name.ts").includes("nearest: src/deep/name.ts")).toBe(true);
    expect(message("far/away.py").includes("nearest")).toBe(false);
  });
});

describe("a set of specs", () => {
  const s = (n: number, fields: string, goal = "Change addOne().") => spec({ id: `S0${n}-x`, fields, goal });

  test("has each id once in a project", () => {
    const twin = spec({ file: "specs/pending/S01-demo.md", fields: "project: demo\nmodifies: [lib/a.ts]" });
    const stranger = spec({ file: "specs/other/S01-demo.md" });
    expect(found([spec(), twin, stranger])).toEqual(["ID001 id-duplicate error 2:10 task_id", "ID001 id-duplicate error 2:10 task_id"]);
  });

  test("may modify and delete what a spec before it creates, over any number of steps", () => {
    const first = s(1, "creates: [lib/new.ts]");
    const second = s(2, "creates: [lib/two.ts]\ndepends_on: [S01-x]");
    expect(found([first, second, s(3, "modifies: [lib/new.ts]\ndepends_on: [S02-x]")])).toEqual([]);
    expect(found([first, second, s(3, "deletes: [lib/new.ts]\ndepends_on: [S02-x]")])).toEqual([]);
    expect(found([first, second, s(3, "modifies: [lib/new.ts]")])).toEqual(["MOD002 F03 error 3:12 modifies[0]"]);
    expect(found([first, second, s(3, "modifies: [lib/new.ts]\nafter: [S02-x]")])).toEqual(["MOD002 F03 error 3:12 modifies[0]"]);
    expect(found([first, s(3, "creates: [lib/new.ts]\ndepends_on: [S01-x]")])).toEqual(["MOD002 F04 error 3:11 creates[0]"]);
  });

  test("may create again what a spec before it deletes", () => {
    expect(found([s(1, "deletes: [lib/a.ts]"), s(2, "creates: [lib/a.ts]\ndepends_on: [S01-x]")])).toEqual([]);
  });

  test("may depend on tasks of the ledger and on what they create", () => {
    const known = facts({ tasks: [task("S01-x", { creates: ["lib/new.ts"] }), task("S02-x", { dependsOn: ["S01-x"], state: "running" })] });
    expect(found([s(3, "modifies: [lib/new.ts]\ndepends_on: [S02-x]")], known)).toEqual([]);
  });

  test("may not wait for a cancelled task, but may come after it", () => {
    const known = facts({ tasks: [task("S01-x", { state: "cancelled" })] });
    expect(found([s(2, "modifies: [lib/a.ts]\ndepends_on: [S01-x]")], known)).toEqual(["DEP001 dependency-cancelled error 4:14 depends_on[0]"]);
    expect(found([s(2, "modifies: [lib/a.ts]\nafter: [S01-x]")], known)).toEqual([]);
    expect(found([s(1, "modifies: [lib/b.ts]"), s(2, "modifies: [lib/a.ts]\ndepends_on: [S01-x]")], known)).toEqual([]);
  });

  test("may not depend on a spec of another project", () => {
    const stranger = spec({ id: "S09-y", file: "specs/other/S09-y.md" });
    expect(found([stranger, s(1, "modifies: [lib/a.ts]\ndepends_on: [S09-y]")])).toEqual(["DEP001 dependency-unknown error 4:14 depends_on[0]"]);
  });

  test("has no cycle; each member is told the whole of it", () => {
    const set = [
      s(1, "modifies: [lib/a.ts]\ndepends_on: [S02-x]"),
      s(2, "modifies: [lib/a.ts]\nafter: [S03-x]"),
      s(3, "modifies: [lib/a.ts]\ndepends_on: [S04-x, S01-x]"),
      s(4, "modifies: [lib/a.ts]"),
      s(5, "modifies: [lib/a.ts]\ndepends_on: [S01-x]"),
    ];
    const problems = lintSpecs(set, facts());
    expect(problems.map(({ file, code, line, column, field }) => [file.slice(11, 14), code, `${line}:${column}`, field])).toEqual([
      ["S01", "dependency-cycle", "4:14", "depends_on[0]"],
      ["S02", "dependency-cycle", "4:9", "after[0]"],
      ["S03", "dependency-cycle", "4:21", "depends_on[1]"],
    ]);
    expect(problems.map(({ message }) => message.match(/S0\d-x/g))).toEqual([
      ["S01-x", "S02-x", "S03-x", "S01-x"],
      ["S02-x", "S03-x", "S01-x", "S02-x"],
      ["S03-x", "S01-x", "S02-x", "S03-x"],
    ]);
  });

  test("finds a cycle that goes through the ledger", () => {
    const known = facts({ tasks: [task("S02-x", { dependsOn: ["S01-x"] })] });
    expect(found([s(1, "modifies: [lib/a.ts]\ndepends_on: [S02-x]")], known)).toEqual(["DEP001 dependency-cycle error 4:14 depends_on[0]"]);
  });

  test("does not call a spec unknown whose file cannot be read", () => {
    const broken: ParsedFile = { file: "specs/demo/S01-x.md", parsed: parseSpec({ text: "---\n\ta: b\n---\n", file: "specs/demo/S01-x.md" }) };
    expect(found([broken, s(2, "modifies: [lib/a.ts]\ndepends_on: [S01-x]")])).toEqual(["FM001 tab error 2:1"]);
  });

  test("gives its problems in the same order whatever the order of its files", () => {
    const set = [s(3, "priority: 9"), s(1, "modifies: [../a]\ndepends_on: [S07-x]"), s(2, "type: x\nattempts: 9")];
    expect(found([...set].reverse())).toEqual(found(set));
  });

  test("of 3000 in a row is no trouble", () => {
    const set = Array.from({ length: 3000 }, (_, i) => {
      const text = `---\ntask_id: S${i}-x\nmodifies: [lib/a.ts]\n${i === 0 ? "" : `depends_on: [S${i - 1}-x]\n`}---\n## Goal\nChange lib/a.ts\n## Acceptance\n- wrong input: \`npm test\` -> exit 1\n## Do not\n- b\n`;
      const file = `specs/demo/S${i}-x.md`;
      return { file, parsed: parseSpec({ text, file }) };
    });
    expect(lintSpecs(set, facts())).toEqual([]);
  });
});

test("a thousand specs in a repository of 60000 files take seconds", () => {
  const many = Array.from({ length: 60_000 }, (_, i) => `src/pkg${i % 300}/part${i % 7}/file-${i}.ts`);
  const set = Array.from({ length: 1000 }, (_, i) => {
    const entries = [
      `src/pkg${i % 300}/part${i % 7}/file-${i}.ts`,
      `"src/pkg${i % 300}/**"`,
      i % 20 === 0 ? `src/pkg1/part1/file-${i}.tsx` : "src/pkg1",
    ];
    return spec({ id: `S${i}-x`, fields: `modifies: [${entries.join(", ")}]`, goal: "Change addOne()." });
  });
  const start = performance.now();
  const problems = lintSpecs(set, facts({ files: many }));
  expect(problems.filter(({ code }) => code === "F03")).toHaveLength(50);
  expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(["F03", "locks-many-files", "overlap"]));
  expect(performance.now() - start).toBeLessThan(15_000);
});

describe("verified", () => {
  const s = (n: number, fields: string) =>
    spec({
      id: `S0${n}-x`,
      fields: `modifies: [${["lib/a.ts", "lib/b.ts", "lib/schedule.ts", "test/a.test.ts"][n - 1]}]\n${fields}`,
      goal: "Change addOne().",
    });
  const ids = (set: readonly ParsedFile[], given = facts()) => verifiedFiles(set, given, lintSpecs(set, given)).map((file) => file.parsed.spec.id);

  test("are specs without errors, also with warnings", () => {
    expect(ids([s(1, "status: done"), s(2, "attempts: 9")])).toEqual(["S01-x"]);
  });

  test("are not those that wait, directly or not, for one with errors", () => {
    const set = [s(1, "attempts: 9"), s(2, "depends_on: [S01-x]"), s(3, "after: [S02-x]"), s(4, "")];
    expect(ids(set)).toEqual(["S04-x"]);
    expect(ids(set, facts({ tasks: [task("S01-x")] }))).toEqual(["S02-x", "S03-x", "S04-x"]);
  });
});
