import { afterEach, expect, test } from "vitest";
import { builtAlone, carOf, commitTree, landing, makeScene, member, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

test("a landing is found by its first digits, with each of its branches, the newest first", async () => {
  scene = makeScene({ "a.txt": "a\n", "gone.txt": "x\n" });
  const base = await scene.openHub();
  const one = commitTree(scene.hub, [base], { "b é.txt": "b\n", "gone.txt": null }, base);
  const two = commitTree(scene.hub, [base], { "a.txt": "changed\n" }, base);
  const car = carOf(base, [member(one, base, { specId: "S01-one" }), member(two, base, { specId: "S02-two" })]);
  const { commit, merge } = await builtAlone(scene, car);
  await scene.repositories.advanceMain("shop", commit, base);

  expect(await scene.repositories.findLanding("shop", commit.slice(0, 8))).toEqual({
    found: "landing",
    commit,
    merges: [
      { commit: merge, specId: "S02-two", attempt: "shop--S02-two--1", paths: ["a.txt"] },
      { commit: scene.git(scene.hub, "rev-parse", `${merge}^1`), specId: "S01-one", attempt: "shop--S01-one--1", paths: ["b é.txt", "gone.txt"] },
    ],
  });
  expect(await scene.repositories.pathsOnMain("shop", ["a.txt", "b é.txt", "gone.txt"])).toEqual(["a.txt", "b é.txt"]);
});

test("what is not on main's own line, or came with origin, is no landing", async () => {
  scene = makeScene();
  const base = await scene.openHub();
  const built = await builtAlone(scene, landing(commitTree(scene.hub, [base], { "b.txt": "b\n" }, base), base, base));
  expect(await scene.repositories.findLanding("shop", built.commit)).toEqual({ found: "nothing" });
  await scene.repositories.advanceMain("shop", built.commit, base);
  expect(await scene.repositories.findLanding("shop", built.merge)).toEqual({ found: "nothing" });
  expect(await scene.repositories.findLanding("shop", base)).toEqual({ found: "taken-in", commit: base, subject: "first" });
  expect(await scene.repositories.findLanding("shop", "")).toEqual({ found: "several", commits: [built.commit, base] });
});
