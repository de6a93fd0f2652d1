import { existsSync } from "node:fs";
import { join } from "node:path";
import { addProject, loadFactory, type NewProject } from "@dispatch/controller/files";
import { FactoryError } from "@dispatch/core";
import type { ErrorView } from "@dispatch/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";

interface Problem {
  file: string;
  path: string;
  message: string;
  hint: string;
}

let scene: Scene;
let repo: string;
let config: string;
let nodes: string;
beforeAll(async () => {
  scene = await openScene();
  repo = await scene.repository("words", library);
  config = scene.read("dispatch.yaml");
  nodes = scene.read("nodes.json");
});
afterAll(() => scene.end());

const problemsOf = (error: Pick<FactoryError, "facts">): Problem[] => (error.facts["problems"] as Problem[] | undefined) ?? [];

interface Files {
  config?: string;
  nodes?: string;
}

/** Does something in a factory with these files; they are put back afterwards. */
async function withFiles<T>(files: Files, act: () => Promise<T>): Promise<T> {
  scene.write("dispatch.yaml", files.config ?? config);
  scene.write("nodes.json", files.nodes ?? nodes);
  try {
    return await act();
  } finally {
    expect(scene.read("dispatch.yaml")).toBe(files.config ?? config);
    scene.write("dispatch.yaml", config);
    scene.write("nodes.json", nodes);
  }
}

/** What every command reads first, without a process of its own. */
async function readingOf(files: Files): Promise<FactoryError> {
  const thrown = await withFiles(files, () => loadFactory(scene.factory)).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof FactoryError)) throw new Error("it is read without a complaint", { cause: thrown });
  return thrown;
}

describe("dispatch.yaml", () => {
  const project = (more: string): string => `version: 1\nprojects:\n  words:\n    repo: ../words\n${more}`;
  test.each<[string, string, string[]]>([
    ["broken YAML", "version: 1\nprojects: {words: [}\n", ["(syntax)"]],
    ["a tab", "version: 1\nprojects:\n\twords:\n\t\trepo: ../words\n", ["(syntax)"]],
    ["a key twice", "version: 1\nversion: 1\n", ["(syntax)"]],
    ["a project twice", `${project("")}  words:\n    repo: ../other\n`, ["(syntax)"]],
    ["a typo in a key", project("    verfy: npm test\n"), ["projects.words.verfy"]],
    ["another version", "version: 2\n", ["version"]],
    ["no version", "projects: {}\n", ["version"]],
    ["nothing at all", "", ["version"]],
    ["a list", "- 1\n", ["(top)"]],
    ["a project without a repository", "version: 1\nprojects:\n  words: {}\n", ["projects.words.repo"]],
    ["a name that is none", "version: 1\nprojects:\n  ../words:\n    repo: x\n", ["projects.../words"]],
    ["an executor that is not there", project("    executor: nobody\n"), ["projects.words.executor"]],
    ["a command that is no list", "version: 1\nexecutors:\n  me:\n    command: sh agent.sh\n", ["executors.me.command"]],
    [
      "everything at once",
      project("    landing: sometimes\n    rounds: 9\n    verfy: x\n"),
      ["projects.words.landing", "projects.words.rounds", "projects.words.verfy"],
    ],
  ])("%s is told with its place and what would be right", async (_, text, paths) => {
    const error = await readingOf({ config: text });
    expect(error).toMatchObject({ code: "CONFIG_INVALID", fault: "user" });
    const problems = problemsOf(error);
    expect([...new Set(problems.map((problem) => problem.path))].sort()).toEqual([...paths].sort());
    for (const problem of problems) {
      expect(problem.file).toMatch(/^dispatch\.yaml/);
      expect(problem.message).not.toBe("");
      expect(problem.hint).not.toBe("");
    }
  });

  test("a byte order mark and CRLF are read as if they were not there", async () => {
    const odd = `\uFEFF${project("    verify: node --test\n").replaceAll("\n", "\r\n")}`;
    expect((await withFiles({ config: odd }, () => scene.dispatch("project", "list"))).code).toBe(0);
  });

  test("commands tell what is wrong and end with 2; neither start nor up begins anything", async () => {
    const wrong = project("    verfy: npm test\n");
    const listed = await withFiles({ config: wrong }, () => scene.json<ErrorView>("project", "list"));
    expect(listed).toMatchObject({ code: 2, value: { error: { code: "CONFIG_INVALID" } } });
    expect(problemsOf(listed.value.error).map(({ path }) => path)).toEqual(["projects.words.verfy"]);
    expect(await withFiles({ config: wrong }, () => scene.json("start", "words"))).toMatchObject({ code: 2 });
    scene.write("dispatch.yaml", wrong);
    const up = await scene.dispatch("up");
    scene.write("dispatch.yaml", config);
    expect(up).toMatchObject({ code: 2, stdout: "" });
    expect(up.stderr).toContain("projects.words.verfy");
    expect(existsSync(join(scene.factory, ".dispatch"))).toBe(false);
  });
});

describe("nodes.json", () => {
  test.each<[string, string, string[]]>([
    ["broken JSON", '{ "nodes": [', ["(syntax)"]],
    ["no node", '{ "nodes": [] }', ["nodes"]],
    ["no slots", '{ "nodes": [{ "name": "local" }] }', ["nodes.0.slots"]],
    ["too few slots", '{ "nodes": [{ "name": "local", "slots": 0 }] }', ["nodes.0.slots"]],
    ["a name twice", '{ "nodes": [{ "name": "a", "slots": 1 }, { "name": "a", "slots": 1 }] }', ["nodes.1.name"]],
    ["a typo in a key", '{ "nodes": [{ "name": "a", "slots": 1, "slotz": 2 }] }', ["nodes.0.slotz"]],
  ])("%s is told with its place", async (_, text, paths) => {
    const error = await readingOf({ nodes: text });
    expect(error).toMatchObject({ code: "CONFIG_INVALID", fault: "user" });
    const problems = problemsOf(error);
    expect([...new Set(problems.map((problem) => problem.path))]).toEqual(paths);
    for (const problem of problems) expect(problem.file).toMatch(/^nodes\.json/);
  });

  test("a command ends with 2 and says so", async () => {
    const ran = await withFiles({ nodes: '{ "nodes": [] }' }, () => scene.json<ErrorView>("project", "list"));
    expect(ran).toMatchObject({ code: 2, value: { error: { code: "CONFIG_INVALID" } } });
    expect(problemsOf(ran.value.error)).toMatchObject([{ file: expect.stringMatching(/^nodes\.json/), path: "nodes" }]);
  });
});

describe("project add", () => {
  async function refused(...args: string[]): Promise<ErrorView["error"] & { exit: number | null }> {
    const ran = await scene.json<ErrorView>("project", "add", ...args);
    expect(scene.read("dispatch.yaml")).toBe(config);
    expect(ran.value.error.hint).not.toBeNull();
    return { ...ran.value.error, exit: ran.code };
  }

  /** What the command does, without a process of its own. */
  async function refusedDirectly(name: string, from: string, more: Partial<NewProject> = {}): Promise<FactoryError> {
    const input: NewProject = { name, repo: from, branch: "main", verify: [], landing: "continuous", ...more };
    const thrown = await addProject(scene.factory, input).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(thrown instanceof FactoryError)) throw new Error(`${name} is not refused`, { cause: thrown });
    expect(scene.read("dispatch.yaml")).toBe(config);
    expect(thrown.hint).not.toBeNull();
    return thrown;
  }

  const unusable = { code: "REPOSITORY_INVALID", fault: "user" };

  test("what is no repository is not registered", async () => {
    const plain = join(scene.root, "home");
    expect(await refused("plain", "--repo", plain)).toMatchObject({ code: "REPOSITORY_INVALID", exit: 2 });
    expect(await refusedDirectly("gone", join(scene.root, "gone"))).toMatchObject(unusable);
    expect(await refusedDirectly("inside", join(repo, "src"))).toMatchObject(unusable);
  });

  test("a repository without commits, or without the branch, is not registered; its branches are named", async () => {
    const empty = join(scene.root, "empty");
    await scene.git(scene.root, "init", "-q", empty);
    expect(await refusedDirectly("empty", empty)).toMatchObject(unusable);
    const branch = await refused("words", "--repo", repo, "--branch", "trunk");
    expect(branch).toMatchObject({ code: "REPOSITORY_INVALID", exit: 2, facts: { branches: ["main"] } });
    expect(await refusedDirectly("words", repo, { branch: "a..b" })).toMatchObject(unusable);
  });

  test("a wrong name, an unknown executor, and a project that is there already are not registered", async () => {
    expect(await refusedDirectly("My Words", repo)).toMatchObject({ code: "USAGE", fault: "user" });
    expect(await refused("words", "--repo", repo, "--executor", "nobody")).toMatchObject({ code: "EXECUTOR_UNKNOWN", exit: 2 });
    scene.configure(["projects", "words"], { repo });
    const before = scene.read("dispatch.yaml");
    expect(await scene.json<ErrorView>("project", "add", "words", "--repo", repo)).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
    expect(scene.read("dispatch.yaml")).toBe(before);
    scene.write("dispatch.yaml", config);
  });

  test("a repository that became unusable after it was registered is told at start, and nothing is left of the try", async () => {
    scene.configure(["projects", "words"], { repo, branch: "trunk", verify });
    const ran = await scene.json<ErrorView>("start", "words");
    expect(ran).toMatchObject({ code: 2, value: { error: { code: "REPOSITORY_INVALID" } } });
    expect(existsSync(join(scene.factory, ".dispatch/hub/words.git"))).toBe(false);
    expect((await scene.status()).projects).toEqual([]);
    expect(await scene.json<ErrorView>("start", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    scene.write("dispatch.yaml", config);
  });
});

describe("the command line", () => {
  test.each([
    [["statsu"]],
    [["status", "--jsno"]],
    [["collect"]],
    [["project"]],
    [["project", "add", "words"]],
    [["project", "add", "words", "--repo", ".", "--landing", "sometimes"]],
    [["logs", "S01", "--attempt", "x"]],
    [["down", "--drain", "--stop"]],
    [["status", "a", "b"]],
  ])("%j is refused with exit 2, on stderr and as JSON", async (args) => {
    const told = await scene.json<ErrorView>(...args);
    expect(told).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
    const plain = await scene.dispatch(...args);
    expect(plain).toMatchObject({ code: 2, stdout: "" });
    expect(plain.stderr).not.toBe("");
  });

  test("outside of a factory that is told, with what makes one; init of one that exists changes nothing", async () => {
    const missing = await scene.json<ErrorView>("--factory", join(scene.root, "home"), "status");
    expect(missing).toMatchObject({ code: 2, value: { error: { code: "FACTORY_MISSING" } } });
    expect(missing.value.error.hint).toContain("dispatch init");
    const again = await scene.must<{ created: string[] }>("init", scene.factory);
    expect(again.created).toEqual([]);
    expect(scene.read("dispatch.yaml")).toBe(config);
  });

  test("help and version are no failures", async () => {
    for (const args of [["--help"], ["help", "collect"], ["collect", "--help"], ["--version"]]) {
      expect(await scene.dispatch(...args)).toMatchObject({ code: 0, stderr: "" });
    }
  });
});
