import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Oid, resultRef, salvageRef } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commitTree, holdOnNode, makeScene, type Scene } from "./testing/git-scene.ts";

const attempt = "shop--S01-one--1";
let scene: Scene;
let tip: Oid;
let salvage: Oid;
beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n" });
  const main = await scene.openHub();
  await scene.repositories.sendCommit("shop", main, scene.node);
  tip = commitTree(scene.node, [main], { "a.txt": "mine\n" }, main);
  salvage = commitTree(scene.node, [tip], { "left.txt": "left\n" }, tip);
  holdOnNode(scene, attempt, { tip, salvage });
  await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage });
});
afterEach(() => scene.remove());

const inHub = (...args: string[]) => scene.git(scene.hub, ...args);
const kept = async () => (await scene.repositories.keptRefs("shop")).map(({ ref }) => ref);

test("a ref that goes is written down first, and can be brought back from what was written", async () => {
  const gone = await scene.repositories.pruneRefs("shop", [{ ref: salvageRef(attempt), commit: salvage, because: "merged" }], 7);
  expect(gone).toEqual([{ ref: salvageRef(attempt), commit: salvage, because: "merged", at: 7 }]);
  expect(await kept()).toEqual([resultRef(attempt)]);
  const [line = ""] = readFileSync(join(scene.hub, "pruned.ndjson"), "utf8").split("\n");
  const { ref, commit } = JSON.parse(line) as { ref: string; commit: string };
  inHub("update-ref", ref, commit);
  expect(inHub("show", `${salvageRef(attempt)}:left.txt`)).toBe("left");
});

test("only refs of attempts go, and only where they are what was looked at", async () => {
  const because = "x";
  const refs = [
    { ref: "refs/heads/main", commit: inHub("rev-parse", "main"), because },
    { ref: resultRef(attempt), commit: salvage, because },
    { ref: resultRef("shop--S09-none--1"), commit: tip, because },
  ];
  expect(await scene.repositories.pruneRefs("shop", refs, 7)).toEqual([]);
  expect(await kept()).toHaveLength(2);
  expect(inHub("rev-parse", "main")).toBe(refs[0]?.commit);
  expect(await scene.repositories.prunedRefs("shop")).toEqual([]);
});

test("a line that a crash cut off is passed over, and the next one stands by itself", async () => {
  appendFileSync(join(scene.hub, "pruned.ndjson"), '{"ref":"refs/dispa');
  await scene.repositories.pruneRefs("shop", [{ ref: salvageRef(attempt), commit: salvage, because: "merged" }], 7);
  await scene.repositories.pruneRefs("shop", [{ ref: resultRef(attempt), commit: tip, because: "merged" }], 8);
  expect((await scene.repositories.prunedRefs("shop")).map(({ ref, at }) => [ref, at])).toEqual([
    [salvageRef(attempt), 7],
    [resultRef(attempt), 8],
  ]);
});
