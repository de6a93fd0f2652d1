import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Oid } from "@dispatch/core";
import { afterEach, describe, expect, test } from "vitest";
import { builtAlone, commitTree, type Files, landing, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

/** A hub whose main is one landing ahead of origin. */
async function ahead(files: Files, change: Files, options: { bare?: boolean } = {}): Promise<{ base: Oid; main: Oid }> {
  scene = makeScene(files, options);
  return await scene.prepareHub(JSON.stringify(Object.entries(change)), async () => {
    const base = await scene.openHub();
    const built = await builtAlone(scene, landing(commitTree(scene.hub, [base], change, base), base, base));
    await scene.repositories.advanceMain("shop", built.commit, base);
    return { base, main: built.commit };
  });
}

const atOrigin = (...args: string[]) => scene.git(scene.project.repo, ...args);
const publish = () => scene.repositories.publishMain(scene.project);

/** Origin and its worktree are exactly as they were before. */
function untouched(base: Oid, status: string): void {
  expect(atOrigin("rev-parse", "refs/heads/main")).toBe(base);
  expect(atOrigin("status", "--porcelain", "--ignored")).toBe(status);
}

describe("a bare origin", () => {
  test("gets main, and publishing again finds it there", async () => {
    const { main } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" }, { bare: true });
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    expect(atOrigin("rev-parse", "main")).toBe(main);
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    expect(atOrigin("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  });

  test("gets it on its own branch name", async () => {
    scene = makeScene({ "a.txt": "a\n" }, { bare: true });
    atOrigin("branch", "-m", "main", "release/1");
    const project = { ...scene.project, branch: "release/1" };
    const base = await scene.repositories.openHub(project);
    const tip = commitTree(scene.hub, [base], { "b.txt": "b\n" }, base);
    await scene.repositories.advanceMain("shop", tip, base);
    expect(await scene.repositories.publishMain(project)).toEqual({ outcome: "published", commit: tip });
    expect(atOrigin("for-each-ref", "--format=%(refname) %(objectname)")).toBe(`refs/heads/release/1 ${tip}`);
  });

  test("that moved is never overwritten; taken in first, it is published", async () => {
    await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" }, { bare: true });
    const clone = join(scene.root, "clone");
    scene.git(scene.root, "clone", "--quiet", scene.project.repo, clone);
    const others = scene.commit(clone, { "c.txt": "c\n" });
    scene.git(clone, "push", "--quiet", "origin", "main");
    expect(await publish()).toEqual({ outcome: "origin-moved" });
    expect(atOrigin("rev-parse", "main")).toBe(others);
    const taken = await scene.repositories.takeInOrigin(scene.project);
    if (taken.outcome !== "ahead") throw new Error(taken.outcome);
    await scene.repositories.advanceMain("shop", taken.candidate, await scene.repositories.mainOf("shop"));
    expect(await publish()).toEqual({ outcome: "published", commit: taken.candidate });
  });

  test("that moves during the push is told apart from a refusal", async () => {
    const { main } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" }, { bare: true });
    const others = commitTree(scene.project.repo, ["main"], { "c.txt": "c\n" }, "main");
    const hook = `#!/bin/sh\ngit update-ref refs/heads/main ${others}\n`;
    scene.write(scene.project.repo, { "hooks/pre-receive": { script: `${hook.replace("git ", "unset GIT_QUARANTINE_PATH; git ")}` } });
    expect(await publish()).toEqual({ outcome: "origin-moved" });
    expect(atOrigin("rev-parse", "main")).toBe(others);
    expect(await scene.repositories.mainOf("shop")).toBe(main);
  });

  test.each(["pre-receive", "update"])("whose %s hook says no refuses, in its own words", async (hook) => {
    const { base } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" }, { bare: true });
    scene.write(scene.project.repo, { [`hooks/${hook}`]: { script: "#!/bin/sh\necho 'only on weekdays' >&2\nexit 1\n" } });
    const failure = await publish().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ORIGIN_REFUSED", fault: "user" });
    expect((failure as Error).message).toContain("only on weekdays");
    expect(atOrigin("rev-parse", "main")).toBe(base);
  });

  test("without its branch is refused rather than given a new one", async () => {
    await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" }, { bare: true });
    atOrigin("branch", "-m", "main", "trunk");
    await expect(publish()).rejects.toMatchObject({ code: "REPOSITORY_INVALID", facts: { branches: ["trunk"] } });
  });
});

describe("a clone somebody works in", () => {
  test("moves together with its clean worktree, and what git ignores stays", async () => {
    const { main } = await ahead(
      { "a.txt": "a\n", ".gitignore": "*.log\n", "old.txt": "old\n" },
      { "a.txt": "b\n", "new/b.txt": "b\n", "old.txt": null },
    );
    scene.write(scene.project.repo, { "x.log": "log\n", "notes.txt": "mine\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    expect(readFileSync(join(scene.project.repo, "new/b.txt"), "utf8")).toBe("b\n");
    expect(existsSync(join(scene.project.repo, "old.txt"))).toBe(false);
    untouched(main, "?? notes.txt\n!! x.log");
  });

  test("moves although its index looks older than its files", async () => {
    const { main } = await ahead({ "a.txt": "a\n" }, { "b.txt": "b\n" });
    writeFileSync(join(scene.project.repo, "a.txt"), "a\n");
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    untouched(main, "");
  });

  test.each<[string, Files, boolean, string, string[]]>([
    ["a changed file", { "a.txt": "wip\n" }, false, " M a.txt", ["a.txt"]],
    ["a staged file", { "s p.txt": "wip\n" }, true, 'A  "s p.txt"', ["s p.txt"]],
    ["a deleted file", { "a.txt": null }, false, " D a.txt", ["a.txt"]],
    ["an untracked file where a new one comes", { "new/b.txt": "wip\n" }, false, "?? new/", ["new/b.txt"]],
    ["an ignored file where a new one comes", { "c.log": "wip\n" }, false, "!! c.log", ["c.log"]],
    ["an untracked file where a folder comes", { new: "wip\n" }, false, "?? new", ["new"]],
    ["an untracked folder where a file comes", { "c.log/deep/x": "wip\n" }, false, "!! c.log/", ["c.log/deep/x"]],
  ])("with %s is left alone, and the file is named", async (_, mess, staged, status, files) => {
    const { base, main } = await ahead({ "a.txt": "a\n", ".gitignore": "*.log\n" }, { "a.txt": "b\n", "new/b.txt": "b\n", "c.log": "forced\n" });
    scene.write(scene.project.repo, mess);
    if (staged) atOrigin("add", "-A");
    const failure = await publish().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ORIGIN_DIRTY", fault: "user", facts: { checkout: scene.project.repo, files } });
    untouched(base, status);
    expect(await scene.repositories.mainOf("shop")).toBe(main);
  });

  test("is published to after its owner has tidied up", async () => {
    const { main } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" });
    scene.write(scene.project.repo, { "a.txt": "wip\n" });
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_DIRTY" });
    atOrigin("stash", "--quiet");
    expect(await publish()).toEqual({ outcome: "published", commit: main });
  });

  test("may have a file become a folder and the other way round", async () => {
    const { main } = await ahead({ lib: "file\n", "dir/x": "x\n" }, { lib: null, "lib/x": "x\n", "dir/x": null, dir: "file\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    untouched(main, "");
  });

  test("in the middle of a rebase or a merge is left alone", async () => {
    const { base } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" });
    atOrigin("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "--quiet", "-i", "--root");
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_DIRTY" });
    expect(atOrigin("rev-parse", "refs/heads/main")).toBe(base);
  });

  test("with another branch checked out gets main without a change in its files", async () => {
    const { main } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" });
    atOrigin("switch", "--quiet", "-c", "feature");
    scene.write(scene.project.repo, { "a.txt": "wip\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    untouched(main, " M a.txt");
  });

  test("with the branch in a linked worktree moves that worktree", async () => {
    const { main } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" });
    atOrigin("switch", "--quiet", "-c", "feature");
    const linked = join(scene.root, "linked");
    atOrigin("worktree", "add", "--quiet", linked, "main");
    scene.write(linked, { "a.txt": "wip\n" });
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_DIRTY", facts: { checkout: linked, files: ["a.txt"] } });
    scene.git(linked, "restore", "a.txt");
    expect(await publish()).toEqual({ outcome: "published", commit: main });
    expect(scene.git(linked, "status", "--porcelain")).toBe("");
    rmSync(linked, { recursive: true });
  });

  test("whose hook says no keeps branch and worktree", async () => {
    const { base } = await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" });
    scene.write(scene.project.repo, { ".git/hooks/update": { script: "#!/bin/sh\nexit 1\n" } });
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_REFUSED" });
    untouched(base, "");
  });

  test("with commits of its owner is taken in first", async () => {
    await ahead({ "a.txt": "a\n" }, { "a.txt": "b\n" });
    const theirs = scene.commit(scene.project.repo, { "c.txt": "c\n" });
    expect(await publish()).toEqual({ outcome: "origin-moved" });
    untouched(theirs, "");
  });
});
