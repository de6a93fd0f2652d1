import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

/** Every file of a folder with its time and size: what would show if somebody had written there. */
function trace(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => `${path} ${statSync(join(folder, path)).size} ${statSync(join(folder, path)).mtimeMs}`)
    .sort();
}

test("while there is no hub it is the branch of an origin that is a folder here, and nothing is written there", async () => {
  scene = makeScene({ "a.txt": "a\n", "run.sh": { script: "#!/bin/sh\n" }, link: { link: "a.txt" } });
  const before = trace(scene.project.repo);
  const base = await scene.repositories.openBase(scene.project);
  if (base === undefined) throw new Error("no base");
  expect(base.revision).toBe(scene.git(scene.project.repo, "rev-parse", "main"));
  expect(base.tree).toBe(scene.git(scene.project.repo, "rev-parse", "main^{tree}"));
  expect([...(await base.listFiles())].sort()).toEqual(["a.txt", "link", "run.sh"]);
  expect(await base.readFiles(["a.txt", "link"])).toEqual(new Map([["a.txt", "a\n"]]));
  const folder = mkdtempSync(join(scene.root, "scratch-"));
  await base.checkOut(folder);
  expect(readFileSync(join(folder, "link"), "utf8")).toBe("a\n");
  expect(statSync(join(folder, "run.sh")).mode & 0o111).toBe(0o111);
  expect(scene.git(folder, "status", "--porcelain")).toBe("");
  expect(scene.git(folder, "log", "--format=%s")).toBe("first");
  expect(trace(scene.project.repo)).toEqual(before);
  expect(existsSync(scene.hub)).toBe(false);
});

test("with a hub it is the hub's main, wherever origin is by now", async () => {
  scene = makeScene({ "a.txt": "a\n" });
  const main = await scene.repositories.openHub(scene.project);
  scene.commit(scene.project.repo, { "b.txt": "b\n" });
  const before = trace(scene.hub);
  const base = await scene.repositories.openBase({ ...scene.project, repo: "https://example.org/x.git" });
  expect(base?.revision).toBe(main);
  const folder = mkdtempSync(join(scene.root, "scratch-"));
  await base?.checkOut(folder);
  expect(readdirSync(folder).sort()).toEqual([".git", "a.txt"]);
  expect(trace(scene.hub)).toEqual(before);
});

test("a bare origin and a worktree of another clone are read alike", async () => {
  scene = makeScene({ "a.txt": "a\n" }, { bare: true });
  expect(await (await scene.repositories.openBase(scene.project))?.listFiles()).toEqual(["a.txt"]);
  const clone = join(scene.root, "clone");
  const other = join(scene.root, "other");
  scene.git(scene.root, "clone", "--quiet", scene.project.repo, clone);
  scene.git(clone, "worktree", "add", "--quiet", "-b", "side", other);
  scene.commit(other, { "c.txt": "c\n" });
  const base = await scene.repositories.openBase({ id: "other", repo: other, branch: "side" });
  expect([...((await base?.listFiles()) ?? [])].sort()).toEqual(["a.txt", "c.txt"]);
  const folder = mkdtempSync(join(scene.root, "scratch-"));
  await base?.checkOut(folder);
  expect(readdirSync(folder).sort()).toEqual([".git", "a.txt", "c.txt"]);
});

test("an origin on a network is not known here; a folder that is none, and a branch that is none, are refused", async () => {
  scene = makeScene();
  expect(await scene.repositories.openBase({ ...scene.project, repo: "https://example.org/x.git" })).toBeUndefined();
  expect(await scene.repositories.openBase({ ...scene.project, repo: "git@example.org:x.git" })).toBeUndefined();
  const empty = join(scene.root, "empty");
  mkdirSync(empty);
  for (const wrong of [{ repo: join(scene.root, "nowhere") }, { repo: empty }, { branch: "trunk" }])
    await expect(scene.repositories.openBase({ ...scene.project, ...wrong })).rejects.toMatchObject({ code: "REPOSITORY_INVALID" });
});
