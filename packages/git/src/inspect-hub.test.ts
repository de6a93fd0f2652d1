import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Oid, resultRef, salvageRef } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtAlone, commitTree, holdOnNode, landing, makeScene, type Scene } from "./testing/git-scene.ts";

const attempt = "shop--S01-one--1";
let scene: Scene;
let main: Oid;
beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n" });
  main = await scene.openHub();
});
afterEach(() => scene.remove());

const inHub = (...args: string[]) => scene.git(scene.hub, ...args);

async function leave(name: string, held: { tip: Oid; salvage: Oid | null }): Promise<void> {
  holdOnNode(scene, name, held);
  await scene.repositories.fetchAttempt("shop", name, scene.node, held);
}

async function tipOf(files: Record<string, string>): Promise<Oid> {
  await scene.repositories.sendCommit("shop", main, scene.node);
  return commitTree(scene.node, [main], files, main);
}

describe("the history of main", () => {
  test("is all that came since the hub was made, with trees and the specs that trailers name", async () => {
    expect(await scene.repositories.mainHistory("shop", null)).toEqual({ main, start: main, commits: [] });
    const tip = await tipOf({ "a.txt": "mine\n" });
    await leave(attempt, { tip, salvage: null });
    const { commit, merge, tree } = await builtAlone(scene, landing(tip, main, main));
    await scene.repositories.advanceMain("shop", commit, main);
    const history = await scene.repositories.mainHistory("shop", null);
    expect(history).toMatchObject({ main: commit, start: main });
    expect(history.commits.map((one) => one.commit).sort()).toEqual([commit, merge, tip].sort());
    expect(history.commits[0]).toEqual({ commit, tree, parents: [main, merge], specs: ["S01-one"] });
    expect(history.commits.find((one) => one.commit === tip)).toMatchObject({ parents: [main], specs: [] });
  });

  test("begins where others say when the log of main is gone, and tells that main is missing", async () => {
    rmSync(join(scene.hub, "logs"), { recursive: true });
    expect(await scene.repositories.mainHistory("shop", main)).toEqual({ main, start: main, commits: [] });
    expect((await scene.repositories.mainHistory("shop", null)).commits).toHaveLength(1);
    inHub("update-ref", "-d", "refs/heads/main");
    expect(await scene.repositories.mainHistory("shop", null)).toEqual({ main: null, start: null, commits: [] });
  });
});

describe("what holds the commits of attempts", () => {
  test("is main, or refs of the attempt itself; of another one they do not count", async () => {
    const tip = await tipOf({ "a.txt": "mine\n" });
    const salvage = commitTree(scene.node, [tip], { "left.txt": "left\n" }, tip);
    await leave(attempt, { tip, salvage });
    await leave("shop--S02-two--1", { tip: salvage, salvage: null });
    const claims = [
      { attempt, commit: main },
      { attempt, commit: tip },
      { attempt, commit: salvage },
      { attempt: "shop--S02-two--1", commit: tip },
      { attempt: "shop--S03-three--1", commit: tip },
      { attempt, commit: "1".repeat(40) },
    ];
    expect(await scene.repositories.findHolders("shop", claims)).toEqual([
      { present: true, onMain: true, refs: [] },
      { present: true, onMain: false, refs: [resultRef(attempt)] },
      { present: true, onMain: false, refs: [salvageRef(attempt)] },
      { present: true, onMain: false, refs: [resultRef("shop--S02-two--1")] },
      { present: true, onMain: false, refs: [] },
      { present: false, onMain: false, refs: [] },
    ]);
    inHub("update-ref", "-d", salvageRef(attempt));
    expect(await scene.repositories.findHolders("shop", [{ attempt, commit: salvage }])).toEqual([{ present: true, onMain: false, refs: [] }]);
  });

  test("is also what superseded refs kept", async () => {
    const [first, second] = [await tipOf({ "a.txt": "one\n" }), await tipOf({ "a.txt": "two\n" })];
    await leave(attempt, { tip: first, salvage: null });
    await leave(attempt, { tip: second, salvage: null });
    const [held] = await scene.repositories.findHolders("shop", [{ attempt, commit: first }]);
    expect(held?.refs).toEqual([`refs/dispatch/superseded/result/${attempt}/${first}`]);
  });
});

test("a hub with all its objects is whole, and one that lacks a blob is not", async () => {
  const blob = scene.pipe(scene.hub, "something of its own", "hash-object", "-w", "--stdin");
  const tree = scene.pipe(scene.hub, `100644 blob ${blob}\ta.txt\n`, "mktree");
  inHub("update-ref", resultRef(attempt), inHub("commit-tree", tree, "-p", main, "-m", "mine"));
  expect(await scene.repositories.checkObjects("shop")).toEqual([]);
  rmSync(join(scene.hub, "objects", blob.slice(0, 2), blob.slice(2)));
  expect((await scene.repositories.checkObjects("shop")).join("\n")).toContain(blob);
});
