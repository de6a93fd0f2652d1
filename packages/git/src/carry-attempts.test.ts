import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Oid, resultRef, salvageRef } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commitTree, holdOnNode, makeScene, type Scene } from "./testing/git-scene.ts";

const attempt = "shop--S01-one--1";
let scene: Scene;
let main: Oid;
beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n" });
  main = await scene.openHub();
});
afterEach(() => scene.remove());

const onNode = (...args: string[]) => scene.git(scene.node, ...args);
const inHub = (...args: string[]) => scene.git(scene.hub, ...args);

describe("sending", () => {
  test("puts the commit under its own ref on the node, any number of times", async () => {
    await scene.repositories.sendCommit("shop", main, scene.node);
    await scene.repositories.sendCommit("shop", main, scene.node);
    expect(onNode("for-each-ref", "--format=%(refname) %(objectname)")).toBe(`refs/dispatch/base/${main} ${main}`);
    onNode("fsck", "--connectivity-only");
  });

  test("several times at once sends it once: nobody finds the ref locked by another", async () => {
    await Promise.all(Array.from({ length: 8 }, () => scene.repositories.sendCommit("shop", main, scene.node)));
    expect(onNode("for-each-ref", "--format=%(objectname)")).toBe(main);
  });

  test("to a node that is not there says that the node failed", async () => {
    await expect(scene.repositories.sendCommit("shop", main, join(scene.root, "nowhere.git"))).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
  });

  test("a commit the hub does not have is a failure", async () => {
    await expect(scene.repositories.sendCommit("shop", "1".repeat(40), scene.node)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});

describe("fetching", () => {
  let tip: Oid;
  let salvage: Oid;
  beforeEach(async () => {
    await scene.repositories.sendCommit("shop", main, scene.node);
    tip = commitTree(scene.node, [main], { "a.txt": "mine\n" }, main);
    salvage = commitTree(scene.node, [tip], { "left.txt": "left\n" }, tip);
  });

  test("brings result and salvage, and the second time needs no node", async () => {
    holdOnNode(scene, attempt, { tip, salvage });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage });
    expect([inHub("rev-parse", resultRef(attempt)), inHub("rev-parse", salvageRef(attempt))]).toEqual([tip, salvage]);
    rmSync(scene.node, { recursive: true });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage });
    expect(await scene.repositories.keptRefs("shop")).toEqual([
      { attempt, kind: "result", ref: resultRef(attempt), commit: tip },
      { attempt, kind: "salvage", ref: salvageRef(attempt), commit: salvage },
    ]);
  });

  test("brings only what the node holds", async () => {
    holdOnNode(scene, attempt, { tip, salvage });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage: null });
    expect(inHub("for-each-ref", "--format=%(refname)", "refs/dispatch/result", "refs/dispatch/salvage")).toBe(resultRef(attempt));
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip: null, salvage: null });
    expect(await scene.repositories.keptRefs("shop")).toHaveLength(1);
  });

  test("another result under the same name keeps the first one", async () => {
    holdOnNode(scene, attempt, { tip, salvage });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage });
    const again = commitTree(scene.node, [main], { "a.txt": "again\n" }, main);
    holdOnNode(scene, attempt, { tip: again, salvage: null });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip: again, salvage });
    expect(inHub("rev-parse", resultRef(attempt))).toBe(again);
    expect(inHub("for-each-ref", "--format=%(objectname)", "refs/dispatch/superseded")).toBe(tip);
    const kept = await scene.repositories.keptRefs("shop");
    expect(kept.map(({ kind, commit }) => [kind, commit])).toEqual([
      ["result", again],
      ["salvage", salvage],
      ["superseded", tip],
    ]);
  });

  test("a node that holds something else than it said is a failure, and nothing that was kept is lost", async () => {
    holdOnNode(scene, attempt, { tip, salvage });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage });
    holdOnNode(scene, attempt, { tip: salvage, salvage: null });
    const claimed = commitTree(scene.node, [main], { "a.txt": "claimed\n" }, main);
    const fetching = scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip: claimed, salvage });
    await expect(fetching).rejects.toMatchObject({ code: "GIT_FAILED" });
    expect(inHub("for-each-ref", "--format=%(objectname)", "refs/dispatch/superseded", "refs/dispatch/result").split("\n")).toContain(tip);
  });

  test("a ref the node does not have is a failure", async () => {
    await expect(scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage: null })).rejects.toMatchObject({ code: "GIT_FAILED" });
  });

  test("a tree that would write into .git does not get into the hub", async () => {
    const blob = onNode("rev-parse", `${tip}:a.txt`);
    const inner = scene.pipe(scene.node, `100644 blob ${blob}\tconfig\n`, "mktree");
    const outer = scene.pipe(scene.node, `040000 tree ${inner}\t.git\n`, "mktree");
    const evil = onNode("commit-tree", outer, "-p", main, "-m", "evil");
    holdOnNode(scene, attempt, { tip: evil, salvage: null });
    await expect(scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip: evil, salvage: null })).rejects.toMatchObject({
      code: "GIT_FAILED",
    });
    expect(inHub("for-each-ref", "refs/dispatch/result")).toBe("");
  });
});
