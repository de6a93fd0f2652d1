import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { revertsWithGit } from "./revert-executor.ts";

let dir = "";

const git = (...args: string[]): string =>
  execFileSync("git", ["-C", dir, "-c", "user.name=T", "-c", "user.email=t@localhost", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-revert-"));
  git("init", "-q", "-b", "main");
  commit({ "a.txt": "a\n", "b.txt": "b\n" });
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function commit(files: Readonly<Record<string, string | null>>): string {
  for (const [path, text] of Object.entries(files)) {
    if (text === null) rmSync(join(dir, path));
    else writeFileSync(join(dir, path), text);
  }
  git("add", "-A");
  git("commit", "-q", "-m", "change");
  return git("rev-parse", "HEAD");
}

/** A branch merged as a landing merges it: the change is on the second parent, main stays the first. */
function merge(files: Readonly<Record<string, string | null>>): string {
  git("checkout", "-q", "-b", "work");
  commit(files);
  git("checkout", "-q", "main");
  git("merge", "-q", "--no-ff", "-m", "merge", "work");
  git("branch", "-q", "-D", "work");
  return git("rev-parse", "HEAD");
}

function revert(...commits: string[]): { exitCode: number | null; output: string } {
  const [program = "", ...args] = revertsWithGit(commits).command;
  const { status, stdout } = spawnSync(program, args, { cwd: dir, encoding: "utf8" });
  return { exitCode: status, output: stdout };
}

function treeNow(): string {
  git("add", "-A");
  return git("write-tree");
}

describe("git as the executor of a revert", () => {
  it("takes several merges back, the newest first, and leaves what came after", () => {
    const one = merge({ "a.txt": "one\n", "new.txt": "new\n", "b.txt": null });
    const two = merge({ "a.txt": "two\n" });
    commit({ "later.txt": "later\n" });
    expect(revert(two, one).exitCode).toBe(0);
    const tree = treeNow();
    git("reset", "-q", "--hard", `${one}^1`);
    commit({ "later.txt": "later\n" });
    expect(tree).toBe(git("rev-parse", "HEAD^{tree}"));
  });

  it("does the same in a second round", () => {
    const one = merge({ "a.txt": "one\n" });
    const two = merge({ "new.txt": "new\n" });
    expect(revert(two, one).exitCode).toBe(0);
    const first = treeNow();
    expect(revert(two, one).exitCode).toBe(0);
    expect(treeNow()).toBe(first);
  });

  it.each([
    ["in text", { "a.txt": "changed since\n" }, "a.txt"],
    ["with a file that was changed since", { "new.txt": "changed since\n" }, "new.txt"],
  ] as const)("leaves nothing of a revert that conflicts %s, and names the path", (_how, since, path) => {
    const one = merge({ "a.txt": "one\n", "new.txt": "new\n" });
    const two = merge({ "b.txt": "two\n" });
    commit(since);
    const { exitCode, output } = revert(two, one);
    expect(exitCode).toBe(1);
    expect(output).toContain(path);
    expect(git("status", "--porcelain")).toBe("");
    expect(treeNow()).toBe(git("rev-parse", "HEAD^{tree}"));
  });
});
