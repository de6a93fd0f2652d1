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

/** The lines of a pull request that name specs. */
function listed(n: number): string[] | undefined {
  return scene
    .requests()
    [n]?.body.split("\n")
    .filter((line) => line.startsWith("- "));
}

test.each([
  ["gh", "merge"],
  ["glab", "squash"],
] as const)(
  "through %s main goes to a branch of its own with one pull request for all that landed, and after a %s with the next one",
  async (forge, way) => {
    scene = await makeForgeScene(forge);
    // One of a fork and one of another base are not taken for ours.
    const other = { open: true, head: "dispatch/main", base: "main", title: "theirs", body: "" };
    scene.setRequests([
      { ...other, number: 1, fork: true },
      { ...other, number: 2, fork: false, base: "release" },
    ]);
    const base = scene.origin("rev-parse", "main");
    const first = await scene.land("S01-one", { "b.txt": "b\n" });
    const published = await publish();
    expect(published).toEqual({ outcome: "published", commit: first, url: `${urls[forge]}3` });
    const opened = scene.requests();
    expect(opened).toMatchObject([{ title: "theirs" }, { title: "theirs" }, { title: "Land S01-one: do S01-one" }]);
    scene.takeCalls();
    expect(await publish()).toEqual(published);
    expect(scene.takeCalls()).toHaveLength(1);
    expect(scene.requests()).toEqual(opened);

    const second = await scene.land("S02-two", { "c.txt": "c\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: second, url: `${urls[forge]}3` });
    expect(scene.origin("rev-parse", branch)).toBe(second);
    expect(scene.origin("rev-parse", "main")).toBe(base);
    const [, , request, ...others] = scene.requests();
    expect(others).toEqual([]);
    expect(request).toMatchObject({ number: 3, head: "dispatch/main", base: "main", title: "Land 2 specs" });
    expect(listed(2)).toEqual(["- shop/S01-one: do S01-one", "- shop/S02-two: do S02-two"]);
    expect(request?.body).not.toMatch(/https?:|[0-9a-f]{12}/);

    merge(way, second);
    expect(await publish()).toEqual({ outcome: "origin-moved" });
    const taken = await takeIn();
    scene.takeCalls();
    expect(await publish()).toEqual({ outcome: "published", commit: taken });
    expect(scene.takeCalls()).toEqual([]);
    const main = await scene.land("S03-three", { "d.txt": "d\n" });
    expect(await publish()).toEqual({ outcome: "published", commit: main, url: `${urls[forge]}4` });
    expect(scene.origin("rev-parse", branch)).toBe(main);
    expect(scene.origin("merge-base", "--is-ancestor", second, main)).toBe("");
    expect(scene.requests()[3]).toMatchObject({ title: "Land S03-three: do S03-three", body: expect.not.stringMatching(/S01-one|S02-two/) });
  },
);

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
    expect(listed(1)).toEqual(["- shop/S02-two: do S02-two"]);
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
    expect(listed(0)).toHaveLength(2);
  });
});

test("the branch is made, left to others who change it, ours again when they merged it, and made again when it is deleted", async () => {
  scene = await makeForgeScene("gh");
  const first = await scene.land("S01-one", { "b.txt": "b\n" });
  const hook = "hooks/pre-receive";
  scene.write(`${scene.root}/origin.git`, { [hook]: { script: "#!/bin/sh\necho 'only on weekdays' >&2\nexit 1\n" } });
  await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_REFUSED" });
  expect(scene.requests()).toEqual([]);
  scene.write(`${scene.root}/origin.git`, { [hook]: null });
  // The program fails; the next collect goes on from the branch that was pushed.
  scene.failWith({ exitCode: 4, stderr: "To get started with GitHub CLI, please run:  gh auth login" });
  await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_UNREACHABLE", hint: expect.stringContaining("gh auth login") });
  expect(scene.origin("rev-parse", branch)).toBe(first);
  scene.failWith(undefined);
  expect(await publish()).toEqual({ outcome: "published", commit: first, url: `${urls.gh}1` });

  const theirs = commitTree(`${scene.root}/origin.git`, [first], { "x.txt": "x\n" }, first);
  scene.origin("update-ref", branch, theirs);
  await scene.land("S02-two", { "c.txt": "c\n" });
  scene.takeCalls();
  await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_CONFLICT", fault: "user", facts: { branch: "dispatch/main", there: theirs } });
  expect(scene.origin("rev-parse", branch)).toBe(theirs);
  expect(scene.takeCalls()).toEqual([]);

  merge("merge", theirs);
  const taken = await takeIn();
  expect(await publish()).toMatchObject({ outcome: "published", commit: taken, url: `${urls.gh}2` });
  expect(scene.origin("rev-parse", branch)).toBe(taken);

  merge("merge", taken);
  scene.origin("update-ref", "-d", branch);
  await takeIn();
  const main = await scene.land("S03-three", { "d.txt": "d\n" });
  expect(await publish()).toMatchObject({ outcome: "published", commit: main });
  expect(scene.origin("rev-parse", branch)).toBe(main);
});

test("a program that never answers is ended after its time, one that is not installed is named, and a folder has no forge", async () => {
  scene = await makeForgeScene("glab", { quietMs: 2000 });
  await scene.land("S01-one", { "b.txt": "b\n" });
  scene.failWith({ hangs: true });
  await expect(publish()).rejects.toMatchObject({ code: "ORIGIN_UNREACHABLE", retry: "later" });
  scene.removeProgram();
  await expect(publish()).rejects.toMatchObject({ code: "TOOL_MISSING", fault: "user", hint: expect.stringContaining("glab auth login") });
  const project = { ...scene.project, repo: `${scene.root}/origin.git` };
  await expect(scene.repositories.publishMain(project)).rejects.toMatchObject({ code: "REPOSITORY_INVALID", fault: "user" });
});
