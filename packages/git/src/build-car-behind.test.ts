import type { Oid } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildCar } from "./build-car.ts";
import { type Git, openGit } from "./open-git.ts";
import { carOf, commitTree, environment, makeScene, member, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let base: Oid;
let ran: string[];

beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n", "b.txt": "b\n" });
  base = await scene.openHub();
  ran = [];
});
afterEach(() => scene.remove());

const change = (files: Record<string, string>): Oid => commitTree(scene.hub, [base], files, base);
const branch = (n: number, files: Record<string, string>) => member(change(files), base, { specId: `S0${n}`, at: 1_790_000_000_000 + n });

function counting(): Git {
  const git = openGit(scene.hub, { env: environment(), remoteQuietMs: 10_000 });
  return {
    ...git,
    run(plumbing) {
      ran.push(plumbing.args[0] ?? "");
      return git.run(plumbing);
    },
  };
}

test("a car behind others takes over what was put together for them, and is what it would be without", async () => {
  const git = counting();
  const ahead = [branch(1, { "a.txt": "one\n" }), branch(2, { "c.txt": "two\n" }), branch(3, { "a.txt": "meets one\n" })];
  const behind = [...ahead, branch(4, { "d.txt": "four\n" })];
  const first = await buildCar(git, carOf(base, ahead, { car: "1" }));
  expect(first).toMatchObject({ held: ["shop/S01", "shop/S02"], deferred: [{ task: "shop/S03", paths: ["a.txt"] }] });
  ran = [];
  const second = await buildCar(git, carOf(base, behind, { car: "2" }));
  expect(ran.filter((name) => name === "update-index" || name === "read-tree")).toEqual(["read-tree", "update-index"]);
  expect(second).toEqual(await buildCar(counting(), carOf(base, behind, { car: "2" })));
  ran = [];
  expect((await buildCar(git, carOf(base, ahead, { car: "3" }))).candidate).toMatchObject({
    tree: first.candidate?.tree,
    merge: first.candidate?.merge,
  });
  expect(ran).toEqual(["commit-tree", "update-ref"]);
});

test("another main, another branch or another policy is put together anew", async () => {
  const git = counting();
  const one = branch(1, { "a.txt": "one\n" });
  const built = await buildCar(git, carOf(base, [one]));
  for (const input of [
    carOf(change({ "z.txt": "main\n" }), [one]),
    carOf(base, [{ ...one, subject: "another" }]),
    carOf(base, [one], { shared: ["b.txt"] }),
  ]) {
    ran = [];
    const again = await buildCar(git, input);
    expect(ran).toContain("update-index");
    expect(again).toEqual(await buildCar(counting(), input));
  }
  expect(await buildCar(git, carOf(base, [one]))).toEqual(built);
});
