import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Problem } from "../problem.ts";
import { parseSpec } from "./parse-spec.ts";

function golden(name: string) {
  const text = readFileSync(new URL(`../../../../test/golden/specs/clawmarketing/${name}.md`, import.meta.url), "utf8");
  return read(text, `specs/clawmarketing/${name}.md`);
}

function read(text: string, file = "specs/demo/S01-demo.md") {
  const parsed = parseSpec({ text, file });
  if (parsed.outcome !== "parsed") throw new Error(`unreadable: ${JSON.stringify(parsed.problems)}`);
  return parsed;
}

function brief(problems: readonly Problem[]) {
  return problems.map(({ id, code, severity, line, column, field }) => [id, code, severity, `${line}:${column}`, field]);
}

const body = "\n## Goal\nChange lib/a.ts\n## Acceptance\n- [ ] it works: `npm test` -> exit 0\n";
const front = (fields: string) => `---\ntask_id: S01-demo\nmodifies: [lib/a.ts]\n${fields}\n---${body}`;

const minimal = `---
task_id: S01-schedule-schema
project: clawmarketing
modifies: [backend/schemas/post.py]
creates: [tests/schemas/test_schedule.py]
verify: pytest tests/schemas/test_schedule.py
---
## Goal
Add BatchScheduleRequest and BatchScheduleResponse to backend/schemas/post.py.
## Constraints
- Pydantic v2; reuse PostBase; at most 50 posts
## Acceptance
- [ ] 51 posts are rejected: \`pytest tests/schemas/test_schedule.py -k limit\` -> exit 0
- [ ] a past scheduled_at is rejected: \`pytest tests/schemas/test_schedule.py -k past\` -> exit 0
## Do not
- no router (S03), no service (S02), no front end
`;

describe("the minimal spec", () => {
  test("gets a default for everything it does not say", () => {
    const { spec, document, problems } = read(minimal, "specs/clawmarketing/S01-schedule-schema.md");
    expect(problems).toEqual([]);
    expect(spec).toEqual({
      id: "S01-schedule-schema",
      project: "clawmarketing",
      title: "schedule schema",
      type: "feature",
      priority: 2,
      dependsOn: [],
      after: [],
      modifies: ["backend/schemas/post.py"],
      creates: ["tests/schemas/test_schedule.py"],
      deletes: [],
      forbids: [],
      reads: [],
      verify: [{ run: "pytest tests/schemas/test_schedule.py", cwd: ".", timeoutSeconds: 600, env: {} }],
      executor: "auto",
      estimateMinutes: 10,
      timeoutMinutes: 30,
      attempts: 4,
      allowEmpty: false,
      commit: "feat(clawmarketing): schedule schema",
      goal: "Add BatchScheduleRequest and BatchScheduleResponse to backend/schemas/post.py.",
      labels: [],
      resources: { cpus: 0, memoryMb: 0, gpus: 0 },
      nodes: [],
      nodeLabels: [],
      budget: { tokens: null, usd: null, turns: null },
      contract: [],
      direction: null,
      acceptance: [
        { id: "AC1", text: "51 posts are rejected", command: "pytest tests/schemas/test_schedule.py -k limit", expected: "exit 0" },
        { id: "AC2", text: "a past scheduled_at is rejected", command: "pytest tests/schemas/test_schedule.py -k past", expected: "exit 0" },
      ],
      evidence: [],
      testsMin: {},
      waivers: [],
    });
    expect(document.acceptance).toEqual([
      { id: "AC1", text: "51 posts are rejected", command: "pytest tests/schemas/test_schedule.py -k limit", expected: "exit 0", line: 13 },
      { id: "AC2", text: "a past scheduled_at is rejected", command: "pytest tests/schemas/test_schedule.py -k past", expected: "exit 0", line: 14 },
    ]);
    expect(document.sections.map((section) => section.kind)).toEqual(["goal", "constraints", "acceptance", "do-not"]);
    expect(document).toMatchObject({
      tier: "cheap",
      evidence: ["evidence/S01-schedule-schema/"],
      lang: "en",
      review: null,
      network: false,
      checkpoint: "none",
    });
  });

  test.each([
    ["a byte order mark", (text: string) => `\uFEFF${text}`],
    ["CRLF line ends", (text: string) => text.replaceAll("\n", "\r\n")],
    ["both", (text: string) => `\uFEFF${text.replaceAll("\n", "\r\n")}`],
  ])("reads the same with %s", (_, change) => {
    const file = "specs/clawmarketing/S01-schedule-schema.md";
    expect({ ...read(change(minimal), file), text: minimal }).toEqual(read(minimal, file));
  });

  test("a file without task_id and project takes them from its name and folder", () => {
    const { spec, problems } = read(minimal.replace(/^(task_id|project).*\n/gm, ""), "specs/shop/S07-cart.md");
    expect(problems).toEqual([]);
    expect(spec).toMatchObject({ id: "S07-cart", project: "shop", title: "cart" });
  });

  test("the inbox folder is not a project", () => {
    const text = minimal.replace(/^project.*\n/m, "");
    expect(brief(read(text, "specs/pending/S01-schedule-schema.md").problems)).toEqual([["FM001", "F02", "error", "1:1", "project"]]);
    expect(parseSpec({ text, file: "specs/pending/S01-schedule-schema.md", defaults: { project: "shop" } })).toMatchObject({
      problems: [],
      spec: { project: "shop" },
    });
  });
});

test("the Chinese spec of the dispatch strategy is read whole", () => {
  const { spec, document, problems } = golden("S01-schedule-schema");
  expect(problems).toEqual([]);
  expect(spec).toMatchObject({
    priority: 1,
    executor: "glm",
    verify: [],
    goal: "在 backend/schemas/post.py 中新增 BatchScheduleRequest 和 BatchScheduleResponse schema。",
  });
  expect(document.acceptance.map(({ text, command, expected }) => [text, command, expected])).toEqual([
    ["BatchScheduleRequest 包含 posts: list[ScheduleItem] 和 max 50 校验", undefined, undefined],
    ["ScheduleItem 包含 post_id, scheduled_at, platform", undefined, undefined],
    ["scheduled_at 必须是未来时间 (validator)", undefined, undefined],
    ["pytest tests/schemas/test_schedule.py 全绿", "pytest tests/schemas/test_schedule.py", "全绿"],
  ]);
  expect(document.lang).toBe("zh");
  expect(document.doNot.split("\n")).toHaveLength(3);
  expect(document.constraints.split("\n")).toHaveLength(4);
});

test("every field of the schema is read", async () => {
  const { spec, document, problems } = golden("S02-schedule-service");
  expect(problems).toEqual([]);
  const sections = document.sections.map(({ kind, heading, line }) => ({ kind, heading, line }));
  const read = { spec, document: { ...document, positions: undefined, given: [...document.given], sections } };
  await expect(`${JSON.stringify(read, null, 2)}\n`).toMatchFileSnapshot("../../../../test/golden/specs/clawmarketing/S02-schedule-service.json");
});

describe("verify", () => {
  test.each([
    ["verify: npm test", [{ run: "npm test", cwd: ".", timeoutSeconds: 600, env: {} }]],
    ["verify: true", [{ run: "true", cwd: ".", timeoutSeconds: 600, env: {} }]],
    [
      "verify: [a, {run: b, timeout_s: 5}]",
      [
        { run: "a", cwd: ".", timeoutSeconds: 600, env: {} },
        { run: "b", cwd: ".", timeoutSeconds: 5, env: {} },
      ],
    ],
    ["verify: {run: b, cwd: sub, expect: exit 0, env: {A: 01}}", [{ run: "b", cwd: "sub", timeoutSeconds: 600, env: { A: "01" } }]],
    ["verify: {run: b, expect: exit 3}", [{ run: "(\nb\n); test $? -eq 3", cwd: ".", timeoutSeconds: 600, env: {} }]],
    ["verify: |\n  npm ci\n  npm test", [{ run: "npm ci\nnpm test", cwd: ".", timeoutSeconds: 600, env: {} }]],
    ["verify:", []],
  ])("%s", (field, verify) => {
    const parsed = read(front(field));
    expect(parsed.problems).toEqual([]);
    expect(parsed.spec.verify).toEqual(verify);
  });
});

describe("a bad field", () => {
  test.each<[string, string, string, string]>([
    ["task_id: s1 foo", "F01", "4:10", "task_id"],
    ["project: Claw Marketing", "F02", "4:10", "project"],
    ["creates: [a.ts, '']", "F04", "4:17", "creates[1]"],
    ["deletes: {a: b}", "F05", "4:10", "deletes"],
    ["forbids: ['lib/**']", "F06", "4:11", "forbids[0]"],
    ["reads: [[a]]", "F07", "4:9", "reads[0]"],
    ["depends_on: S01-a, S02-b", "F08", "4:13", "depends_on"],
    ["depends_on: [S02-b, nope]", "F08", "4:21", "depends_on[1]"],
    ["after: [12]", "F09", "4:9", "after[0]"],
    ["verify: []", "F10", "4:9", "verify"],
    ["verify: ''", "F10", "4:9", "verify"],
    ["verify: [{cwd: a}]", "F10", "4:10", "verify[0].run"],
    ["verify: [{run: a, timeout: 5}]", "F10", "4:28", "verify[0].timeout"],
    ["verify: [{run: a, timeout_s: 0}]", "F10", "4:30", "verify[0].timeout_s"],
    ["verify: [{run: a, cwd: ../b}]", "F10", "4:24", "verify[0].cwd"],
    ["verify: [{run: a, expect: contains x}]", "F10", "4:27", "verify[0].expect"],
    [`title: ${"x".repeat(164)}`, "F11", "4:8", "title"],
    ["type: feat", "F12", "4:7", "type"],
    ["priority: high", "F13", "4:11", "priority"],
    ["priority: 4", "F13", "4:11", "priority"],
    ["executor: [a]", "F14", "4:11", "executor"],
    ["tier: fast", "F15", "4:7", "tier"],
    ["skills: {a: 1}", "F16", "4:9", "skills"],
    ["estimate_min: 10m", "F17", "4:15", "estimate_min"],
    ["estimate_min: 1.5", "F17", "4:15", "estimate_min"],
    ["timeout_min: 5", "F18", "4:14", "timeout_min"],
    ["attempts: 10", "F19", "4:11", "attempts"],
    ["waivers: [{gate: G01, paths: [a], because: x}]", "F39", "4:18", "waivers[0].gate"],
    ["allow_empty: maybe", "F19", "4:14", "allow_empty"],
    ["contract: ['../x.md#y']", "F20", "4:12", "contract[0]"],
    ["context: 5: 6", "yaml", "4:10", ""],
    ["acceptance: [works]", "F22", "4:13", "acceptance"],
    ["qa: [{name: a, tool: sh, steps: [b]}]", "F23", "4:6", "qa[0].expected"],
    ["evidence: ../x.txt", "F24", "4:11", "evidence[0]"],
    ["tests_min: {e2e: some}", "F25", "4:18", "tests_min.e2e"],
    ["requires: {a: b}", "F26", "4:11", "requires"],
    ["questions: [[a]]", "F27", "4:13", "questions[0]"],
    ["assumptions: [{reversible: true}]", "F28", "4:15", "assumptions[0].text"],
    ["review: never", "F29", "4:9", "review"],
    ["checkpoint: both", "F30", "4:13", "checkpoint"],
    ["commit: stuff", "F31", "4:9", "commit"],
    ["budget: {tokens: -5}", "F32", "4:18", "budget.tokens"],
    ["network: sometimes", "F33", "4:10", "network"],
    ["env: {STRIPE_API_KEY: sk_live}", "F34", "4:6", "env"],
    ["env: [STRIPE_API_KEY=sk_live]", "F34", "4:7", "env[0]"],
    ["source: {file: a, sha256: xyz}", "F35", "4:27", "source.sha256"],
    ["labels: [Back End]", "F36", "4:10", "labels[0]"],
    ["lang: fr", "F36", "4:7", "lang"],
  ])("%s", (field, code, at, name) => {
    const text = field.startsWith("task_id") ? front(field).replace("task_id: S01-demo\n", "x-a: 1\n") : front(field);
    const parsed = parseSpec({ text, file: "specs/demo/S01-demo.md" });
    const errors = parsed.problems.filter((problem) => problem.severity === "error");
    expect(errors.map((problem) => [problem.code, `${problem.line}:${problem.column}`, problem.field ?? ""])).toEqual([[code, at, name]]);
    expect(JSON.stringify(errors)).not.toContain("sk_live");
  });

  test("does not hide the others: all problems come at once", () => {
    const parsed = read(`---
task_id: S01-demo
depend-on: [S02-x]
prioritty: 1
status: done
priority: urgent
attempts: 9
goal: x
colour: red
x-own: kept
modifies: [lib/a.ts]
modifies: [lib/b.ts]
---${body}`);
    expect(brief(parsed.problems)).toEqual([
      ["FM001", "unknown-key", "warning", "3:1", "depend-on"],
      ["FM001", "unknown-key", "warning", "4:1", "prioritty"],
      ["FM001", "status-key", "warning", "5:1", "status"],
      ["FM001", "F13", "error", "6:11", "priority"],
      ["FM001", "F19", "error", "7:11", "attempts"],
      ["FM001", "unknown-key", "warning", "8:1", "goal"],
      ["FM001", "unknown-key", "warning", "9:1", "colour"],
      ["FM001", "duplicate-key", "error", "12:1", "modifies"],
    ]);
    expect(parsed.spec).toMatchObject({ priority: 2, attempts: 4, modifies: ["lib/a.ts"] });
    expect(parsed.document.x).toEqual({ "x-own": "kept" });
  });

  test.each([
    ["depends-on", "depends_on"],
    ["dependsOn", "depends_on"],
    ["depend_on", "depends_on"],
    ["Verify", "verify"],
    ["estimate", "estimate_min"],
    ["timeout-min", "timeout_min"],
    ["task-id", "task_id"],
  ])("%s is answered with %s", (typed, meant) => {
    const [problem] = read(front(`${typed}: x`)).problems;
    expect(problem).toMatchObject({ code: "unknown-key", severity: "warning", field: typed });
    expect(problem?.message.includes(`did you mean ${meant}?`)).toBe(true);
  });

  test("id is another name of task_id", () => {
    expect(read(front("").replace("task_id", "id")).spec.id).toBe("S01-demo");
    expect(brief(read(front("id: S02-x")).problems)).toEqual([["ID001", "F01", "error", "4:5", "id"]]);
  });
});

describe("front matter that cannot be read", () => {
  test.each<[string, string, string, string]>([
    ["an empty file", "", "front-matter-absent", "1:1"],
    ["no front matter", "## Goal\nx\n", "front-matter-absent", "1:1"],
    ["an empty line first", "\n---\na: 1\n---\n", "front-matter-absent", "1:1"],
    ["a code fence around it", "```yaml\n---\ntask_id: S01\n---\n", "front-matter-absent", "1:1"],
    ["a first field on line 1", "--- task_id: S01\n---\n", "front-matter-absent", "1:1"],
    ["no end", "---\ntask_id: S01\n## Goal\n", "front-matter-open", "1:1"],
    ["only its first line", "---", "front-matter-open", "1:1"],
    ["nothing in it", "---\n---\n## Goal\n", "front-matter-empty", "2:1"],
    ["only a comment", "---\n# nothing\n---\n", "front-matter-empty", "2:1"],
    ["a list", "---\n- task_id\n---\n", "front-matter-not-a-map", "2:1"],
    ["a text", "---\nS01\n---\n", "front-matter-not-a-map", "2:1"],
    ["a tab", "---\nmodifies:\n\t- lib/a.ts\n---\n", "tab", "3:1"],
    ["a bracket left open", "---\nmodifies: [lib/a.ts\nproject: x\n---\n", "yaml", "3:1"],
    ["a quote left open", '---\ntitle: "x\n---\n', "yaml", "3:1"],
    ["a colon in plain text", "---\ntitle: a: b\n---\n", "yaml", "2:8"],
    ["a full-width colon", "---\ntask_id：S01\nproject: x\n---\n", "yaml", "2:1"],
    ["a backtick", "---\nverify: `npm test`\n---\n", "yaml", "2:9"],
    ["a second document", "---\na: 1\n--- # two\nb: 2\n---\n", "second-document", "3:1"],
    ["a second spec below", "---\na: 1\n---\n\ntask_id: S02\n---\n", "second-document", "5:1"],
    ["a second spec after the body", "---\na: 1\n---\n## Goal\nx\n---\ntask_id: S02\n---\n", "second-document", "7:1"],
    ["brackets without end", `---\na: ${"[".repeat(60_000)}\n---\n`, "nesting", "2:68"],
    ["dashes without end", `---\n${"- ".repeat(30_000)}\n---\n`, "nesting", "2:129"],
    ["too much text", `---\na: ${"x".repeat(70_000)}\n---\n`, "file-too-large", "2:1"],
    ["a huge file", `---\na: 1\n---\n${"x".repeat(600_000)}\n`, "file-too-large", "1:1"],
  ])("%s", (_, text, code, at) => {
    const parsed = parseSpec({ text, file: "S01-demo.md" });
    expect(parsed.outcome).toBe("unreadable");
    expect(parsed.problems.map((problem) => [problem.id, problem.severity, problem.code, `${problem.line}:${problem.column}`])).toEqual([
      ["FM001", "error", code, at],
    ]);
  });

  test.each([
    ["an unquoted glob", "modifies: [*.py]", "alias", "3:12"],
    ["an unquoted glob over folders", "modifies: **/x.py", "alias", "3:11"],
    ["an anchor", "modifies: &a [x]", "alias", "3:14"],
    ["a tag", "modifies: !!js/function x", "tag", "3:25"],
    ["a map as a name", "? [a]\n: b", "bad-key", "3:3"],
  ])("%s is refused at its place, and the rest is read", (_, line, code, at) => {
    const parsed = read(`---\ntask_id: S01-demo\n${line}\nattempts: 9\n---${body}`);
    expect(parsed.problems.map((problem) => [problem.code, problem.code === "F19" ? "" : `${problem.line}:${problem.column}`])).toEqual([
      [code, at],
      ["F19", ""],
    ]);
  });

  test("aliases that would grow beyond memory are never expanded", () => {
    const bomb = Array.from({ length: 30 }, (_, i) => `x-${i}: &a${i} [${i === 0 ? "x" : `*a${i - 1}, *a${i - 1}`}]`).join("\n");
    const { document, problems } = read(front(bomb));
    expect(document.x).toEqual({});
    expect(problems.every((problem) => problem.code === "alias")).toBe(true);
  });
});

describe("a body that says nothing", () => {
  test.each([
    ["prose instead of a list", "## Goal\nx\n## Acceptance\nIt works well.\n", "AC001", "acceptance-unread", 6],
    ["an item without text", "## Goal\nx\n## 验收\n- [ ]\n- [ ] a\n", "AC001", "acceptance-item-empty", 7],
    ["a fence that never closes", "## Goal\nx\n```\n## Acceptance\n- [ ] a\n", "FM001", "fence-open", 6],
    ["QA text without a scenario", "## Goal\nx\n## QA\nTry it.\n## Acceptance\n- a\n", "FM001", "F23", 6],
    ["a scenario without a result", "## Goal\nx\n## QA\nScenario: a\nTool: sh\nSteps:\n1. b\n## Acceptance\n- a\n", "FM001", "F23", 7],
  ])("%s is a problem", (_, text, id, code, line) => {
    const { problems } = read(`---\nmodifies: [lib/a.ts]\n---\n${text}`);
    expect(problems.map((problem) => [problem.id, problem.code, problem.line])).toEqual([[id, code, line]]);
  });
});
