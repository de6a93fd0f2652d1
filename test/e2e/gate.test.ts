import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { library } from "./kit/library.ts";
import { type Ran, runProgram } from "./kit/run-program.ts";

const cli = join(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js");

let root = "";
let repo = "";
let env: Record<string, string> = {};

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-gate-e2e-")));
  repo = join(root, "words");
  for (const name of ["words", "home", "tmp"]) mkdirSync(join(root, name));
  env = { PATH: process.env["PATH"] ?? "", HOME: join(root, "home"), TMPDIR: join(root, "tmp") };
  git(repo, "init", "-q", "-b", "main");
  commit({ ...library, ".dispatch.yaml": "verify: node --test\n" });
});
afterEach(() => {
  const left = readdirSync(join(root, "tmp"));
  rmSync(root, { recursive: true });
  expect(left).toEqual([]);
});

function git(folder: string, ...args: string[]): void {
  execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], { cwd: folder, env, stdio: "pipe" });
}

function commit(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repo, path)), { recursive: true });
    writeFileSync(join(repo, path), text);
  }
  git(repo, "add", "-A");
  git(repo, "commit", "-q", "-m", "change");
}

const gate = (folder: string, ...args: string[]): Promise<Ran> => runProgram(process.execPath, [cli, "gate", ...args], { cwd: folder, env });

test("a clone as a CI makes it: too shallow it says what to fetch, then the change is judged, tests and all", async () => {
  git(repo, "checkout", "-q", "-b", "change");
  commit({ "src/slug.js": "export function slug(text) {\n  return text.trim();\n}\n" });
  const clone = join(root, "clone");
  git(root, "clone", "-q", "--depth", "1", "--branch", "change", `file://${repo}`, clone);
  const shallow = await gate(clone, "--base", "origin/main");
  expect([shallow.code, shallow.stdout]).toEqual([2, ""]);
  const fetching = /git (fetch --unshallow origin \S+)/.exec(shallow.stderr)?.[1] ?? "";
  git(clone, ...fetching.split(" "));
  const judged = await gate(clone, "--base", "origin/main", "--json");
  const report = JSON.parse(judged.stdout) as { findings: { gate: string; found: string }[]; verify: { exitCode: number }[] };
  expect([judged.code, report.verify.map(({ exitCode }) => exitCode)]).toEqual([1, [1]]);
  expect(report.findings.filter((finding) => finding.gate === "G15").map(({ found }) => found)).toEqual([
    expect.stringContaining("words are joined by dashes"),
  ]);
});

test("a clean change passes with 0, and neither repository nor home is written to", async () => {
  git(repo, "checkout", "-q", "-b", "change");
  commit({ "src/upper.js": "export const upper = (text) => text.toUpperCase();\n" });
  const judged = await gate(repo);
  expect(judged.stdout).toMatch(/\nran node --test: exit 0\n[\s\S]*\nnothing blocks; \d+ gates judged, \d+ left out\n$/);
  expect([judged.code, readdirSync(join(root, "home")), existsSync(join(repo, ".dispatch"))]).toEqual([0, [], false]);
});
