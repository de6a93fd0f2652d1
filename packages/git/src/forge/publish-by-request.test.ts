import type { Forge } from "@dispatch/core";
import { afterEach, describe, expect, test } from "vitest";
import { type ForgeScene, makeForgeScene } from "../testing/forge-scene.ts";
import { commitTree } from "../testing/git-scene.ts";

let scene: ForgeScene;
afterEach(() => scene.remove());

const publish = () => scene.repositories.publishMain(scene.project);
const branch = "refs/heads/dispatch/main";
const urls: Readonly<Record<Forge, string>> = {
  gh: "https://github.com/acme/shop/pull/",
  glab: "https://gitlab.com/acme/web/shop/-/merge_requests/",
};

/** Takes what origin has into main, as a collect does before it publishes. */
async function takeIn(): Promise<string> {
  const taken = await scene.repositories.takeInOrigin(scene.project);
  if (taken.outcome !== "ahead") throw new Error(taken.outcome);
  await scene.repositories.advanceMain("shop", taken.candidate, await scene.repositories.mainOf("shop"));
  return taken.candidate;
}

/** Somebody merges the pull request at the forge. */
function merge(way: "merge" | "squash", merged: string): string {
  const base = scene.origin("rev-parse", "main");
  const parents = way === "merge" ? ["-p", base, "-p", merged] : ["-p", base];
  const commit = scene.origin("commit-tree", `${merged}^{tree}`, ...parents, "-m", "Merge pull request");
  scene.origin("update-ref", "refs/heads/main", commit);
  scene.setRequests(scene.requests().map((request) => ({ ...request, open: false })));
  return commit;
}

describe.each<Forge>(["gh", "glab"])("through %s", (forge) => {
  test("main goes to a branch of its own, with one pull request that names each landed spec", async () => {
    scene = await makeForgeScene(forge);
    await scene.land("S01-one", { "b.txt": "b\n" });
    const main = await scene.land("S02-two", { "c.txt": "c\n" });
    const base = scene.origin("rev-parse", "main");
    expect(await publish()).toEqual({ outcome: "published", commit: main, url: `${urls[forge]}1` });
    expect(scene.origin("rev-parse", branch)).toBe(main);
    expect(scene.origin("rev-parse", "main")).toBe(base);
    const [request, ...others] = scene.requests();
    expect(others).toEqual([]);
    expect(request).toMatchObject({ head: "dispatch/main", base: "main", title: "Land 2 specs" });
    expect(request?.body.split("\n").filter((line) => line.startsWith("- "))).toEqual(["- shop/S01-one: do S01-one", "- shop/S02-two: do S02-two"]);
    expect(request?.body).not.toMatch(/https?:|[0-9a-f]{12}/);
  });

  test("publishing again changes nothing, and more specs change the text of the same pull request", async () => {
    scene = await makeForgeScene(forge);
    await scene.land("S01-one", { "b.txt": "b\n" });
    const first = await publish();
    const opened = scene.requests();
    scene.takeCalls();
    expect(await publish()).toEqual(first);
    expect(scene.takeCalls()).toHaveLength(1);
    expect(scene.requests()).toEqual(opened);
    expect(opened).toMatchObject([{ title: "Land S01-one: do S01-one" }]);
    const main = await scene.land("S02-two", { "c.txt": "c\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: main, url: `${urls[forge]}1` });
    expect(scene.origin("rev-parse", branch)).toBe(main);
    expect(scene.requests()).toMatchObject([{ number: 1, title: "Land 2 specs", body: expect.stringContaining("- shop/S02-two: do S02-two") }]);
  });

  test("a pull request of a fork, or of another base, is not taken for ours", async () => {
    scene = await makeForgeScene(forge);
    const other = { open: true, head: "dispatch/main", base: "main", title: "theirs", body: "" };
    scene.setRequests([
      { ...other, number: 1, fork: true },
      { ...other, number: 2, fork: false, base: "release" },
    ]);
    await scene.land("S01-one", { "b.txt": "b\n" });
    expect(await publish()).toMatchObject({ url: `${urls[forge]}3` });
    expect(scene.requests().slice(0, 2)).toMatchObject([{ title: "theirs" }, { title: "theirs" }]);
  });

  test.each(["merge", "squash"] as const)("after a %s and taking in, the branch moves on and only what is new is listed", async (way) => {
    scene = await makeForgeScene(forge);
    const first = await scene.land("S01-one", { "b.txt": "b\n" });
    await publish();
    merge(way, first);
    expect(await publish()).toEqual({ outcome: "origin-moved" });
    const taken = await takeIn();
    scene.takeCalls();
    expect(await publish()).toEqual({ outcome: "published", commit: taken });
    expect(scene.takeCalls()).toEqual([]);
    const main = await scene.land("S02-two", { "c.txt": "c\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: main, url: `${urls[forge]}2` });
    expect(scene.origin("rev-parse", branch)).toBe(main);
    expect(scene.origin("merge-base", "--is-ancestor", first, main)).toBe("");
    expect(scene.requests()[1]).toMatchObject({ title: "Land S02-two: do S02-two", body: expect.not.stringContaining("S01-one") });
  });
});

describe("what is listed", () => {
  test("leaves out what was squashed before more landed and others pushed", async () => {
    scene = await makeForgeScene("gh");
    const first = await scene.land("S01-one", { "b.txt": "b\n" });
    await publish();
    const squashed = merge("squash", first);
    const others = commitTree(`${scene.root}/origin.git`, [squashed], { "o.txt": "o\n" }, squashed);
    scene.origin("update-ref", "refs/heads/main", others);
    await scene.land("S02-two", { "c.txt": "c\n" });
    await takeIn();
    await publish();
    expect(
      scene
        .requests()[1]
        ?.body.split("\n")
        .filter((line) => line.startsWith("- ")),
    ).toEqual(["- shop/S02-two: do S02-two"]);
  });

  test("holds also what takes an older change back", async () => {
    scene = await makeForgeScene("gh");
    const base = scene.origin("rev-parse", "main");
    const changed = commitTree(`${scene.root}/origin.git`, [base], { "a.txt": "changed\n" }, base);
    scene.origin("update-ref", "refs/heads/main", changed);
    await takeIn();
    await scene.land("S01-back", { "a.txt": "a\n" });
    await scene.land("S02-two", { "c.txt": "c\n" });
    await publish();
    expect(
      scene
        .requests()[0]
        ?.body.split("\n")
        .filter((line) => line.startsWith("- ")),
    ).toHaveLength(2);
  });
});

describe("the branch", () => {
  test("that somebody else changed is told and left alone, and no pull request is made", async () => {
    scene = await makeForgeScene("gh");
    const first = await scene.land("S01-one", { "b.txt": "b\n" });
    await publish();
    const theirs = commitTree(`${scene.root}/origin.git`, [first], { "x.txt": "x\n" }, first);
    scene.origin("update-ref", branch, theirs);
    await scene.land("S02-two", { "c.txt": "c\n" });
    scene.takeCalls();
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_CONFLICT", fault: "user", facts: { branch: "dispatch/main", there: theirs } });
    expect(scene.origin("rev-parse", branch)).toBe(theirs);
    expect(scene.takeCalls()).toEqual([]);
  });

  test("whose changes by others were merged into the base is ours again", async () => {
    scene = await makeForgeScene("gh");
    const first = await scene.land("S01-one", { "b.txt": "b\n" });
    await publish();
    const theirs = commitTree(`${scene.root}/origin.git`, [first], { "x.txt": "x\n" }, first);
    scene.origin("update-ref", branch, theirs);
    merge("merge", theirs);
    await takeIn();
    const main = await scene.land("S02-two", { "c.txt": "c\n" });
    expect(await publish()).toMatchObject({ outcome: "published", commit: main });
    expect(scene.origin("rev-parse", branch)).toBe(main);
  });

  test("that is deleted after the merge is made again", async () => {
    scene = await makeForgeScene("gh");
    const first = await scene.land("S01-one", { "b.txt": "b\n" });
    await publish();
    merge("merge", first);
    scene.origin("update-ref", "-d", branch);
    await takeIn();
    const main = await scene.land("S02-two", { "c.txt": "c\n" });
    expect(await publish()).toMatchObject({ outcome: "published", commit: main });
    expect(scene.origin("rev-parse", branch)).toBe(main);
  });

  test("that a hook refuses is refused in its words", async () => {
    scene = await makeForgeScene("gh");
    await scene.land("S01-one", { "b.txt": "b\n" });
    scene.write(`${scene.root}/origin.git`, { "hooks/pre-receive": { script: "#!/bin/sh\necho 'only on weekdays' >&2\nexit 1\n" } });
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_REFUSED" });
    expect(scene.requests()).toEqual([]);
  });
});

describe("a program that fails", () => {
  test("because it is not installed says what to install", async () => {
    scene = await makeForgeScene("glab", { program: false });
    await scene.land("S01-one", { "b.txt": "b\n" });
    await expect(publish()).rejects.toMatchObject({ code: "TOOL_MISSING", fault: "user", hint: expect.stringContaining("glab auth login") });
  });

  test("is told, and the next collect goes on from the branch that was pushed", async () => {
    scene = await makeForgeScene("gh");
    const main = await scene.land("S01-one", { "b.txt": "b\n" });
    scene.failWith({ exitCode: 4, stderr: "To get started with GitHub CLI, please run:  gh auth login" });
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_UNREACHABLE", hint: expect.stringContaining("gh auth login") });
    expect(scene.origin("rev-parse", branch)).toBe(main);
    scene.failWith(undefined);
    expect(await publish()).toEqual({ outcome: "published", commit: main, url: `${urls.gh}1` });
  });

  test("by never answering is ended after its time", async () => {
    scene = await makeForgeScene("gh", { quietMs: 2000 });
    await scene.land("S01-one", { "b.txt": "b\n" });
    scene.failWith({ hangs: true });
    await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_UNREACHABLE", retry: "later" });
  });
});

test("a repository that is a folder has no forge", async () => {
  scene = await makeForgeScene("gh");
  const project = { ...scene.project, repo: `${scene.root}/origin.git` };
  await expect(scene.repositories.publishMain(project)).rejects.toMatchObject({ code: "REPOSITORY_INVALID", fault: "user" });
});
