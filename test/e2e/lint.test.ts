import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ErrorView, FeedView, SpecProblem } from "@dispatch/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";
import { type SpecInput, specText } from "./kit/write-spec.ts";

interface Report {
  version: number;
  errors: number;
  warnings: number;
  problems: SpecProblem[];
  mended: { file: string; fixes: { id: string }[]; leftBecause: string | null }[];
}

const scripts = {
  ...library,
  "count.sh": '#!/bin/sh\necho run >> "$NOTES"\n',
  "hold.sh": '#!/bin/sh\necho $$ > "$NOTES"\nsleep 600 &\nwait\n',
};
const cli = join(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js");

let scene: Scene;
let project: string;
let repo: string;
let notes: string;
let n = 0;

beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  mkdirSync(join(scene.root, "tmp"));
  scene.env["TMPDIR"] = join(scene.root, "tmp");
});
afterAll(() => scene.end());
beforeEach(async () => {
  n += 1;
  project = `words${n}`;
  notes = join(scene.root, `notes${n}`);
  repo = await scene.repository(project, scripts);
  scene.configure(["projects", project], { repo, verify, executor: "by-file" });
});
afterEach(() => {
  for (const name of readdirSync(join(scene.factory, "specs/pending"))) rmSync(join(scene.factory, "specs/pending", name));
  expect(readdirSync(join(scene.root, "tmp"))).toEqual([]);
});

const adds = (id: string, name: string, more: Partial<SpecInput> = {}): SpecInput => ({
  id,
  project,
  creates: [`src/${name}.js`, `test/${name}.test.js`],
  ...more,
});
const lint = (...args: string[]) => scene.json<Report>("lint", "--project", project, ...args);
const codes = (report: Report): (string | undefined)[] => report.problems.map((problem) => problem.code);
/** The verify field of a spec: a script of the repository that leaves a trace. */
const runs = (script: string): string => `verify: {run: ./${script}, env: {NOTES: ${JSON.stringify(notes)}}}`;
const ranTimes = (): number => (existsSync(notes) ? readFileSync(notes, "utf8").split("\n").length - 1 : 0);
const hub = (): string => join(scene.factory, ".dispatch/hub", `${project}.git`);

describe("against the repository", () => {
  test("without a hub a repository of this machine is read at its branch, and nothing is made of it", async () => {
    scene.spec(adds("S01-one", "one", { creates: [], modifies: ["src/slgu.js"] }));
    writeFileSync(join(repo, "src/slgu.js"), "not committed\n");
    const found = await lint();
    expect([found.code, codes(found.value)]).toEqual([1, expect.arrayContaining(["F03"])]);
    expect(found.value.problems.find((problem) => problem.code === "F03")?.message).toContain("src/slug.js");
    expect(existsSync(hub())).toBe(false);
    scene.spec(adds("S01-one", "one", { creates: [], modifies: ["src/slug.js"] }));
    expect(await lint()).toMatchObject({ code: 0, value: { version: 1, errors: 0, warnings: 0, problems: [] } });
  });

  test("one that lies on a network is left out, and that is said in one line", async () => {
    scene.configure(["projects", project, "repo"], "https://example.invalid/words.git");
    scene.spec(adds("S01-one", "one", { creates: [], modifies: ["src/nowhere.js"] }));
    const found = await lint();
    expect(found).toMatchObject({ code: 0, value: { problems: [] } });
    expect(found.stderr.trim().split("\n")).toEqual([expect.stringContaining(project)]);
    scene.configure(["projects", project, "repo"], join(scene.root, "gone"));
    expect(await lint()).toMatchObject({ code: 0, stderr: expect.stringContaining("gone") });
  });

  test("lint offline and feed in the daemon find the same", async () => {
    scene.spec(adds("S01-one", "one", { verify: "npm run e2e" }));
    scene.spec(adds("S02-two", "two", { creates: ["src/one.js"] }));
    scene.spec(adds("S03-three", "three", { more: ["resources: {gpu: 4}"] }));
    scene.spec(adds("S04-four", "four", { modifies: ["src/sulg.js"] }));
    const before = await lint();
    expect(codes(before.value)).toEqual(expect.arrayContaining(["script-unknown", "F37", "F03"]));
    const fed = await scene.json<FeedView & ErrorView>("start", project);
    const told = fed.value.problems ?? (fed.value.error.facts["problems"] as SpecProblem[]);
    const plain = ({ file, line, column, id, code, severity, message }: SpecProblem) => ({ file, line, column, id, code, severity, message });
    expect(told.map(plain)).toEqual(before.value.problems.map(plain));
    expect(existsSync(hub())).toBe(true);
    expect((await lint()).value.problems.map(plain)).toEqual(
      expect.arrayContaining(before.value.problems.filter((problem) => problem.severity === "error").map(plain)),
    );
    await scene.ask("POST", `/v1/projects/${project}/pause`);
  });

  test("one named file is judged among the factory's other specs, and only its own problems are told", async () => {
    scene.spec(adds("S01-base", "base", { modifies: ["src/nowhere.js"] }));
    const path = scene.spec(adds("S02-next", "next", { dependsOn: ["S01-base"], goal: "Use src/base.js in src/next.js." }));
    const found = await lint(path);
    expect(found.value.problems.filter((problem) => problem.file !== path)).toEqual([]);
    expect(codes(found.value)).not.toContain("dependency-unknown");
    const copy = join(scene.root, "S02-next.md");
    writeFileSync(copy, scene.read(path));
    expect(codes((await lint(copy)).value)).not.toContain("id-duplicate");
  });
});

describe("nodes", () => {
  test("a spec that no node can ever run is refused at lint and at feed, with the nearest miss", async () => {
    scene.spec(adds("S01-one", "one", { more: ["resources: {gpu: 1}"] }));
    scene.spec(adds("S02-two", "two", { more: ["nodes: [elsewhere]"] }));
    scene.spec(adds("S03-three", "three", { more: ["node_labels: [cuda]"] }));
    const found = await lint();
    expect(found.value.problems.map(({ id, code, line }) => [id, code, line > 1])).toEqual([
      ["FM001", "F37", true],
      ["FM001", "F38", true],
      ["FM001", "F38", true],
    ]);
    expect(found.value.problems[0]?.message).toContain("local");
    expect(await scene.json<ErrorView>("start", project)).toMatchObject({ code: 1, value: { error: { code: "SPEC_INVALID" } } });
  });
});

describe("output and exit codes", () => {
  test("0 clean, 1 errors, 2 warnings with --strict; SARIF, JSON and text tell the same", async () => {
    const path = scene.spec(adds("S01-one", "one"));
    expect((await lint("--strict")).code).toBe(0);
    scene.write(path, specText(adds("S01-one", "one")).replace("estimate_min: 5", "estimate_min: 25"));
    const [plain, strict, sarif, text] = await Promise.all([
      lint(),
      lint("--strict"),
      scene.dispatch("lint", "--project", project, "--format", "sarif"),
      scene.dispatch("lint", "--project", project),
    ]);
    expect([plain.code, strict.code, plain.value.warnings, plain.value.errors]).toEqual([0, 2, 1, 0]);
    const log = JSON.parse(sarif.stdout) as { version: string; runs: { results: { ruleId: string; level: string }[] }[] };
    expect([log.version, log.runs[0]?.results.map(({ ruleId, level }) => [ruleId, level])]).toEqual(["2.1.0", [["SIZE001", "warning"]]]);
    expect(text.stdout.trim().split("\n")).toEqual([expect.stringMatching(new RegExp(`^${path}:\\d+:\\d+ SIZE001 warning `))]);
    scene.write(path, specText(adds("S01-one", "one")).replace("task_id: S01-one", "task_id: S01-oen"));
    expect([(await lint()).code, (await lint("--strict")).code]).toEqual([1, 1]);
    expect((await scene.dispatch("lint", "--format", "xml")).code).toBe(2);
  });

  test("--rules lists the rules, with or without specs", async () => {
    const rules = await scene.must<{ id: string; level: string; chinese: string }[]>("lint", "--rules");
    expect(new Set(rules.map((rule) => rule.id)).size).toBeGreaterThanOrEqual(25);
    const text = await scene.dispatch("lint", "--rules");
    expect(text.stdout.trim().split("\n")).toHaveLength(rules.length + 1);
  });
});

describe("--fix", () => {
  test("mends what is safe, shows each fix, keeps the rest of the file byte for byte; a second time there is nothing to do", async () => {
    const good = specText(adds("S01-one", "one", { modifies: ["src/slug.js"] }));
    const wrong = good.replace("depends_on: []", "depend_on: []").replace('"src/slug.js"', '"./src/slug.js"').replaceAll("\n", "\r\n");
    scene.write("specs/pending/S01-one.md", wrong);
    expect((await lint()).value.problems.filter((problem) => problem.fix !== undefined).length).toBeGreaterThan(0);
    const text = await scene.dispatch("lint", "--project", project, "--fix");
    expect(text.stdout).toContain("fixed");
    const mended = scene.read("specs/pending/S01-one.md");
    expect(mended.replaceAll("\r\n", "\n")).toBe(good.replace("depends_on: []", "depends_on: []"));
    expect(mended.split("\r\n").length).toBe(wrong.split("\r\n").length);
    expect(await lint("--fix")).toMatchObject({ code: 0, value: { problems: [], mended: [] } });
    expect(scene.read("specs/pending/S01-one.md")).toBe(mended);
    expect(readdirSync(join(scene.factory, "specs/pending"))).toEqual(["S01-one.md"]);
  });

  test("leaves the spec of a task that has begun alone, and says why", async () => {
    scene.spec(adds("S01-one", "one"));
    scene.answer("S01-one", addFunction("one", "return text;"));
    await scene.must("start", project);
    await scene.untilTask(`${project}/S01-one`, "merged");
    scene.spec(adds("S02-two", "two", { attempts: 1 }));
    scene.answer("S02-two", "true");
    await scene.must("start", project);
    await scene.untilTask(`${project}/S02-two`, "parked");
    const path = `specs/${project}/S02-two.md`;
    const wrong = scene.read(path).replace("modifies: []", 'modifies: ["./src/slug.js"]');
    scene.write(path, wrong);
    const found = await lint("--fix");
    expect(found.value.mended).toMatchObject([{ file: path, leftBecause: expect.stringContaining("parked") }]);
    expect(scene.read(path)).toBe(wrong);
  });

  test("works on a folder without a factory", async () => {
    const folder = join(scene.root, `loose${n}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "S01-one.md"), specText(adds("S01-one", "one", { verify: "node --test" })).replace("depends_on: []", "depend_on: []"));
    const run = (...args: string[]): Promise<number | null> =>
      new Promise((resolve) =>
        spawn(process.execPath, [cli, "lint", ...args], { cwd: folder, env: scene.env, stdio: "ignore" }).once("close", resolve),
      );
    expect(await run("S01-one.md", "--strict")).toBe(2);
    expect(await run("S01-one.md", "--fix", "--strict")).toBe(0);
    expect(readFileSync(join(folder, "S01-one.md"), "utf8")).toContain("depends_on: []");
  });
});

describe("--preflight", () => {
  test("a check that is green on main is a warning, of a bugfix an error; a red one is as it should be; each is run once", async () => {
    const text = (id: string, type: string, verify: string): void => {
      scene.write(`specs/pending/${id}.md`, specText(adds(id, id.slice(4), { more: [verify] })).replace("type: feature", `type: ${type}`));
    };
    text("S01-green", "feature", runs("count.sh"));
    text("S02-bug", "bugfix", runs("count.sh"));
    text("S03-red", "bugfix", "verify: node --test test/red.test.js");
    expect((await lint()).value.problems).toEqual([]);
    expect(ranTimes()).toBe(0);
    const found = await lint("--preflight");
    expect(found.value.problems.map(({ file, id, severity }) => [file.slice(14, 17), id, severity])).toEqual([
      ["S01", "VER004", "warning"],
      ["S02", "VER004", "error"],
    ]);
    expect([found.code, ranTimes()]).toEqual([1, 1]);
    expect(found.stderr.split("\n").filter((line) => line.startsWith("preflight"))).toHaveLength(3);
    expect((await lint("--preflight")).value.problems).toEqual(found.value.problems);
    expect(ranTimes()).toBe(1);
    await scene.commit(repo, { "more.txt": "more\n" }, "Main moves");
    await lint("--preflight");
    expect(ranTimes()).toBe(2);
    expect(await scene.git(repo, "status", "--porcelain")).toBe("");
    expect(await scene.git(repo, "worktree", "list")).not.toContain("\n");
  });

  test("Ctrl-C ends it with 130: nothing it started runs on, and what it checked out is gone", async () => {
    scene.spec(adds("S01-one", "one", { more: [runs("hold.sh")] }));
    const child = spawn(process.execPath, [cli, "lint", "--project", project, "--preflight"], {
      cwd: scene.factory,
      env: scene.env,
      stdio: "ignore",
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const pid = await until("the check runs", () => (existsSync(notes) ? Number(readFileSync(notes, "utf8")) || undefined : undefined));
    expect(readdirSync(join(scene.root, "tmp"))).toHaveLength(1);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    await until("the check has ended", () => !existsSync(`/proc/${pid}`));
    expect(readdirSync(join(scene.root, "tmp"))).toEqual([]);
  });

  test("at feed it is done for new bugfixes always, and for all new specs where the project says so", async () => {
    const bug = (): void =>
      scene.write(
        "specs/pending/S01-bug.md",
        specText(adds("S01-bug", "bug", { more: [runs("count.sh")] })).replace("type: feature", "type: bugfix"),
      );
    const feature = (): string => scene.spec(adds("S02-new", "new", { more: [runs("count.sh")] }));
    scene.answer("S02-new", addFunction("new1", "return text;"));
    bug();
    const refused = await scene.json<ErrorView>("start", project);
    expect(refused).toMatchObject({
      code: 1,
      value: { error: { code: "SPEC_INVALID", facts: { problems: [{ id: "VER004", severity: "error" }] } } },
    });
    expect(ranTimes()).toBe(1);
    await scene.ask("POST", `/v1/projects/${project}/pause`);
    rmSync(join(scene.factory, "specs/pending/S01-bug.md"));
    feature();
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ planned: [`${project}/S02-new`], problems: [] });
    scene.configure(["projects", project, "preflight"], true);
    scene.spec(adds("S03-other", "other", { more: [runs("count.sh").replace("./count.sh", "./count.sh two")] }));
    const fed = await scene.must<FeedView>("feed", project);
    expect(fed).toMatchObject({
      planned: [`${project}/S03-other`],
      problems: [{ id: "VER004", severity: "warning", file: expect.stringContaining("S03-other") }],
    });
    expect(ranTimes()).toBe(2);
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ planned: [], problems: [] });
    expect(ranTimes()).toBe(2);
  });
});
