import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkpointRef, type Oid } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openGit } from "../open-git.ts";
import { commitTree, environment, type Files, makeScene, type Scene } from "../testing/git-scene.ts";
import { forecastConflicts } from "./forecast-conflicts.ts";

let scene: Scene;
let base: Oid;
beforeEach(async () => {
  scene = makeScene({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "b.txt": "b\n", "ö c.txt": "c\n" });
  base = await scene.openHub();
});
afterEach(() => scene.remove());

const branch = (files: Files) => commitTree(scene.hub, [base], files, base);
const forecast = (...files: Files[]) =>
  scene.repositories.forecast(
    "shop",
    files.map((change, i) => ({ attempt: `s${i}`, commit: branch(change) })),
  );
const objects = () => scene.git(scene.hub, "count-objects", "-v");

test("branches that change different files have nothing before them", async () => {
  expect(await forecast({ "a.txt": "mine\n" }, { "b.txt": "mine\n" }, { "d/e.txt": "new\n" })).toEqual({ main: base, conflicts: [], uncompared: 0 });
});

test("the later one of two that change a path is named, and whether the texts would merge is told", async () => {
  const { conflicts } = await forecast(
    { "a.txt": "one\n2\n3\n4\n5\n6\n7\n8\n9\n", "ö c.txt": "one\n" },
    { "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\nnine\n" },
    { "ö c.txt": "three\n", "b.txt": "b2\n" },
    { "b.txt/x": "x\n", "b.txt": null },
  );
  expect(conflicts).toEqual([
    { attempt: "s1", with: { kind: "attempt", attempt: "s0" }, paths: ["a.txt"], kind: "same_path" },
    { attempt: "s2", with: { kind: "attempt", attempt: "s0" }, paths: ["ö c.txt"], kind: "text" },
    { attempt: "s3", with: { kind: "attempt", attempt: "s2" }, paths: ["b.txt", "b.txt/x"], kind: "file_or_folder" },
  ]);
});

test("files that are made again are no conflict, nor are shared ones as long as their texts merge", async () => {
  const policy = { shared: ["a.txt", "ö c.txt"], generated: ["b.txt"] };
  const branches = [
    { "a.txt": "one\n2\n3\n4\n5\n6\n7\n8\n9\n", "b.txt": "one\n" },
    { "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\nnine\n", "b.txt": "two\n", "ö c.txt": "two\n" },
    { "b.txt": "three\n", "ö c.txt": "three\n" },
  ].map((files, i) => ({ attempt: `s${i}`, commit: branch(files) }));
  const { conflicts } = await scene.repositories.forecast("shop", branches, policy);
  expect(conflicts).toEqual([{ attempt: "s2", with: { kind: "attempt", attempt: "s1" }, paths: ["ö c.txt"], kind: "text" }]);
});

test("a branch meets what main changed since it left", async () => {
  const commit = branch({ "b.txt": "mine\n" });
  const main = commitTree(scene.hub, [base], { "b.txt": "theirs\n" }, base);
  await scene.repositories.advanceMain("shop", main, base);
  const ahead = commitTree(scene.hub, [main], { "b.txt": "after\n" }, main);
  const found = await scene.repositories.forecast("shop", [
    { attempt: "s0", commit },
    { attempt: "s1", commit: ahead },
  ]);
  expect(found.main).toBe(main);
  expect(found.conflicts).toEqual([
    { attempt: "s0", with: { kind: "main" }, paths: ["b.txt"], kind: "text" },
    { attempt: "s1", with: { kind: "attempt", attempt: "s0" }, paths: ["b.txt"], kind: "text" },
  ]);
});

test("a branch without a history in common is left out, and the others are compared all the same", async () => {
  const stranger = commitTree(scene.hub, [], { "b.txt": "x\n" });
  const [one, two] = [branch({ "b.txt": "one\n" }), branch({ "b.txt": "two\n" })];
  const { conflicts } = await scene.repositories.forecast(
    "shop",
    [stranger, one, two].map((commit, i) => ({ attempt: `s${i}`, commit })),
  );
  expect(conflicts.map(({ attempt }) => attempt)).toEqual(["s2"]);
});

test("nothing is left in the hub, and pairs beyond the limit are counted", async () => {
  const branches = [0, 1, 2, 3].map((i) => ({ attempt: `s${i}`, commit: branch({ "b.txt": `${i}\n`, "a.txt": `${i}\n2\n3\n4\n5\n6\n7\n8\n9\n` }) }));
  const before = objects();
  const git = openGit(scene.hub, { env: environment(), remoteQuietMs: 10_000 });
  expect(await forecastConflicts(git, branches, { memory: new Map(), limit: 4 })).toMatchObject({ conflicts: { length: 4 }, uncompared: 2 });
  expect(objects()).toBe(before);
  expect(readdirSync(join(scene.hub, "scratch"))).toEqual([]);
});

test("what was read once is read again only where main or the branch has moved", async () => {
  const git = openGit(scene.hub, { env: environment(), remoteQuietMs: 10_000 });
  const ran: string[] = [];
  const counting: typeof git = {
    ...git,
    run(plumbing) {
      ran.push(plumbing.args[0] ?? "");
      return git.run(plumbing);
    },
  };
  const memory = new Map();
  const branches = ["a.txt", "b.txt"].map((path) => ({ attempt: path, commit: branch({ [path]: "mine\n" }) }));
  const first = await forecastConflicts(counting, branches, { memory });
  ran.length = 0;
  expect(await forecastConflicts(counting, branches, { memory })).toEqual(first);
  expect(ran).toEqual([]);
  const main = commitTree(scene.hub, [base], { "b.txt": "theirs\n" }, base);
  await scene.repositories.advanceMain("shop", main, base);
  expect((await forecastConflicts(git, branches, { memory })).conflicts).toMatchObject([{ attempt: "b.txt", with: { kind: "main" } }]);
  await forecastConflicts(git, branches.slice(1), { memory });
  expect([...memory.keys()]).toEqual([branches[1]?.commit]);
});

test("checkpoints come from the node, follow its newest round, and go with their attempts", async () => {
  scene.git(scene.node, "fetch", "--quiet", scene.hub, "refs/heads/main");
  const checkpoint = (text: string): Oid => {
    const commit = commitTree(scene.node, [base], { "b.txt": text }, base);
    scene.git(scene.node, "update-ref", checkpointRef("s0"), commit);
    return commit;
  };
  checkpoint("round 1\n");
  await scene.repositories.fetchCheckpoint("shop", "s0", scene.node);
  const second = checkpoint("round 2\n");
  await scene.repositories.fetchCheckpoint("shop", "s0", scene.node);
  expect(await scene.repositories.keepCheckpoints("shop", new Set(["s0", "s9"]))).toEqual([{ attempt: "s0", commit: second }]);
  expect(await scene.repositories.keepCheckpoints("shop", new Set())).toEqual([]);
  expect(scene.git(scene.hub, "for-each-ref", "refs/dispatch/checkpoint")).toBe("");
  await expect(scene.repositories.fetchCheckpoint("shop", "s7", scene.node)).rejects.toMatchObject({ code: expect.any(String) });
});
