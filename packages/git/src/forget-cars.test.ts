import type { Oid } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { carOf, commitTree, makeScene, member, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let base: Oid;

beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n" });
  base = await scene.openHub();
});
afterEach(() => scene.remove());

test("only the pins of cars in flight stay, and what landed is on main", async () => {
  const tip = commitTree(scene.hub, [base], { "b.txt": "b\n" }, base);
  for (const car of ["1", "2", "shop/S03"]) await scene.repositories.buildCar("shop", carOf(base, [member(tip, base)], { car }));
  const pins = (): string[] => scene.git(scene.hub, "for-each-ref", "--format=%(refname)", "refs/gate").split("\n");
  expect(pins()).toEqual(["refs/gate/car/1", "refs/gate/car/2", "refs/gate/car/shop--S03"]);
  expect(await scene.repositories.forgetCars("shop", new Set(["2"]))).toBe(2);
  expect(pins()).toEqual(["refs/gate/car/2"]);
  expect(await scene.repositories.forgetCars("shop", new Set(["2"]))).toBe(0);
  expect(await scene.repositories.forgetCars("shop", new Set())).toBe(1);
  expect(scene.git(scene.hub, "rev-parse", "main")).toBe(base);
});
