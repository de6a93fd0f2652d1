import { existsSync } from "node:fs";
import type { Oid } from "@dispatch/core";
import { afterEach, expect, test } from "vitest";
import { builtAlone, commitTree, type Files, landing, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

async function opened(files: Files): Promise<Oid> {
  scene = makeScene(files);
  return scene.openHub();
}

const change = (parent: Oid, files: Files) => commitTree(scene.hub, [parent], files, parent);

test("the diff starts at the merge base, not at main", async () => {
  const base = await opened({ "a.txt": "1\n2\n3\n", "b.txt": "b\n" });
  const main = change(base, { "b.txt": "theirs\n" });
  const tip = change(base, { "a.txt": "1\nmine\n3\n" });
  const { raw, patch, sizes } = await scene.repositories.diffOf("shop", main, tip);
  expect(raw.split("\0")).toEqual([expect.stringMatching(/^:100644 100644 [0-9a-f]{40} [0-9a-f]{40} M$/), "a.txt", ""]);
  expect(patch.split("\n").slice(2)).toEqual(["--- a/a.txt", "+++ b/a.txt", "@@ -2 +2 @@", "-2", "+mine", ""]);
  const [old = "", now = ""] = raw.match(/[0-9a-f]{40}/g) ?? [];
  expect([sizes.get(old), sizes.get(now)]).toEqual([6, 9]);
  expect(await scene.repositories.readBlobs("shop", [now, old, now, "1".repeat(40), base])).toEqual(
    new Map([
      [now, "1\nmine\n3\n"],
      [old, "1\n2\n3\n"],
    ]),
  );
});

test("renames are a deletion and an addition, and no attribute that was committed hides a text", async () => {
  const base = await opened({ "a.txt": "same\n".repeat(20), ".gitattributes": "*.txt diff=hidden -diff\n" });
  const { raw, patch } = await scene.repositories.diffOf("shop", base, change(base, { "a.txt": null, "b.txt": "same\n".repeat(20) }));
  expect(
    raw
      .split("\0")
      .filter((field) => field.startsWith(":"))
      .map((field) => field.slice(-1)),
  ).toEqual(["D", "A"]);
  expect(patch.split("\n").filter((line) => line === "+same")).toHaveLength(20);
});

test("files of a revision are listed and read, whatever their names", async () => {
  const names = ["a b", "é/ü.txt", 'q"uote', "new\nline", "-x", "*", "deep/er/x"];
  const base = await opened(Object.fromEntries(names.map((name) => [name, `${name}!`])));
  expect([...(await scene.repositories.listFiles("shop", base))].sort()).toEqual([...names].sort());
  for (const name of names) expect(await scene.repositories.readFile("shop", base, name)).toBe(`${name}!`);
});

test("a file that is not there, a folder, and a link read as absent", async () => {
  const base = await opened({ "dir/x": "x\n", link: { link: "dir/x" }, linked: { link: "dir" }, "run.sh": { script: "#!\n" }, empty: "" });
  const read = (path: string) => scene.repositories.readFile("shop", base, path);
  for (const path of ["none", "dir", "dir/", "dir/y", "link", "linked/x", "../x", "/dir/x", "d*/x", "", "."])
    expect(await read(path), path).toBeUndefined();
  expect([await read("run.sh"), await read("empty"), await read("dir/x")]).toEqual(["#!\n", "", "x\n"]);
});

test("a revision that is not there is a failure, and one that is no object id is refused", async () => {
  await opened({ "a.txt": "a\n" });
  await expect(scene.repositories.listFiles("shop", "1".repeat(40))).rejects.toMatchObject({ code: "GIT_FAILED" });
  await expect(scene.repositories.readFile("shop", "--output=x", "a.txt")).rejects.toThrow();
});

test("the log of main has one commit per landing, newest first, with its spec", async () => {
  const base = await opened({ "a.txt": "a\n" });
  const built = await builtAlone(scene, landing(change(base, { "b.txt": "b\n" }), base, base));
  await scene.repositories.advanceMain("shop", built.commit, base);
  const log = await scene.repositories.firstParentLog("shop", 10);
  expect(log).toEqual([
    { commit: built.commit, subject: "Land S01-one: add one", specId: "S01-one", at: 1_790_000_000_000 },
    { commit: base, subject: "first", specId: null, at: expect.any(Number) },
  ]);
  expect(await scene.repositories.firstParentLog("shop", 1)).toEqual(log.slice(0, 1));
});

test("the specs that landed are those of our own commits since the hub was made, on whatever line of main they are", async () => {
  const base = await opened({ "a.txt": "a\n" });
  expect(await scene.repositories.landedSpecs("shop")).toEqual([]);
  const built = await builtAlone(scene, landing(change(base, { "b.txt": "b\n" }), base, base, { specId: "S01-b" }));
  await scene.repositories.advanceMain("shop", built.commit, base);
  expect(await scene.repositories.landedSpecs("shop")).toEqual(["S01-b"]);
  const theirs = commitTree(scene.hub, [base, built.commit], { "c.txt": "c\n" }, built.commit);
  await scene.repositories.advanceMain("shop", theirs, built.commit);
  expect(await scene.repositories.landedSpecs("shop")).toEqual(["S01-b"]);
});

test("an origin without commits, or without the branch, is refused before anything is made", async () => {
  scene = makeScene({ "a.txt": "a\n" });
  await scene.repositories.checkOrigin(scene.project);
  const wrong = { ...scene.project, branch: "trunk" };
  await expect(scene.repositories.checkOrigin(wrong)).rejects.toMatchObject({ code: "REPOSITORY_INVALID", facts: { branches: ["main"] } });
  await expect(scene.repositories.checkOrigin({ ...scene.project, repo: scene.root })).rejects.toMatchObject({ code: "REPOSITORY_INVALID" });
  expect(existsSync(scene.hub)).toBe(false);
});
