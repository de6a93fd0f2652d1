import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FeedView, LogView, ReportView, StatusView, TaskView, WhyView } from "@dispatch/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction, library, verify } from "./kit/library.ts";
import { runProgram } from "./kit/run-program.ts";
import { fixtures, openScene, type Scene } from "./kit/scene.ts";

interface Collected {
  landed: readonly string[];
  last: { outcome: string; commit?: string; code?: string };
}

// The folder of the factory has a long path, with spaces, quotes and letters of another script: everything works as elsewhere.
// No path of a socket may be that long, so nothing here speaks to the daemon but the command line.
let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 3, factory: `it's a "wide" folder/工厂 ${"far away ".repeat(12)}end` });
});
afterAll(() => scene.end());

/** Runs a suite in a fresh clone of a repository. */
async function suiteOf(repository: string, program: string, ...args: string[]): Promise<number | null> {
  const clone = join(scene.root, `clone-${Math.random().toString(36).slice(2)}`);
  await scene.git(scene.root, "clone", "-q", repository, clone);
  return (await runProgram(program, args, { cwd: clone, env: scene.env })).code;
}

describe("a library with a bare origin, three shell scripts as agents, in a factory whose path is long and has spaces, quotes and letters of another script", () => {
  let origin: string;
  beforeAll(async () => {
    const source = await scene.repository("words-source", library);
    origin = join(scene.root, "words & co.git");
    await scene.git(scene.root, "clone", "-q", "--bare", source, origin);
  });

  test("project add registers it and keeps the file's comments", async () => {
    await scene.must("project", "add", "words", "--repo", origin, "--branch", "main", "--verify", verify);
    expect(scene.read("dispatch.yaml")).toMatch(/^# What this factory works on/);
    const listed = await scene.must<{ projects?: unknown }>("project", "list");
    expect(JSON.stringify(listed)).toContain('"words"');
  });

  test("lint finds nothing wrong with the specs, start takes them in, and all are merged", async () => {
    scene.spec({ id: "S01-shout", project: "words", creates: ["src/shout.js", "test/shout.test.js"], executor: "by-file" });
    scene.spec({ id: "S02-whisper", project: "words", creates: ["src/whisper.js", "test/whisper.test.js"], executor: "by-stdin" });
    scene.spec({
      id: "S03-export-all",
      project: "words",
      modifies: ["src/index.js"],
      dependsOn: ["S01-shout", "S02-whisper"],
      goal: "Write what S03-export-all is about into src/index.js: shout of src/shout.js and whisper of src/whisper.js.",
      executor: "by-argument",
    });
    scene.answer("S01-shout", addFunction("shout", "return text.toUpperCase();"));
    scene.answer("S02-whisper", addFunction("whisper", "return text.toLowerCase();"));
    scene.answer("S03-export-all", `printf 'export { shout } from "./shout.js";\\nexport { whisper } from "./whisper.js";\\n' >> src/index.js`);

    const lint = await scene.json<{ problems: unknown[] }>("lint");
    expect(lint).toMatchObject({ code: 0, value: { problems: [] } });
    const feed = await scene.must<FeedView>("start", "words");
    expect([...feed.planned].sort()).toEqual(["words/S01-shout", "words/S02-whisper", "words/S03-export-all"]);
    expect(feed).toMatchObject({ refused: [], problems: [] });
    expect(existsSync(join(scene.factory, "specs/pending/S01-shout.md"))).toBe(false);
    expect(existsSync(join(scene.factory, "specs/words/S01-shout.md"))).toBe(true);
    const followed = await scene.dispatch("start", "words", "--follow");
    expect(followed.code).toBe(0);
  });

  test("the prompt reached every agent, by file, on stdin and as an argument", () => {
    for (const id of ["S01-shout", "S02-whisper", "S03-export-all"]) {
      const prompt = readFileSync(join(scene.root, "answers", `words--${id}--1.1.prompt`), "utf8");
      expect(prompt).toContain(`Write what ${id} is about into`);
      expect(prompt).toContain(verify);
    }
  });

  test("status, why, logs, show and events tell of it", async () => {
    const status = await scene.must<StatusView>("status", "words");
    expect(status.projects).toMatchObject([{ id: "words", counts: { merged: 3 }, policy: "continuous" }]);
    const why = await scene.must<WhyView>("why", "S01");
    expect(why).toMatchObject({ task: "words/S01-shout", state: "merged", troubles: [] });
    const log = await scene.must<LogView>("logs", "S02-whisper");
    expect(log).toMatchObject({ attempt: "words--S02-whisper--1", round: 1, file: "agent", live: false });
    expect(log.text).toContain("agent at work on S02-whisper");
    const verify = await scene.must<LogView>("logs", "words/S02", "--verify");
    expect(verify.text).toContain("whisper refuses what is no text");
    const shown = await scene.must<TaskView>("show", "words/S03-export-all");
    expect(shown.refs).toContain("refs/dispatch/result/words--S03-export-all--1");
    expect(shown.attempts).toHaveLength(1);
    const hubMain = await scene.git(shown.hub, "rev-parse", "main");
    expect(shown.task.state).toMatchObject({ kind: "merged", commit: hubMain });
    const events = await scene.dispatch("events", "--json");
    expect(events.code).toBe(0);
    for (const command of [["status"], ["why", "S01"], ["logs", "S01"], ["show", "S01"], ["report", "words"], ["project", "list"]]) {
      const ran = await scene.dispatch(...command);
      expect(ran.code).toBe(0);
      expect(ran.stdout).not.toMatch(/undefined|\[object|NaN|\u001b\[/);
    }
  });

  test("collect publishes to the bare origin, whose suite is green; a second one changes nothing", async () => {
    const collected = await scene.must<Collected>("collect", "words");
    expect(collected.last.outcome).toBe("published");
    expect(await scene.git(origin, "rev-parse", "main")).toBe(collected.last.commit);
    expect(await suiteOf(origin, "node", "--test")).toBe(0);
    const subjects = await scene.git(origin, "log", "--first-parent", "--format=%s", "main");
    const { landings } = await scene.must<ReportView>("report", "words");
    expect(subjects.split("\n")).toHaveLength(1 + new Set(landings.map(({ commit }) => commit)).size);
    const [tree, parents, ...trailers] = (await scene.git(origin, "log", "-1", "--format=%T%n%P%n%(trailers:unfold)", "main")).split("\n");
    expect(parents?.split(" ")).toHaveLength(2);
    expect(trailers).toContain("Spec-Id: S03-export-all");
    expect(trailers).toContain(`Gate-Tree: ${tree}`);
    const again = await scene.must<Collected>("collect", "words");
    expect(again).toMatchObject({ landed: [], last: { outcome: "published", commit: collected.last.commit } });
  });

  test("the report says the same on the terminal, as Markdown and as JSON", async () => {
    const report = await scene.must<ReportView>("report", "words");
    expect(report).toMatchObject({ project: "words", counts: { merged: 3 }, waiting: [], conflicts: 0 });
    expect(report.published).toBe(report.main);
    expect(report.tasks.map((task) => task.rounds)).toEqual([1, 1, 1]);
    expect(report.landings).toHaveLength(3);
    expect(report.maxParallel).toBeGreaterThanOrEqual(1);
    const markdown = await scene.dispatch("report", "words", "--md", "-o", "report.md");
    expect(markdown.code).toBe(0);
    const text = readFileSync(join(scene.factory, "report.md"), "utf8");
    expect(text).toMatch(/^# /);
    for (const task of report.tasks) expect(text).toContain(task.id);
  });
});

describe("the posts service in a clone somebody works in, landing on collect", () => {
  let clone: string;
  beforeAll(async () => {
    clone = join(scene.root, "posts");
    cpSync(join(fixtures, "posts-api"), clone, { recursive: true });
    await scene.git(clone, "init", "-q");
    await scene.commit(clone, {}, "The service as it is");
  });

  test("work waits for collect, which then moves the branch and its clean worktree together", async () => {
    await declareProject(scene, "posts", { repo: clone, verify: "./run.sh test", landing: "on-collect", executor: "by-stdin" });
    scene.spec({ id: "S01-limits", project: "posts", check: "./run.sh test", creates: ["src/limits.js", "tests/limits.test.js"] });
    scene.spec({ id: "S02-readme", project: "posts", check: "./run.sh test", modifies: ["README.md"], creates: ["tests/readme.test.js"] });
    scene.answer(
      "S01-limits",
      `printf 'export const maxPosts = 50;\\n' > src/limits.js
printf 'import { test } from "node:test";\\nimport assert from "node:assert/strict";\\nimport { maxPosts } from "../src/limits.js";\\ntest("fifty", () => assert.equal(maxPosts, 50));\\n' > tests/limits.test.js`,
    );
    scene.answer(
      "S02-readme",
      `printf '\\nLimits: 50 posts.\\n' >> README.md
printf 'import { test } from "node:test";\\nimport assert from "node:assert/strict";\\nimport { readFileSync } from "node:fs";\\ntest("the limit is told", () => assert.match(readFileSync("README.md", "utf8"), /50 posts/));\\n' > tests/readme.test.js`,
    );
    const before = await scene.git(clone, "rev-parse", "main");
    const followed = await scene.dispatch("start", "posts", "--follow");
    expect(followed.code).toBe(0);
    const { tasks } = await scene.must<StatusView>("status", "posts");
    expect(tasks.map(({ state }) => state)).toEqual(["queued", "queued"]);
    expect(await scene.git(clone, "rev-parse", "main")).toBe(before);

    const collected = await scene.must<Collected>("collect", "posts");
    expect([...collected.landed].sort()).toEqual(["posts/S01-limits", "posts/S02-readme"]);
    expect(await scene.git(clone, "rev-parse", "HEAD")).toBe(collected.last.commit);
    expect(await scene.git(clone, "status", "--porcelain")).toBe("");
    expect(readFileSync(join(clone, "README.md"), "utf8")).toContain("50 posts");
    expect((await runProgram("./run.sh", ["test"], { cwd: clone, env: scene.env })).code).toBe(0);
  });
});
