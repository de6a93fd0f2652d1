import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Oid } from "@dispatch/core";
import { afterEach, expect, test } from "vitest";
import { builtAlone, commitTree, type Files, landing, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

async function opened(files: Files): Promise<Oid> {
  scene = makeScene(files);
  return scene.openHub();
}

/** Lands a change in the hub. */
async function landed(base: Oid, files: Files): Promise<Oid> {
  const built = await builtAlone(scene, landing(commitTree(scene.hub, [base], files, base), base, base));
  await scene.repositories.advanceMain("shop", built.commit, base);
  return built.commit;
}

const inHub = (...args: string[]) => scene.git(scene.hub, ...args);

test("nothing new at origin leaves everything as it is", async () => {
  const base = await opened({ "a.txt": "a\n" });
  expect(await scene.repositories.takeInOrigin(scene.project)).toEqual({ outcome: "unchanged", main: base });
  const main = await landed(base, { "b.txt": "b\n" });
  expect(await scene.repositories.takeInOrigin(scene.project)).toEqual({ outcome: "unchanged", main });
});

test("with no commits of ours the candidate is origin's commit, and main does not move by itself", async () => {
  const base = await opened({ "a.txt": "a\n" });
  scene.commit(scene.project.repo, { "b.txt": "b\n" });
  const origin = scene.commit(scene.project.repo, { "c.txt": "c\n" });
  expect(await scene.repositories.takeInOrigin(scene.project)).toEqual({ outcome: "ahead", candidate: origin, commits: 2 });
  expect(await scene.repositories.mainOf("shop")).toBe(base);
  expect(await scene.repositories.advanceMain("shop", origin, base)).toEqual({ outcome: "advanced" });
  expect(await scene.repositories.takeInOrigin(scene.project)).toEqual({ outcome: "unchanged", main: origin });
});

test("with commits on both sides the candidate has both, and is the same when taken in again", async () => {
  const base = await opened({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n" });
  const main = await landed(base, { "a.txt": "ours\n2\n3\n4\n5\n6\n7\n8\n" });
  const origin = scene.commit(scene.project.repo, { "a.txt": "1\n2\n3\n4\n5\n6\n7\ntheirs\n", "b.txt": "b\n" });
  const taken = await scene.repositories.takeInOrigin(scene.project);
  if (taken.outcome !== "ahead") throw new Error(taken.outcome);
  expect(taken.commits).toBe(1);
  expect(inHub("show", "-s", "--format=%P", taken.candidate)).toBe(`${main} ${origin}`);
  expect(inHub("show", `${taken.candidate}:a.txt`)).toBe("ours\n2\n3\n4\n5\n6\n7\ntheirs");
  expect(inHub("rev-parse", "refs/gate/origin")).toBe(taken.candidate);
  expect(await scene.repositories.takeInOrigin(scene.project)).toEqual(taken);
  expect(await scene.repositories.mainOf("shop")).toBe(main);
});

test("what both changed is a conflict that names the paths", async () => {
  const base = await opened({ "a.txt": "a\n", "ö b.txt": "b\n" });
  const main = await landed(base, { "a.txt": "ours\n", "ö b.txt": "ours\n" });
  const origin = scene.commit(scene.project.repo, { "a.txt": "theirs\n", "ö b.txt": "theirs\n", "c.txt": "c\n" });
  expect(await scene.repositories.takeInOrigin(scene.project)).toEqual({ outcome: "conflict", paths: ["a.txt", "ö b.txt"], origin, hub: scene.hub });
  expect(await scene.repositories.mainOf("shop")).toBe(main);
});

test("a union attribute that somebody committed does not turn a conflict into a merge", async () => {
  const base = await opened({ "a.txt": "a\n", ".gitattributes": "* merge=union\n" });
  await landed(base, { "a.txt": "ours\n" });
  scene.commit(scene.project.repo, { "a.txt": "theirs\n" });
  expect((await scene.repositories.takeInOrigin(scene.project)).outcome).toBe("conflict");
});

test("an origin that was rewritten is merged, not followed", async () => {
  const base = await opened({ "a.txt": "a\n" });
  scene.commit(scene.project.repo, { "b.txt": "b\n" });
  const second = await scene.repositories.takeInOrigin(scene.project);
  if (second.outcome !== "ahead") throw new Error(second.outcome);
  await scene.repositories.advanceMain("shop", second.candidate, base);
  scene.git(scene.project.repo, "reset", "--quiet", "--hard", base);
  scene.commit(scene.project.repo, { "c.txt": "c\n" });
  const taken = await scene.repositories.takeInOrigin(scene.project);
  if (taken.outcome !== "ahead") throw new Error(taken.outcome);
  expect([...(await scene.repositories.listFiles("shop", taken.candidate))].sort()).toEqual(["a.txt", "b.txt", "c.txt"]);
});

test("another repository in origin's place is refused", async () => {
  await opened({ "a.txt": "a\n" });
  const repo = join(scene.root, "other");
  scene.git(scene.root, "init", "--quiet", "-b", "main", repo);
  scene.commit(repo, { "x.txt": "x\n" });
  await expect(scene.repositories.takeInOrigin({ ...scene.project, repo })).rejects.toMatchObject({ code: "REPOSITORY_INVALID" });
});

test("an origin that has gone away is a failure that names it", async () => {
  await opened({ "a.txt": "a\n" });
  rmSync(scene.project.repo, { recursive: true });
  await expect(scene.repositories.takeInOrigin(scene.project)).rejects.toMatchObject({ code: "REPOSITORY_INVALID", fault: "user" });
});
