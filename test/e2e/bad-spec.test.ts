import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ErrorView, FeedView } from "@dispatch/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { specText } from "./kit/write-spec.ts";

interface Problem {
  file: string;
  line: number;
  column: number;
  id: string;
  code: string;
  severity: string;
  message: string;
}

let scene: Scene;
const written: string[] = [];
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  const repo = await scene.repository("words", library);
  await scene.must("project", "add", "words", "--repo", repo, "--verify", verify, "--executor", "by-file");
  await scene.must("start", "words");
  await scene.ask("POST", "/v1/projects/words/pause");
});
afterAll(() => scene.end());
afterEach(() => {
  for (const path of written.splice(0)) rmSync(join(scene.factory, path), { force: true });
});

function put(name: string, text: string): string {
  const path = `specs/pending/${name}.md`;
  scene.write(path, text);
  written.push(path);
  return path;
}

const sound = (id: string, more: Partial<Parameters<typeof specText>[0]> = {}): string =>
  specText({ id, project: "words", creates: [`src/${id.toLowerCase()}.js`], ...more });

const lint = async (): Promise<Problem[]> => (await scene.json<{ problems: Problem[] }>("lint")).value.problems;

/** Feeding what is all wrong is refused, and leaves ledger and files as they were. */
async function expectNothingFed(feed: () => Promise<{ code: number | null; value: ErrorView }>): Promise<void> {
  const files = written.map((path) => scene.read(path));
  const before = await scene.status();
  const fed = await feed();
  expect(fed).toMatchObject({ code: 1, value: { error: { code: "SPEC_INVALID" } } });
  expect(fed.value.error.hint).toContain("dispatch feed words");
  const after = await scene.status();
  expect([after.lastSeq, after.tasks]).toEqual([before.lastSeq, before.tasks]);
  expect(written.map((path) => scene.read(path))).toEqual(files);
}

const feedByCommand = () => scene.json<ErrorView>("feed", "words");

/** What the command sends to the daemon, without a process of its own. */
async function feedDirectly(): Promise<{ code: number; value: ErrorView }> {
  const { status, body } = await scene.ask("POST", "/v1/projects/words/feed");
  return { code: status < 400 ? 0 : 1, value: JSON.parse(body) as ErrorView };
}

test("each file that is wrong is told with its place and its rule, and nothing of it is fed, alone or with others", async () => {
  const front = (lines: string): string =>
    `---\n${lines}---\n\n## Goal\n\nWrite src/x.js.\n\n## Acceptance\n\n- [ ] it runs: \`node --test\` -> exit 0\n`;
  type Case = [name: string, text: (id: string) => string, rule: string, code: string];
  const cases: Case[] = [
    ["broken YAML", (id) => front(`task_id: ${id}\nproject: words\ncreates: [src/${id}.js\n`), "FM001", "yaml"],
    ["a tab", (id) => front(`task_id: ${id}\nproject: words\ncreates:\n\t- src/x.js\n`), "FM001", "tab"],
    ["a key twice", (id) => front(`task_id: ${id}\ntask_id: S02-x\nproject: words\ncreates: [src/${id}.js]\n`), "FM001", "duplicate-key"],
    ["a typo in a key", (id) => front(`task_id: ${id}\nproject: words\ncreate: [src/x.js]\n`), "FM001", "unknown-key"],
    ["an alias", (id) => front(`task_id: ${id}\nproject: words\ncreates: &a [src/x.js]\nreads: *a\n`), "FM001", "alias"],
    ["no front matter", () => "## Goal\n\nWrite src/x.js.\n", "FM001", "front-matter-absent"],
    ["front matter without an end", () => "---\ntask_id: S01-x\nproject: words\n", "FM001", "front-matter-open"],
    ["an unknown project", (id) => sound(id, { project: "wrods" }), "FM001", "F02"],
    ["an unknown executor", (id) => sound(id, { executor: "nobody" }), "FM001", "F14"],
    ["a path that leaves the repository", (id) => sound(id, { creates: ["../outside.js"] }), "MOD002", "path-form"],
    ["a path that leaves it further in", (id) => sound(id, { creates: ["src/../../outside.js"] }), "MOD002", "path-form"],
    ["an absolute path", (id) => sound(id, { modifies: ["/etc/passwd"] }), "MOD002", "path-form"],
    ["a path into .git", (id) => sound(id, { modifies: [".git/config"] }), "MOD002", "path-form"],
    ["a file to change that is not there", (id) => sound(id, { creates: [], modifies: ["src/slugg.js"] }), "MOD002", "F03"],
    ["a file to make that is there", (id) => sound(id, { creates: ["src/slug.js"] }), "MOD002", "F04"],
    ["nothing to lock", (id) => sound(id, { creates: [] }), "MOD001", "nothing-to-lock"],
    ["a dependency that is not there", (id) => sound(id, { dependsOn: ["S77-no"] }), "DEP001", "dependency-unknown"],
    ["itself as a dependency", (id) => sound(id, { dependsOn: [id] }), "DEP001", "dependency-self"],
    ["no goal", (id) => sound(id).replace(/## Goal[\s\S]*?(?=## Acceptance)/, ""), "GOAL001", "goal-empty"],
    ["no acceptance", (id) => sound(id).replace(/## Acceptance[\s\S]*?(?=## Do not)/, ""), "AC001", "acceptance-absent"],
  ];
  const files = cases.map(([, text], n) => {
    const id = `S${n + 10}-x`;
    return { id, text: text(id) };
  });
  for (const { id, text } of files) {
    put(id, text);
    await expectNothingFed(feedDirectly);
    rmSync(join(scene.factory, written.pop() ?? ""));
  }
  const paths = files.map(({ id, text }) => put(id, text));
  const problems = await lint();
  for (const [n, [name, , rule, code]] of cases.entries()) {
    const told = problems.filter((problem) => problem.file === paths[n]).map((problem) => [problem.id, problem.code]);
    expect(told, name).toContainEqual([rule, code]);
  }
  for (const problem of problems) {
    expect(paths).toContain(problem.file);
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.message).not.toMatch(/undefined|\[object/);
  }
  await expectNothingFed(feedByCommand);
});

describe("several files", () => {
  test("an id twice is told at both, and neither is fed", async () => {
    put("S01-x", sound("S01-x"));
    put("S01-again", sound("S01-x", { creates: ["src/again.js"] }));
    const problems = (await lint()).filter((problem) => problem.code === "id-duplicate");
    expect(problems.map((problem) => problem.file).sort()).toEqual(["specs/pending/S01-again.md", "specs/pending/S01-x.md"]);
    await expectNothingFed(feedDirectly);
  });

  test("a cycle is told, and nothing of it is fed", async () => {
    put("S01-x", sound("S01-x", { dependsOn: ["S03-z"] }));
    put("S02-y", sound("S02-y", { dependsOn: ["S01-x"] }));
    put("S03-z", sound("S03-z", { dependsOn: ["S02-y"] }));
    expect((await lint()).map((problem) => problem.code)).toContain("dependency-cycle");
    await expectNothingFed(feedDirectly);
  });

  test("what is sound is fed, what is wrong and what builds on it stays in the inbox, exit 1", async () => {
    put("S20-good", sound("S20-good"));
    put("S21-bad", sound("S21-bad", { creates: ["../out.js"] }));
    put("S22-on-bad", sound("S22-on-bad", { dependsOn: ["S21-bad"] }));
    const fed = await scene.json<FeedView>("feed", "words");
    expect(fed).toMatchObject({ code: 1, value: { planned: ["words/S20-good"], moved: ["specs/words/S20-good.md"] } });
    expect([...fed.value.refused].sort()).toEqual(["specs/pending/S21-bad.md", "specs/pending/S22-on-bad.md"]);
    expect(existsSync(join(scene.factory, "specs/pending/S21-bad.md"))).toBe(true);
    expect(existsSync(join(scene.factory, "specs/pending/S20-good.md"))).toBe(false);
  });

  test("a new file in the inbox does not overwrite one of the same name", async () => {
    const before = scene.read("specs/words/S20-good.md");
    put("S20-good", sound("S20-good", { goal: "Something else for src/s20-good.js." }));
    expect(await scene.json<ErrorView>("feed", "words")).toMatchObject({ code: 1, value: { error: { code: "SPEC_CHANGED" } } });
    expect(scene.read("specs/words/S20-good.md")).toBe(before);
    expect(scene.read("specs/pending/S20-good.md")).toContain("Something else");
  });

  test("a byte order mark, CRLF and Chinese headings are no problem; such a spec is worked on", async () => {
    const creates = ["src/odd.js", "test/odd.test.js"];
    const text = specText({ id: "S30-odd", project: "words", creates, goal: "在 src/odd.js 中新增 odd，并在 test/odd.test.js 中测试。" });
    const chinese = text.replace("## Goal", "## 目标").replace("## Acceptance", "## 验收标准").replace("## Do not", "## 不要做");
    put("S30-odd", `\uFEFF${chinese.replaceAll("\n", "\r\n")}`);
    scene.answer("S30-odd", addFunction("odd", "return text;"));
    scene.answer("S20-good", "printf 'export const good = true;\\n' > src/s20-good.js");
    expect(await lint()).toEqual([]);
    await scene.must("start", "words");
    await scene.untilTask("words/S30-odd", "merged");
    await scene.untilTask("words/S20-good", "merged");
  });

  test("lint of files that are not there, and of a folder without a factory, says so", async () => {
    expect(await scene.json<ErrorView>("lint", "specs/nowhere.md")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await scene.json("lint", "specs/words")).toMatchObject({ code: 0, value: { problems: [] } });
  });
});
