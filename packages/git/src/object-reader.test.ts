import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Oid } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createObjectReader, createSplitter, type ObjectReader } from "./object-reader.ts";
import { openGit } from "./open-git.ts";
import { parseCommit, readCommit } from "./read-commit.ts";
import { commitTree, environment, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
let reader: ObjectReader;
let commit: Oid;

beforeEach(() => {
  scene = makeScene();
  commit = commitTree(scene.node, [], { "a.txt": "a\n", "empty.txt": "", "big.txt": "0123456789".repeat(300_000) });
  reader = createObjectReader(scene.node, environment());
});
afterEach(() => scene.remove());

const textAt = async (name: string): Promise<string | undefined> => (await reader.read(name))?.content.toString("utf8");

test("many questions at once are answered, each with what it asked for", async () => {
  const names = [`${commit}:a.txt`, `${commit}:none`, `${commit}:big.txt`, `${commit}:empty.txt`, "", "HEAD", `${commit}:a.txt`];
  expect((await Promise.all(names.map(textAt))).map((text) => text?.length)).toEqual([2, undefined, 3_000_000, 0, undefined, undefined, 2]);
  expect(await reader.look(`${commit}^{tree}`)).toMatchObject({ type: "tree" });
  expect(await reader.look(`${commit}:a.txt\n${commit}`)).toBeUndefined();
});

test("refs are read anew, and objects that came later are found", async () => {
  expect(await reader.look("refs/heads/main")).toBeUndefined();
  scene.git(scene.node, "update-ref", "refs/heads/main", commit);
  expect((await reader.look("refs/heads/main^{commit}"))?.oid).toBe(commit);
  const next = commitTree(scene.node, [commit], { "a.txt": "b\n" }, commit);
  scene.git(scene.node, "update-ref", "refs/heads/main", next);
  scene.git(scene.node, "repack", "-adq");
  scene.git(scene.node, "pack-refs", "--all");
  expect((await reader.look("refs/heads/main^{commit}"))?.oid).toBe(next);
  expect(await textAt("refs/heads/main:a.txt")).toBe("b\n");
});

test("one process answers all; when it is killed another one answers what waited", async () => {
  const bin = join(scene.root, "bin");
  const pids = join(scene.root, "pids");
  mkdirSync(bin);
  writeFileSync(join(bin, "git"), `#!/bin/sh\necho $$ >> "${pids}"\nexec "${scene.git(scene.root, "--exec-path")}/git" "$@"\n`);
  chmodSync(join(bin, "git"), 0o755);
  const started = (): number[] => readFileSync(pids, "utf8").trim().split("\n").map(Number);
  const env = environment();
  reader = createObjectReader(scene.node, { ...env, PATH: `${bin}:${env["PATH"]}` });
  for (const name of ["a.txt", "empty.txt"]) expect(await textAt(`${commit}:${name}`)).toBeDefined();
  expect(started()).toHaveLength(1);
  const asked = [`${commit}:a.txt`, `${commit}:big.txt`].map(textAt);
  process.kill(started()[0] ?? 0, "SIGKILL");
  expect((await Promise.all(asked)).map((text) => text?.length)).toEqual([2, 3_000_000]);
  expect(started()).toHaveLength(2);
});

test("a repository that is not there, and a git that is not there, are told", async () => {
  rmSync(scene.node, { recursive: true });
  await expect(reader.look("HEAD")).rejects.toMatchObject({ code: "GIT_FAILED" });
  await expect(createObjectReader(scene.node, { PATH: "/nowhere" }).look("HEAD")).rejects.toMatchObject({ code: "TOOL_MISSING" });
});

test("answers are cut alike however they arrive", () => {
  const oid = "a".repeat(40);
  const printed = Buffer.from(`${oid} blob 3\nx\ny\n${oid} commit 12\nnone of it missing\n${oid} blob 0\n\n`);
  const asked = [{ whole: true }, { whole: false }, { whole: true }, { whole: true }];
  for (let size = 1; size <= printed.length; size++) {
    const waiting = [...asked];
    const splitter = createSplitter(() => waiting[0]);
    const answers: (string | undefined)[] = [];
    for (let at = 0; at < printed.length; at += size) {
      for (const found of splitter.take(printed.subarray(at, at + size))) {
        waiting.shift();
        if (found instanceof Error) throw found;
        answers.push(found === undefined ? undefined : `${found.type} ${found.content.toString("utf8")}`);
      }
    }
    expect(answers).toEqual(["blob x\ny", "commit ", undefined, "blob "]);
  }
});

test("what is too large fails alone, and what comes behind it is answered", () => {
  const oid = "b".repeat(40);
  const printed = Buffer.from(`${oid} blob 6\n123456\n${oid} blob 5\n12345\n`);
  for (const size of [1, 7, printed.length]) {
    const splitter = createSplitter(() => ({ whole: true }), 5);
    const answers: unknown[] = [];
    for (let at = 0; at < printed.length; at += size) answers.push(...splitter.take(printed.subarray(at, at + size)));
    expect(answers).toMatchObject([{ code: "GIT_FAILED", message: expect.stringContaining("6 bytes") }, { content: Buffer.from("12345") }]);
  }
});

test("a commit tells its parents, its author in any encoding, and when it was made", async () => {
  const tree = scene.git(scene.node, "rev-parse", `${commit}^{tree}`);
  const raw = `tree ${tree}\nparent ${commit}\nauthor José <j@x> 1700000000 +0100\ncommitter Ada <a@x> 1700000001 -0230\nencoding ISO-8859-1\n\nauthor Eve <e@x> 1 +0000\n`;
  expect(parseCommit(Buffer.from(raw, "latin1"))).toEqual({ tree, parents: [commit], author: { name: "José", email: "j@x" }, at: 1_700_000_001_000 });
  const git = openGit(scene.node, { env: environment(), remoteQuietMs: 1000 });
  expect(await readCommit(git, commit)).toMatchObject({ parents: [], author: { name: "Ada Author", email: "ada@example.org" } });
  await expect(readCommit(git, "1".repeat(40))).rejects.toMatchObject({ code: "GIT_FAILED" });
});
