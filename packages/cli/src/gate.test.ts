import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./testing/run-cli.ts";

const golden = (name: string): string => `../../../test/golden/gate/${name}`;
const later = ["TO", "DO"].join("");
const fixed = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_AUTHOR_DATE: "2026-01-02T03:04:05Z",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
  GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z",
};

let root = "";
let repo = "";

const git = (...args: string[]) => execFileSync("git", args, { cwd: repo, env: { ...process.env, ...fixed }, stdio: "pipe" });
const gate = (...args: string[]) => runCli(["gate", ...args], { cwd: repo });

function commit(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repo, path)), { recursive: true });
    writeFileSync(join(repo, path), text);
  }
  git("add", "-A");
  git("commit", "-q", "-m", "change");
}

/** main, a clean branch, and one with defects: the same commits at every run. */
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-gate-cli-")));
  repo = join(root, "words");
  mkdirSync(repo);
  git("init", "-q", "-b", "main");
  const test = 'import { test } from "node:test";\ntest("one", () => slug("a"));\ntest("two", () => slug("b"));\n';
  commit({ "src/slug.js": "export const slug = (text) => text;\n", "test/slug.test.js": test });
  git("checkout", "-q", "-b", "clean");
  commit({ "src/words.js": "export const words = (text) => text.split(' ');\n" });
  git("checkout", "-q", "-b", "defects", "main");
  commit({
    "src/a file.js": `export const rest = 1; // ${later}: the rest\n`,
    "test/slug.test.js": test.split("\n").slice(0, 2).join("\n"),
  });
  git("checkout", "-q", "main");
});
afterAll(() => rmSync(root, { recursive: true }));

describe("dispatch gate", () => {
  it.each([
    ["clean.txt", ["--head", "clean"], 0],
    ["defects.txt", ["--base", "main", "--head", "defects"], 1],
    ["defects.json", ["--head", "defects", "--json"], 1],
    ["defects.sarif", ["--head", "defects", "--format", "sarif"], 1],
  ])("prints %s", async (name, args, code) => {
    const ended = await gate(...args);
    expect([ended.code, ended.stderr]).toEqual([code, ""]);
    await expect(ended.stdout).toMatchFileSnapshot(golden(name));
  });

  it("gives SARIF that code scanning takes: known rules, relative places, the levels error and note", async () => {
    const { runs } = JSON.parse((await gate("--head", "defects", "--format", "sarif")).stdout);
    const [{ tool, results }] = runs;
    expect(results.length).toBeGreaterThan(1);
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
      expect([["error", "note"].includes(level), message.text !== ""]).toEqual([true, true]);
      expect(locations[0].physicalLocation.artifactLocation.uri).toMatch(/^(?![/.]|\w+:)[^ ]+$/);
      expect(locations[0].physicalLocation.region.startLine).toBeGreaterThan(0);
    }
  });

  it("finds the repository that is named", async () => {
    const ended = await runCli(["gate", "--repo", "words", "--head", "clean"], { cwd: root });
    expect([ended.code, ended.stderr]).toEqual([0, ""]);
  });

  it.each([
    ["an unknown revision", ["--base", "origin/next"], "git fetch origin"],
    ["no repository", ["--repo", "/"], "--repo DIR"],
    ["a spec that is not there", ["--spec", "gone.md"], "--spec"],
    ["nothing to run", ["--run"], ".dispatch.yaml"],
    ["a format that is no choice", ["--format", "xml"], "dispatch --help"],
  ])("ends with 2 for %s", async (_, args, hint) => {
    const ended = await gate(...args);
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr).toContain(hint);
  });
});
