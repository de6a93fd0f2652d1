import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createRepositories } from "./create-repositories.ts";
import { environment, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

test("many files come with their texts, whatever their names and bytes, and equal ones too", async () => {
  const files = {
    "a.txt": "a\n",
    "same.txt": "a\n",
    empty: "",
    "no-end": "x",
    "deep/er/new\nline": "100644 blob\0\n\n",
    "ü n.txt": "日本\n",
    "-x": "dash\n",
  };
  scene = makeScene(files);
  const base = await scene.openHub();
  const read = await scene.repositories.readFiles("shop", base, Object.keys(files));
  expect(Object.fromEntries(read)).toEqual(files);
  for (const [path, text] of read) expect(await scene.repositories.readFile("shop", base, path)).toBe(text);
});

test("what is absent, a folder, a link, and what lies behind a link is left out", async () => {
  scene = makeScene({ "dir/x": "x\n", link: { link: "dir/x" }, linked: { link: "dir" }, "run.sh": { script: "#!\n" } });
  const base = await scene.openHub();
  const asked = ["none", "dir", "dir/", "link", "linked/x", "../x", "/dir/x", "d*/x", "", ".", "run.sh", "dir/x", "dir/x"];
  expect([...(await scene.repositories.readFiles("shop", base, asked))].sort()).toEqual([
    ["dir/x", "x\n"],
    ["run.sh", "#!\n"],
  ]);
  expect(await scene.repositories.readFiles("shop", base, [])).toEqual(new Map());
});

test("hundreds of files take one process, not hundreds", async () => {
  const files = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`f/${i}.txt`, `${i}\n`.repeat(i)]));
  scene = makeScene(files);
  const base = await scene.openHub();
  const bin = join(scene.root, "bin");
  const count = join(scene.root, "count");
  mkdirSync(bin);
  const env = environment();
  const git = scene.git(scene.root, "--exec-path");
  writeFileSync(join(bin, "git"), `#!/bin/sh\necho one >> "${count}"\nexec "${git}/git" "$@"\n`);
  chmodSync(join(bin, "git"), 0o755);
  const counted = createRepositories({ hubDir: join(scene.root, "hubs"), env: { ...env, PATH: `${bin}:${env["PATH"]}` } });
  expect((await counted.readFiles("shop", base, Object.keys(files))).size).toBe(400);
  expect(readFileSync(count, "utf8").split("\n").filter(Boolean)).toHaveLength(1);
});

test("a revision that is not there is a failure", async () => {
  scene = makeScene({ "a.txt": "a\n" });
  await scene.openHub();
  await expect(scene.repositories.readFiles("shop", "1".repeat(40), ["a.txt"])).rejects.toMatchObject({ code: "GIT_FAILED" });
});
