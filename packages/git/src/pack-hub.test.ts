import { existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Oid } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Git, openGit } from "./open-git.ts";
import { isWorthPacking, measureLitter, packObjects, packRefs } from "./pack-hub.ts";
import { environment, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let git: Git;
let main: Oid;
beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n" });
  main = await scene.openHub();
  git = openGit(scene.hub, { env: environment(), remoteQuietMs: 60_000 });
});
afterEach(() => scene.remove());

const inHub = (...args: string[]) => scene.git(scene.hub, ...args);
const newCommit = (message: string): Oid => inHub("commit-tree", `${main}^{tree}`, "-p", main, "-m", message);

test("packing is worth it where many files lie about", () => {
  expect(isWorthPacking({ looseObjects: 100, packs: 3, looseRefs: 50 })).toBe(false);
  expect(isWorthPacking({ looseObjects: 5000, packs: 3, looseRefs: 50 })).toBe(true);
  expect(isWorthPacking({ looseObjects: 100, packs: 60, looseRefs: 50 })).toBe(true);
  expect(isWorthPacking({ looseObjects: 100, packs: 3, looseRefs: 5000 })).toBe(true);
});

test("packing drops nothing: neither what refs and candidates name, nor what no ref names any more", async () => {
  expect(await scene.repositories.packHub("shop", 60_000)).toBe("not-worth-it");
  const [kept, pinned, unnamed] = [newCommit("kept"), newCommit("candidate"), newCommit("no ref names it")];
  inHub("update-ref", "refs/dispatch/result/shop--S01-one--1", kept);
  inHub("update-ref", "refs/gate/car/shop--S01-one--1", pinned);
  const before = inHub("for-each-ref", "--format=%(refname) %(objectname)");
  const litter = await measureLitter(git);
  expect(litter.looseObjects).toBeGreaterThan(2);
  await packRefs(git);
  expect(await packObjects(git, 300_000)).toBe(true);
  expect(await packObjects(git, 300_000)).toBe(true);
  expect(await measureLitter(git)).toMatchObject({ looseObjects: 0, looseRefs: 0 });
  expect(inHub("for-each-ref", "--format=%(refname) %(objectname)")).toBe(before);
  for (const commit of [kept, pinned, unnamed, main]) expect(inHub("cat-file", "-t", commit)).toBe("commit");
  expect(await scene.repositories.checkObjects("shop")).toEqual([]);
});

test("what takes too long is ended and goes on next time, over the lock of a git that was killed", async () => {
  expect(await packObjects(git, 1)).toBe(false);
  expect(await packObjects(git, 300_000, AbortSignal.abort())).toBe(false);
  const lock = join(scene.hub, "objects", "maintenance.lock");
  writeFileSync(lock, "");
  const old = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(lock, old, old);
  expect(await packObjects(git, 300_000)).toBe(true);
  expect(existsSync(lock)).toBe(false);
  expect((await measureLitter(git)).packs).toBeGreaterThan(0);
});
