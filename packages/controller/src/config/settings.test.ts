import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anOid, aSpec } from "../../../../test/kit/build-facts.ts";
import { addProject } from "../factory/add-project.ts";
import { initFactory } from "../factory/init-factory.ts";
import { loadFactory } from "./load-factory.ts";
import { createSettings, salvageKeepMs } from "./settings.ts";

let dir = "";

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-settings-"));
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", dir, "-c", "user.name=T", "-c", "user.email=t@localhost", ...args], { stdio: "ignore" });
  git("init", "-q", "-b", "main");
  git("commit", "-q", "--allow-empty", "-m", "first");
  await initFactory(dir);
  await addProject(dir, { name: "shop", repo: dir, branch: "main", verify: ["make test"], landing: "continuous" });
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function settingsWith(files: Record<string, string>) {
  return createSettings(await loadFactory(dir), { readFile: async (_project, revision, path) => files[`${revision}:${path}`] });
}

describe("a spec that takes landings back", () => {
  const labels = [`reverts-${anOid(7)}`, "other", `reverts-${anOid(8)}`];

  it("is carried out by git, newest first, whatever executors there are", async () => {
    const settings = await settingsWith({});
    const executor = settings.executorOf(aSpec("R01", { executor: "revert", labels }));
    expect(executor).toMatchObject({ name: "revert", env: {} });
    expect(executor?.command.slice(-2)).toEqual([anOid(7), anOid(8)]);
  });

  it("is not one by its labels alone, nor by its executor alone", async () => {
    const settings = await settingsWith({});
    expect(settings.executorOf(aSpec("R01", { executor: "other", labels }))).toBeUndefined();
    expect(settings.executorOf(aSpec("R01", { executor: "revert", labels: ["other"] }))).toBeUndefined();
  });
});

describe("the policy of a project", () => {
  it("comes from the repository at the revision that is asked for, else from the factory", async () => {
    const settings = await settingsWith({
      [`${anOid(2)}:.dispatch.yaml`]:
        "verify: [npm test, {run: npm run lint, timeout_s: 5}]\nrounds: 1\ngates: {scope_allow: [CHANGES.md], tests_min: {unit: 12}, protected: [deploy], max_file_kb: 2, waive: [{gate: G08, paths: [testdata], because: made for the tests}]}\n",
    });
    expect(await settings.policyAt("shop", anOid(1))).toMatchObject({ verify: [{ run: "make test", timeoutSeconds: 600 }], maxRounds: 3 });
    expect(await settings.policyAt("shop", anOid(2))).toMatchObject({
      verify: [{ run: "npm test" }, { run: "npm run lint", timeoutSeconds: 5 }],
      maxRounds: 1,
      gates: {
        alwaysAllowed: ["CHANGES.md"],
        testsMin: { unit: 12 },
        protectedPaths: ["deploy"],
        contracts: [],
        maxFileBytes: 2048,
        waivers: [{ gate: "G08", paths: ["testdata"], because: "made for the tests" }],
      },
    });
  });

  it("is refused when the repository's file is wrong, and read again after that", async () => {
    const files: Record<string, string> = { [`${anOid(2)}:.dispatch.yaml`]: "verfy: npm test\n" };
    const settings = await settingsWith(files);
    await expect(settings.policyAt("shop", anOid(2))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    files[`${anOid(2)}:.dispatch.yaml`] = "verify: npm test\n";
    expect(await settings.policyAt("shop", anOid(2))).toMatchObject({ verify: [{ run: "npm test" }] });
  });
});

describe("how the paths of a project land", () => {
  const write = (paths: string) => writeFileSync(join(dir, "dispatch.yaml"), `version: 1\nprojects: {shop: {repo: ., verify: x${paths}}}\n`);

  it("is by itself for what every test run rests on, and whole for all others, where nothing is said", async () => {
    write("");
    const settings = createSettings(await loadFactory(dir), { readFile: async () => undefined });
    expect(settings.scheduling().get("shop")).toMatchObject({
      shared: [],
      generated: [],
      barrier: expect.arrayContaining(["package.json", "**/package.json"]),
    });
  });

  it("is as dispatch.yaml says, also after it was edited", async () => {
    write(", paths: {shared: [src/index.ts, 'src/routes/**'], barrier: []}");
    const settings = createSettings(await loadFactory(dir), { readFile: async () => undefined });
    expect(settings.scheduling().get("shop")).toMatchObject({ shared: ["src/index.ts", "src/routes/**"], barrier: [] });
    write(", paths: {barrier: [Makefile]}");
    await settings.reload();
    expect(settings.scheduling().get("shop")).toMatchObject({ shared: [], generated: [], barrier: ["Makefile"] });
  });

  it.each([
    ["a path that leads out", "{shared: [../x]}"],
    ["a word that is none", "{shard: [x]}"],
    ["no list", "{barrier: Makefile}"],
  ])("is refused when it says %s", async (_, paths) => {
    write(`, paths: ${paths}`);
    await expect(loadFactory(dir)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("the executor of a spec", () => {
  it("is the one it names, else the project's, else the only one", async () => {
    const write = (executors: string, executor = "") =>
      writeFileSync(join(dir, "dispatch.yaml"), `version: 1\nprojects: {shop: {repo: ., verify: x${executor}}}\nexecutors: {${executors}}\n`);
    const settings = await settingsWith({});
    expect(settings.executorOf(aSpec("S01"))).toBeUndefined();
    write("a: {command: [a]}");
    await settings.reload();
    expect(settings.executorOf(aSpec("S01"))?.name).toBe("a");
    write("a: {command: [a]}, b: {command: [b]}");
    await settings.reload();
    expect(settings.executorOf(aSpec("S01"))).toBeUndefined();
    expect(settings.executorOf(aSpec("S01", { executor: "b" }))?.command).toEqual(["b"]);
    write("a: {command: [a]}, b: {command: [b]}", ", executor: b");
    await settings.reload();
    expect(settings.executorOf(aSpec("S01"))?.name).toBe("b");
  });

  it("keeps the last configuration that was right", async () => {
    const settings = await settingsWith({});
    writeFileSync(join(dir, "dispatch.yaml"), "version: 1\nprojects: {shop: {repo: .}}\noops: 1\n");
    await expect(settings.reload()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await settings.policyAt("shop", anOid(1))).toMatchObject({ verify: [{ run: "make test" }] });
  });
});

describe("publishing by pull request", () => {
  const configure = (repo: string, more = "") =>
    writeFileSync(join(dir, "dispatch.yaml"), `version: 1\nprojects: {shop: {repo: "${repo}", publish: pull-request${more}}}\n`);

  it.each([
    ["git@github.com:acme/shop.git", "", { branch: "dispatch/main", forge: "gh" }],
    ["https://gitlab.acme.dev/acme/shop", ", publish_branch: factory", { branch: "factory", forge: "glab" }],
    ["https://code.acme.dev/acme/shop", ", forge: gh", { branch: "dispatch/main", forge: "gh" }],
  ])("%s%s", async (repo, more, pullRequest) => {
    configure(repo, more);
    expect((await settingsWith({})).sourceOf("shop")).toEqual({ id: "shop", repo, branch: "main", pullRequest });
  });

  it("is pushed to the branch itself when nothing is said", async () => {
    expect((await settingsWith({})).sourceOf("shop")).not.toHaveProperty("pullRequest");
  });

  it.each([
    ["../shop", "", "projects.shop.repo"],
    ["https://code.acme.dev/acme/shop", "", "projects.shop.forge"],
    ["https://github.com/acme/shop", ", publish_branch: main", "projects.shop.publish_branch"],
  ])("%s%s is refused at %s", async (repo, more, place) => {
    configure(repo, more);
    const failure = await loadFactory(dir).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", facts: { problems: [expect.objectContaining({ path: place })] } });
  });
});

describe("adding a project", () => {
  it("keeps the comments of dispatch.yaml, and changes nothing when the input is wrong", async () => {
    const { factory } = await loadFactory(dir);
    expect(Object.keys(factory.projects)).toEqual(["shop"]);
    const { readFileSync } = await import("node:fs");
    const before = readFileSync(join(dir, "dispatch.yaml"), "utf8");
    expect(before).toContain("# What this factory works on");
    const add = (name: string, change = {}) => addProject(dir, { name, repo: dir, branch: "main", verify: ["x"], landing: "continuous", ...change });
    await expect(add("shop")).rejects.toMatchObject({ code: "USAGE" });
    await expect(add("My Shop")).rejects.toMatchObject({ code: "USAGE" });
    await expect(add("other", { repo: join(dir, "nowhere") })).rejects.toMatchObject({ code: "REPOSITORY_INVALID" });
    await expect(add("other", { executor: "nobody" })).rejects.toMatchObject({ code: expect.stringMatching(/EXECUTOR_UNKNOWN|CONFIG_INVALID/) });
    expect(readFileSync(join(dir, "dispatch.yaml"), "utf8")).toBe(before);
  });
});

describe("how long the work of ended tasks is kept", () => {
  const days = async (text: string): Promise<number | null> => {
    const file = join(dir, "dispatch.yaml");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, text.startsWith(" ") ? before.replace("  shop:\n", `  shop:\n${text}\n`) : `${before}\n${text}\n`);
    try {
      const ms = salvageKeepMs(await loadFactory(dir), "shop");
      return ms === null ? null : ms / (24 * 60 * 60_000);
    } finally {
      writeFileSync(file, before);
    }
  };

  it("is the project's word, else the factory's, else ninety days; a project that is not configured keeps all", async () => {
    expect(await days("")).toBe(90);
    expect(await days("salvage_keep_days: 7")).toBe(7);
    expect(await days("salvage_keep_days: forever")).toBeNull();
    expect(await days("    salvage_keep_days: 30")).toBe(30);
    expect(salvageKeepMs(await loadFactory(dir), "other")).toBeNull();
  });

  it("is no word that could mean at once", async () => {
    for (const wrong of ["0", "-1", "soon", "1.5"])
      await expect(days(`salvage_keep_days: ${wrong}`)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
