import { type BuiltCar, errorCode, type Oid } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { carOf, commitTree, type Files, makeScene, member, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let base: Oid;
const ref = "refs/dispatch/generated/0";
const options = { generated: ["lock.json", "gen/**"] };

beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n", "lock.json": "a\n" });
  base = await scene.repositories.openHub(scene.project);
});
afterEach(() => scene.remove());

const branch = (n: number, files: Files) => member(commitTree(scene.hub, [base], files, base), base, { specId: `S0${n}`, at: 1_790_000_000_000 + n });

/** Stands for the node: what the command made, on top of the candidate. */
async function made(built: BuiltCar, files: Files, parent = built.candidate?.commit ?? ""): Promise<Oid> {
  const commit = commitTree(scene.hub, [parent], files, parent);
  await scene.repositories.sendCommit("shop", commit, scene.node);
  scene.git(scene.node, "update-ref", ref, commit);
  return commit;
}

test("branches that meet in generated files alone ride together, and the car holds these files as they were made again", async () => {
  const members = [branch(1, { "b.txt": "b\n", "lock.json": "a b\n" }), branch(2, { "c.txt": "c\n", "lock.json": "a c\n", "gen/x": "x\n" })];
  const input = carOf(base, members, options);
  const built = await scene.repositories.buildCar("shop", input);
  expect(built).toMatchObject({ held: ["shop/S01", "shop/S02"], refused: [], deferred: [], outdated: ["lock.json"] });
  const commit = await made(built, { "lock.json": "a b c\n" });
  const candidate = await scene.repositories.takeGenerated("shop", input, built, { commit, ref, url: scene.node });
  const show = (path: string): string => scene.git(scene.hub, "show", `${candidate.commit}:${path}`);
  expect([show("lock.json"), show("b.txt"), show("c.txt"), show("gen/x")]).toEqual(["a b c", "b", "c", "x"]);
  expect(scene.git(scene.hub, "log", "-1", "--format=%P", candidate.commit)).toBe(`${base} ${candidate.merge}`);
  expect(candidate.tree).toBe(scene.git(scene.hub, "rev-parse", `${candidate.commit}^{tree}`));
  expect(scene.git(scene.hub, "log", "-1", "--format=%(trailers:key=Gate-Tree,valueonly)", candidate.commit).trim()).toBe(candidate.tree);
  expect(scene.git(scene.hub, "rev-parse", "refs/gate/car/1")).toBe(candidate.commit);
  expect(await scene.repositories.advanceMain("shop", candidate.commit, base)).toEqual({ outcome: "advanced" });
});

test("a generated file that only one changed is taken as it is", async () => {
  const members = [branch(1, { "b.txt": "b\n", "lock.json": "a b\n" }), branch(2, { "c.txt": "c\n" })];
  expect(await scene.repositories.buildCar("shop", carOf(base, members, options))).toMatchObject({ held: ["shop/S01", "shop/S02"], outdated: [] });
});

test("a branch whose generated file main has changed meanwhile fits all the same", async () => {
  const onto = commitTree(scene.hub, [base], { "d.txt": "d\n", "lock.json": "a d\n" }, base);
  const input = carOf(onto, [branch(1, { "b.txt": "b\n", "lock.json": "a b\n" })], options);
  expect(await scene.repositories.buildCar("shop", input)).toMatchObject({ held: ["shop/S01"], refused: [], outdated: ["lock.json"] });
  const strict = await scene.repositories.buildCar("shop", { ...input, generated: [] });
  expect(strict.refused.map(({ report }) => report.paths.map(({ path }) => path))).toEqual([["lock.json"]]);
});

test("branches that meet elsewhere too still wait for each other", async () => {
  const members = [branch(1, { "a.txt": "one\n", "lock.json": "1\n" }), branch(2, { "a.txt": "two\n", "lock.json": "2\n" })];
  expect(await scene.repositories.buildCar("shop", carOf(base, members, options))).toMatchObject({
    held: ["shop/S01"],
    deferred: [{ task: "shop/S02", paths: ["a.txt"] }],
    outdated: [],
  });
});

test("a commit that changes anything else, or is on another one, is not taken in", async () => {
  const input = carOf(base, [branch(1, { "lock.json": "1\n" }), branch(2, { "lock.json": "2\n" })], options);
  const built = await scene.repositories.buildCar("shop", input);
  const refusal = async (commit: Oid) => {
    const taken = scene.repositories.takeGenerated("shop", input, built, { commit, ref, url: scene.node });
    return await taken.then(
      () => "taken",
      (error: unknown) => errorCode(error),
    );
  };
  expect(await refusal(await made(built, { "lock.json": "12\n", "a.txt": "changed\n" }))).toBe("GIT_FAILED");
  expect(await refusal(await made(built, { "lock.json": "12\n" }, base))).toBe("GIT_FAILED");
  expect(await refusal(await made(built, { "gen/y": "y\n" }))).toBe("taken");
});
