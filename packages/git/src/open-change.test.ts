import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChangeAsked, openChange } from "./open-change.ts";
import { environment, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let repo: string;
let fork: string;
let tip: string;

/** A branch `feature` that left main one commit ago; main has gone on since. */
beforeEach(() => {
  scene = makeScene({ "a.txt": "a\n", "old/b.txt": "b\n" });
  repo = scene.project.repo;
  fork = scene.git(repo, "rev-parse", "HEAD");
  scene.git(repo, "checkout", "--quiet", "-b", "feature");
  tip = scene.commit(repo, { "a.txt": "A\n", "test/a.test.js": "test\n" });
  scene.git(repo, "checkout", "--quiet", "main");
  scene.commit(repo, { "c.txt": "c\n" });
  scene.git(repo, "checkout", "--quiet", "feature");
});
afterEach(() => scene.remove());

const open = (asked: Partial<ChangeAsked> = {}) => openChange({ folder: repo, base: undefined, head: "HEAD", ...asked }, environment());

async function refusal(asked: Partial<ChangeAsked>): Promise<{ code: string; message: string; hint: string | undefined }> {
  try {
    await open(asked);
  } catch (error) {
    if (isFactoryError(error)) return { code: error.code, message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error("it was opened");
}

describe("the revisions", () => {
  test("without a base it is where head left main", async () => {
    expect(await open()).toMatchObject({ base: fork, head: tip, from: fork, forked: true });
  });

  test("a base that went on is kept, and the change starts where head left it", async () => {
    const main = scene.git(repo, "rev-parse", "main");
    const view = await open({ base: "main", folder: join(repo, "old") });
    expect(view).toMatchObject({ base: main, head: tip, from: fork });
    expect((await view.diff()).raw).not.toContain("c.txt");
  });

  test("origin's default branch comes before a branch main of one's own", async () => {
    const clone = join(scene.root, "clone");
    scene.git(scene.root, "clone", "--quiet", "--branch", "main", repo, clone);
    scene.git(clone, "remote", "set-head", "origin", "feature");
    expect(await open({ folder: clone })).toMatchObject({ base: fork, head: scene.git(clone, "rev-parse", "HEAD") });
    scene.git(clone, "checkout", "--quiet", "-b", "mine", "origin/feature");
    expect(await open({ folder: clone })).toMatchObject({ base: tip, head: tip });
  });

  test("HEAD is that of the worktree that was named, and what is not committed there is counted", async () => {
    const other = join(scene.root, "other");
    scene.git(repo, "worktree", "add", "--quiet", "--detach", other, "main");
    writeFileSync(join(other, "new.txt"), "new\n");
    const view = await open({ folder: other, base: fork });
    expect(view.head).toBe(scene.git(repo, "rev-parse", "main"));
    expect([await view.uncommitted(), await (await open()).uncommitted()]).toEqual([1, 0]);
  });

  test("histories that never met are compared whole, and that is told", async () => {
    scene.git(repo, "checkout", "--quiet", "--orphan", "alone");
    scene.git(repo, "commit", "--quiet", "-m", "alone");
    expect(await open({ base: "main" })).toMatchObject({ from: scene.git(repo, "rev-parse", "main"), forked: false });
  });
});

describe("checking out", () => {
  test("head's files are laid over the base, and the repository is left as it was", async () => {
    const before = scene.git(repo, "for-each-ref");
    const view = await open();
    const folder = mkdtempSync(join(scene.root, "scratch-"));
    await view.checkOut(view.from, folder);
    expect(readdirSync(folder).sort()).toEqual([".git", "a.txt", "old"]);
    await view.layOver(folder, ["test/a.test.js"]);
    expect([readFileSync(join(folder, "a.txt"), "utf8"), readFileSync(join(folder, "test/a.test.js"), "utf8")]).toEqual(["a\n", "test\n"]);
    expect([scene.git(repo, "for-each-ref"), scene.git(repo, "status", "--porcelain")]).toEqual([before, ""]);
  });
});

describe("what cannot be opened", () => {
  test.each<[string, Partial<ChangeAsked>, string, string]>([
    ["a head that is no commit", { head: "no-such" }, 'the head "no-such" is no commit', "git branch --all"],
    ["an option in place of a revision", { head: "--all" }, 'the head "--all" is no commit', "git branch --all"],
    ["an empty base", { base: "" }, 'the base "" is no commit', "git branch --all"],
    ["a branch of origin", { base: "origin/next" }, "is no commit", "git fetch origin +refs/heads/next:refs/remotes/origin/next"],
    ["a commit that is not here", { base: "1".repeat(40) }, "is no commit", `git fetch origin ${"1".repeat(40)}`],
  ])("%s", async (_, asked, message, hint) => {
    const said = await refusal(asked);
    expect([said.code, said.message, said.hint]).toEqual(["USAGE", expect.stringContaining(message), expect.stringContaining(hint)]);
  });

  test("no folder, no repository, no default branch", async () => {
    const empty = join(scene.root, "empty");
    mkdirSync(empty);
    expect(await refusal({ folder: empty })).toMatchObject({ code: "REPOSITORY_INVALID", hint: expect.stringContaining("--repo") });
    expect(await refusal({ folder: join(empty, "gone") })).toMatchObject({ code: "REPOSITORY_INVALID" });
    scene.git(repo, "branch", "--quiet", "-m", "main", "trunk");
    expect(await refusal({})).toMatchObject({ code: "USAGE", hint: expect.stringContaining("--base REV") });
  });

  test("a shallow clone says which fetch mends it, and that fetch does", async () => {
    const clone = join(scene.root, "shallow");
    scene.git(scene.root, "clone", "--quiet", "--depth", "1", "--no-single-branch", "--branch", "feature", `file://${repo}`, clone);
    const said = await refusal({ folder: clone, base: "origin/main" });
    expect(said).toMatchObject({ code: "USAGE", message: expect.stringContaining("too shallow") });
    expect((await refusal({ folder: clone, base: fork })).hint).toContain(`git fetch --unshallow origin ${fork}`);
    expect(said.hint).toContain("git fetch --unshallow origin");
    scene.git(clone, "fetch", "--quiet", "--unshallow", "origin");
    expect(await open({ folder: clone, base: "origin/main" })).toMatchObject({ from: fork, head: tip });
  });
});
