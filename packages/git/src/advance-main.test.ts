import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Oid } from "@dispatch/core";
import { afterEach, expect, test } from "vitest";
import { removeStaleLocks } from "./remove-stale-locks.ts";
import { builtAlone, commitTree, environment, landing, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let holder: ChildProcess | undefined;
afterEach(async () => {
  if (holder !== undefined && holder.exitCode === null && holder.signalCode === null) await killed(holder);
  holder = undefined;
  scene.remove();
});

async function prepared(): Promise<{ main: Oid; commit: Oid }> {
  scene = makeScene({ "a.txt": "a\n" });
  return await scene.prepareHub("a car", async () => {
    const main = await scene.openHub();
    const tip = commitTree(scene.hub, [main], { "a.txt": "mine\n" }, main);
    const { commit } = await builtAlone(scene, landing(tip, main, main));
    return { main, commit };
  });
}

/** A git process that has locked main and goes no further. */
async function holdMain(to: Oid, from: Oid): Promise<ChildProcess> {
  const child = spawn("git", [`--git-dir=${scene.hub}`, "update-ref", "--stdin"], { env: environment(), stdio: ["pipe", "pipe", "inherit"] });
  holder = child;
  child.stdin.write(`start\nupdate refs/heads/main ${to} ${from}\nprepare\n`);
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes("prepare: ok")) break;
  }
  return child;
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

test("main moves, stays on its line, and moving it again changes nothing", async () => {
  const { main, commit } = await prepared();
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "advanced" });
  expect(await scene.repositories.mainOf("shop")).toBe(commit);
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "advanced" });
  expect(scene.git(scene.hub, "reflog", "show", "--format=%H", "refs/heads/main").split("\n")).toEqual([commit, main]);
});

test("a commit that main has left behind is still on it", async () => {
  const { main, commit } = await prepared();
  await scene.repositories.advanceMain("shop", commit, main);
  scene.git(scene.hub, "update-ref", "refs/heads/main", commitTree(scene.hub, [commit], { "b.txt": "b\n" }, commit));
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "advanced" });
});

test("when main moved meanwhile it is left where it is", async () => {
  const { main, commit } = await prepared();
  const other = commitTree(scene.hub, [main], { "b.txt": "b\n" }, main);
  scene.git(scene.hub, "update-ref", "refs/heads/main", other);
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "main-moved", main: other });
  expect(await scene.repositories.mainOf("shop")).toBe(other);
});

test("main is never moved to a commit that does not contain it", async () => {
  const { main } = await prepared();
  const foreign = commitTree(scene.hub, [], { "x.txt": "x\n" });
  await expect(scene.repositories.advanceMain("shop", foreign, main)).rejects.toMatchObject({ code: "MAIN_MOVED" });
  expect(await scene.repositories.mainOf("shop")).toBe(main);
});

test("of two moves from the same main one wins and the other is told", async () => {
  const { main, commit } = await prepared();
  const other = commitTree(scene.hub, [main], { "b.txt": "b\n" }, main);
  const outcomes = await Promise.all([scene.repositories.advanceMain("shop", commit, main), scene.repositories.advanceMain("shop", other, main)]);
  expect(outcomes.map((outcome) => outcome.outcome).sort()).toEqual(["advanced", "main-moved"]);
});

test("the locks of a killed update are removed and main moves", async () => {
  const { main, commit } = await prepared();
  await killed(await holdMain(commit, main));
  expect([existsSync(join(scene.hub, "refs/heads/main.lock")), existsSync(join(scene.hub, "HEAD.lock"))]).toEqual([true, true]);
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "advanced" });
  expect(await scene.repositories.mainOf("shop")).toBe(commit);
});

test("the lock of a living update is left alone", async () => {
  const { main, commit } = await prepared();
  await holdMain(commit, main);
  await expect(removeStaleLocks(scene.hub, "main", 100)).rejects.toMatchObject({ code: "GIT_FAILED", retry: "later" });
  expect(existsSync(join(scene.hub, "refs/heads/main.lock"))).toBe(true);
});

test("other locks are none of main's business", async () => {
  const { main, commit } = await prepared();
  const lock = join(scene.hub, "refs/dispatch/result.lock");
  writeFileSync(lock, "");
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "advanced" });
  expect(existsSync(lock)).toBe(true);
  expect(await removeStaleLocks(scene.hub, "all")).toBe(1);
});
