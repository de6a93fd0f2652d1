import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type Oid, resultRef, salvageRef } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commitTree, holdOnNode, makeScene, type Scene } from "./testing/git-scene.ts";

const attempt = "shop--S01-one--1";
let scene: Scene;
let main: Oid;
let tip: Oid;
let salvage: Oid;
beforeEach(async () => {
  scene = makeScene({ "a.txt": "a\n", "b.txt": "b\n" });
  ({ main, tip, salvage } = await scene.prepareHub("work of an attempt", async () => {
    const main = await scene.openHub();
    await scene.repositories.sendCommit("shop", main, scene.node);
    const tip = commitTree(scene.node, [main], { "a.txt": "mine\n" }, main);
    const salvage = commitTree(scene.node, [tip], { "left.bin": "\0\xff left", "b.txt": null }, tip);
    holdOnNode(scene, attempt, { tip, salvage });
    await scene.repositories.fetchAttempt("shop", attempt, scene.node, { tip, salvage });
    return { main, tip, salvage };
  }));
});
afterEach(() => scene.remove());

const origin = () => scene.project.repo;
const inOrigin = (...args: string[]) => scene.git(origin(), ...args);
const work = (branch: string, folder = origin()) => ({ ref: salvageRef(attempt), commit: salvage, branch, folder });

describe("kept work", () => {
  test("is measured against the base of its attempt", async () => {
    expect(await scene.repositories.measureWork("shop", main, tip)).toMatchObject({ commits: 1, files: 1 });
    const whole = await scene.repositories.measureWork("shop", main, salvage);
    expect(whole).toMatchObject({ commits: 2, files: 3 });
    expect(whole.at).toBeGreaterThan(Date.now() - 600_000);
    expect(await scene.repositories.measureWork("shop", main, main)).toMatchObject({ commits: 0, files: 0 });
  });

  test("is a patch that makes the same tree on its base, with files that are no text", async () => {
    const patch = await scene.repositories.patchOf("shop", main, salvage);
    inOrigin("checkout", "--quiet", "--detach", main);
    execFileSync("git", ["-C", origin(), "apply", "--index"], { input: patch });
    expect(inOrigin("write-tree")).toBe(scene.git(scene.hub, "rev-parse", `${salvage}^{tree}`));
  });
});

describe("handing work over", () => {
  test("makes a branch and moves nothing else, any number of times", async () => {
    const before = inOrigin("for-each-ref", "--format=%(refname) %(objectname)");
    scene.write(origin(), { "a.txt": "edited\n" });
    expect(await scene.repositories.handOver("shop", work("rescue/S01"))).toBe("made");
    expect(await scene.repositories.handOver("shop", work("rescue/S01"))).toBe("there");
    expect(inOrigin("for-each-ref", "--format=%(refname) %(objectname)")).toBe(`${before}\nrefs/heads/rescue/S01 ${salvage}`);
    expect(inOrigin("show", "rescue/S01^:a.txt")).toBe("mine");
    expect(inOrigin("status", "--porcelain")).toBe(" M a.txt");
    expect(inOrigin("rev-parse", "--abbrev-ref", "HEAD")).toBe("main");
  });

  test("into another clone, also a bare one, and of every kind of ref", async () => {
    const clone = join(scene.root, "clone.git");
    scene.git(scene.root, "clone", "--quiet", "--bare", origin(), clone);
    expect(await scene.repositories.handOver("shop", { ...work("mine", clone), ref: resultRef(attempt), commit: tip })).toBe("made");
    expect(scene.git(clone, "rev-parse", "mine")).toBe(tip);
  });

  test("never moves a branch that exists, checked out or not, also where that would be a fast-forward", async () => {
    inOrigin("branch", "other");
    for (const branch of ["main", "other"]) {
      await expect(scene.repositories.handOver("shop", work(branch))).rejects.toMatchObject({ code: "USAGE" });
      expect(inOrigin("rev-parse", branch)).toBe(main);
    }
  });

  test("refuses what is no branch and no repository", async () => {
    for (const branch of ["-f", "a..b", "", "refs heads"]) {
      await expect(scene.repositories.handOver("shop", work(branch))).rejects.toMatchObject({ code: "USAGE" });
    }
    await expect(scene.repositories.handOver("shop", work("mine", scene.root))).rejects.toMatchObject({ code: "REPOSITORY_INVALID" });
  });
});
