import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Candidate, ConflictReport, Oid } from "@dispatch/core";
import { afterEach, describe, expect, test } from "vitest";
import { builtAlone, carOf, commitTree, type Files, landing, makeScene, member, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

async function opened(files: Files): Promise<Oid> {
  scene = makeScene(files);
  return scene.openHub();
}

/** A commit in the hub with these changes on top of another. */
function change(parent: Oid, files: Files): Oid {
  return commitTree(scene.hub, [parent], files, parent);
}

function built(...input: Parameters<typeof landing>): Promise<Candidate> {
  return builtAlone(scene, landing(...input));
}

async function refused(...input: Parameters<typeof landing>): Promise<ConflictReport> {
  const { candidate, refused } = await scene.repositories.buildCar("shop", landing(...input));
  const [only] = refused;
  if (candidate !== null || only === undefined) throw new Error("it was built");
  return only.report;
}

const inHub = (...args: string[]) => scene.git(scene.hub, ...args);
const blob = (revision: Oid, path: string) => inHub("rev-parse", `${revision}:${path}`);
const trailer = (commit: Oid, key: string) => inHub("show", "-s", `--format=%(trailers:key=${key},valueonly,separator=%x20)`, commit);

/** Lands on main, as another task would. */
async function landed(tip: Oid, base: Oid, specId: string): Promise<Oid> {
  const main = await scene.repositories.mainOf("shop");
  const { commit } = await builtAlone(scene, carOf(main, [member(tip, base, { specId, subject: `work of ${specId}` })], { car: specId }));
  expect(await scene.repositories.advanceMain("shop", commit, main)).toEqual({ outcome: "advanced" });
  return commit;
}

describe("a change that fits", () => {
  test("becomes a landing commit whose second parent merges the tip", async () => {
    const base = await opened({ "a.txt": "a\n", "b.txt": "b\n" });
    const tip = change(base, { "a.txt": "mine\n" });
    const onto = await landed(change(base, { "b.txt": "theirs\n" }), base, "S02-two");
    const { commit, merge, tree } = await built(tip, base, onto);
    expect(inHub("show", "-s", "--format=%P", commit)).toBe(`${onto} ${merge}`);
    expect(inHub("show", "-s", "--format=%P", merge)).toBe(`${onto} ${tip}`);
    expect([inHub("rev-parse", `${commit}^{tree}`), inHub("rev-parse", `${merge}^{tree}`)]).toEqual([tree, tree]);
    expect([blob(commit, "a.txt"), blob(commit, "b.txt")]).toEqual([blob(tip, "a.txt"), blob(onto, "b.txt")]);
    expect(inHub("rev-parse", "refs/gate/car/1")).toBe(commit);
    expect(await scene.repositories.mainOf("shop")).toBe(onto);
    expect(existsSync(join(scene.hub, "scratch")) ? readdirSync(join(scene.hub, "scratch")) : []).toEqual([]);
  });

  test("carries its trailers, the author of the tip, and the given date", async () => {
    const base = await opened({ "a.txt": "a\n" });
    const tip = change(base, { "a.txt": "mine\n" });
    const { commit, merge, tree } = await built(tip, base, base, { subject: "two\nlines\n\nTrain-Id: forged" });
    expect(["Spec-Id", "Spec-Attempt", "Spec-Base", "Spec-Tip", "Agent-Id"].map((key) => trailer(merge, key))).toEqual([
      "S01-one",
      "shop--S01-one--1",
      base,
      tip,
      "command",
    ]);
    expect(["Spec-Id", "Train-Id", "Gate-Run", "Gate-Tree", "Gate-Hash"].map((key) => trailer(commit, key))).toEqual([
      "S01-one",
      "1",
      "shop-1@0123",
      tree,
      "sha256:0123",
    ]);
    const people = "%an <%ae> %at|%cn <%ce> %ct";
    expect(inHub("show", "-s", `--format=${people}`, merge)).toBe("Ada Author <ada@example.org> 1790000000|Dispatch <dispatch@localhost> 1790000000");
    expect(inHub("show", "-s", `--format=${people}`, commit)).toBe(
      "Dispatch <dispatch@localhost> 1790000000|Dispatch <dispatch@localhost> 1790000000",
    );
    expect(inHub("show", "-s", "--format=%s", commit)).toBe("Land S01-one: two lines Train-Id: forged");
  });

  test("is the same commit when it is built again, by another process in another zone", async () => {
    const base = await opened({ "a.txt": "a\n" });
    const tip = change(base, { "a.txt": "mine\n", "new/b.txt": "b\n" });
    const first = await built(tip, base, base);
    inHub("update-ref", "-d", "refs/gate/car/1");
    const zone = process.env["TZ"];
    process.env["TZ"] = "Asia/Shanghai";
    try {
      expect(await built(tip, base, base)).toEqual(first);
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("may be empty, also when the tip is main itself", async () => {
    const base = await opened({ "a.txt": "a\n" });
    const { commit, tree } = await built(base, base, base);
    expect(tree).toBe(inHub("rev-parse", `${base}^{tree}`));
    expect(await scene.repositories.advanceMain("shop", commit, base)).toEqual({ outcome: "advanced" });
  });

  test("keeps strange names, modes, links, deletions and a file that became a folder", async () => {
    const base = await opened({ "a b.txt": "1\n", "run.sh": "#!/bin/sh\n", gone: "x\n", "old/deep/x": "x\n", lib: "was a file\n", "dir/x": "1\n" });
    const tip = change(base, {
      "a b.txt": "2\n",
      "日本語/ü.txt": "non-ASCII\n",
      'quo"te\\back': "quotes\n",
      "new\nline\ttab": "newline\n",
      ":(glob)**": "pathspec magic\n",
      "-rf": "dash\n",
      "run.sh": { script: "#!/bin/sh\n" },
      link: { link: "../outside" },
      gone: null,
      "old/deep/x": null,
      lib: null,
      "lib/x.ts": "now a folder\n",
      "dir/x": null,
      dir: "now a file\n",
    });
    const onto = await landed(change(base, { other: "o\n" }), base, "S02-two");
    const { commit } = await built(tip, base, onto);
    const raw = (from: Oid, to: Oid) => inHub("diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", from, to);
    expect(raw(onto, commit)).toBe(raw(base, tip));
    expect(inHub("diff-tree", "-r", "--name-only", tip, commit)).toBe("other");
  });
});

describe("a change that does not fit", () => {
  test("is reported with both sides and who changed main", async () => {
    const base = await opened({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n", "b.txt": "b\n" });
    const tip = change(base, { "a.txt": "1\n2\n3\n4\n5\n6\n7\nmine\n", "b.txt": "mine\n" });
    const first = await landed(change(base, { "a.txt": "theirs\n2\n3\n4\n5\n6\n7\n8\n" }), base, "S02-two");
    const second = await landed(change(first, { "a.txt": "again\n2\n3\n4\n5\n6\n7\n8\n" }), first, "S03-three");
    const report = await refused(tip, base, second);
    expect(report).toMatchObject({
      code: 409,
      kind: "stale_base",
      textMerge: "clean",
      spec: "S01-one",
      attempt: "shop--S01-one--1",
      base,
      main: second,
    });
    expect(report.paths).toEqual([
      {
        path: "a.txt",
        expected: blob(base, "a.txt"),
        actual: blob(second, "a.txt"),
        yours: blob(tip, "a.txt"),
        changedBy: [
          { spec: "S03-three", commit: inHub("rev-parse", `${second}^2`), subject: "Merge S03-three: work of S03-three" },
          { spec: "S02-two", commit: inHub("rev-parse", `${first}^2`), subject: "Merge S02-two: work of S02-two" },
        ],
      },
    ]);
    expect(await scene.repositories.mainOf("shop")).toBe(second);
  });

  test.each<[string, Files, Files]>([
    ["both change the same line", { "a.txt": "mine\n" }, { "a.txt": "theirs\n" }],
    ["both make the same change", { "a.txt": "same\n" }, { "a.txt": "same\n" }],
    ["both add a path", { "new.txt": "mine\n" }, { "new.txt": "theirs\n" }],
    ["main deletes what is changed", { "a.txt": "mine\n" }, { "a.txt": null }],
    ["main changes what is deleted", { "a.txt": null }, { "a.txt": "theirs\n" }],
    ["main changes the mode", { "a.txt": "mine\n" }, { "a.txt": { script: "a\n" } }],
    ["main makes a link of it", { "a.txt": "mine\n" }, { "a.txt": { link: "b.txt" } }],
    ["a name with a line break", { "odd\nnäme": "mine\n" }, { "odd\nnäme": "theirs\n" }],
  ])("%s", async (_, mine, theirs) => {
    const base = await opened({ "a.txt": "a\n" });
    const onto = await landed(change(base, theirs), base, "S02-two");
    const report = await refused(change(base, mine), base, onto);
    expect(report.kind).toBe("stale_base");
    expect(report.paths.map((path) => path.path)).toEqual(Object.keys(mine));
    expect(report.paths[0]?.changedBy.map((by) => by.spec)).toEqual(["S02-two"]);
    expect(existsSync(join(scene.hub, "refs/gate/car/1"))).toBe(false);
  });

  test("a commit from outside is named without a spec", async () => {
    const base = await opened({ "a.txt": "a\n" });
    const outside = change(base, { "a.txt": "theirs\n" });
    inHub("update-ref", "refs/heads/main", outside);
    const report = await refused(change(base, { "a.txt": "mine\n" }), base, outside);
    expect(report.textMerge).toBe("conflict");
    expect(report.paths[0]?.changedBy).toEqual([{ spec: null, commit: outside, subject: inHub("show", "-s", "--format=%s", outside) }]);
  });

  test.each<[string, Files, Files, string[]]>([
    ["a folder where main has a new file", { "lib/x.ts": "mine\n" }, { lib: "theirs\n" }, ["lib", "lib/x.ts"]],
    ["a file where main has a new folder", { lib: "mine\n" }, { "lib/deep/x.ts": "theirs\n" }, ["lib", "lib/deep/x.ts"]],
    ["a file in place of a folder that grew on main", { "src/a.ts": null, src: "mine\n" }, { "src/b.ts": "theirs\n" }, ["src", "src/b.ts"]],
  ])("%s is a clash of names", async (_, mine, theirs, paths) => {
    const base = await opened({ "a.txt": "a\n", "src/a.ts": "a\n" });
    const onto = await landed(change(base, theirs), base, "S02-two");
    const report = await refused(change(base, mine), base, onto);
    expect(report.kind).toBe("df_conflict");
    expect(report.paths.map((path) => path.path)).toEqual(paths);
    expect(report.paths.flatMap((path) => path.changedBy.map((by) => by.spec))).toEqual(["S02-two"]);
  });

  test("a branch without any history in common is refused with all its paths", async () => {
    const base = await opened({ "a.txt": "a\n" });
    const report = await refused(commitTree(scene.hub, [], { "a.txt": "mine\n" }), base, base);
    expect(report).toMatchObject({ kind: "stale_base", textMerge: "conflict", base });
    expect(report.paths).toMatchObject([{ path: "a.txt", expected: blob(base, "a.txt"), actual: blob(base, "a.txt") }]);
  });

  test("a branch with two merge bases is refused", async () => {
    const base = await opened({ "a.txt": "a\n" });
    const left = change(base, { "l.txt": "l\n" });
    const right = change(base, { "r.txt": "r\n" });
    const both: Files = { "l.txt": "l\n", "r.txt": "r\n" };
    const tip = commitTree(scene.hub, [left, right], { ...both, "t.txt": "t\n" }, base);
    const main = commitTree(scene.hub, [right, left], both, base);
    expect((await refused(tip, base, main)).paths.map((path) => path.path)).toEqual(["l.txt", "r.txt", "t.txt"]);
    expect((await scene.repositories.diffOf("shop", main, tip)).raw).toContain("t.txt");
  });
});

test("a commit that is not there is a failure, not a conflict", async () => {
  const base = await opened({ "a.txt": "a\n" });
  await expect(scene.repositories.buildCar("shop", landing("1".repeat(40), base, base))).rejects.toMatchObject({ code: "GIT_FAILED" });
});

describe("a car of several branches", () => {
  const second = { specId: "S02-two" };
  const third = { specId: "S03-three" };

  test("is one landing over a chain of merges, each with its own change alone", async () => {
    const base = await opened({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
    const main = await landed(change(base, { "c.txt": "theirs\n" }), base, "S09-nine");
    const tips = [change(base, { "a.txt": "one\n" }), change(main, { "b.txt": null, "d.txt": "two\n" })] as const;
    const car = await scene.repositories.buildCar("shop", carOf(main, [member(tips[0], base), member(tips[1], main, second)]));
    if (car.candidate === null) throw new Error("nothing fits");
    const { commit, merge } = car.candidate;
    expect(car).toMatchObject({ held: ["shop/S01-one", "shop/S02-two"], refused: [], deferred: [] });
    expect(inHub("show", "-s", "--format=%P", commit)).toBe(`${main} ${merge}`);
    const first = inHub("rev-parse", `${merge}^1`);
    expect(inHub("show", "-s", "--format=%P", merge)).toBe(`${first} ${tips[1]}`);
    expect(inHub("show", "-s", "--format=%P", first)).toBe(`${main} ${tips[0]}`);
    expect(inHub("diff-tree", "-r", "--name-status", first, merge)).toBe("D\tb.txt\nA\td.txt");
    expect(inHub("diff-tree", "-r", "--name-status", main, first)).toBe("M\ta.txt");
    expect(inHub("show", "-s", "--format=%s", commit)).toBe("Land 2 specs: S01-one, S02-two");
    expect(trailer(commit, "Spec-Id")).toBe("S01-one S02-two");
    await scene.repositories.advanceMain("shop", commit, main);
    expect(await scene.repositories.landedSpecs("shop")).toEqual(expect.arrayContaining(["S01-one", "S02-two", "S09-nine"]));
    expect(inHub("log", "--first-parent", "--format=%H", `${base}..main`)).toBe(`${commit}\n${main}`);
    const late = await refused(change(base, { "b.txt": "late\n" }), base, commit);
    expect(late.paths[0]?.changedBy).toEqual([{ spec: "S02-two", commit: merge, subject: "Merge S02-two: add one" }]);
  });

  test("goes on without those that main has overtaken, and puts off those that meet an earlier member", async () => {
    const base = await opened({ "a.txt": "a\n", "b.txt": "b\n" });
    const main = await landed(change(base, { "a.txt": "theirs\n" }), base, "S09-nine");
    const members = [
      member(change(base, { "a.txt": "mine\n" }), base),
      member(change(base, { "b.txt": "two\n" }), base, second),
      member(change(base, { "b.txt": "three\n", "c.txt": "c\n" }), base, third),
    ];
    const car = await scene.repositories.buildCar("shop", carOf(main, members));
    expect(car.held).toEqual(["shop/S02-two"]);
    expect(car.refused.map(({ task, report }) => [task, report.paths.map(({ path }) => path)])).toEqual([["shop/S01-one", ["a.txt"]]]);
    expect(car.deferred).toEqual([{ task: "shop/S03-three", paths: ["b.txt"] }]);
    expect(car.candidate).toEqual((await scene.repositories.buildCar("shop", carOf(main, members.slice(1, 2)))).candidate);
    expect((await scene.repositories.buildCar("shop", carOf(main, members.slice(0, 1)))).candidate).toBeNull();
  });

  test("merges shared files where git can, among its members and with main, and nowhere else", async () => {
    const lines = (...text: string[]) => ["one", "-", "-", "two", "-", "-", "three", ...text].map((line) => `${line}\n`).join("");
    const base = await opened({ "src/index.ts": lines(), "other.ts": lines() });
    const first = lines().replace("one", "ONE");
    const main = await landed(change(base, { "src/index.ts": lines().replace("two", "TWO") }), base, "S09-nine");
    const members = [
      member(change(base, { "src/index.ts": first }), base),
      member(change(base, { "src/index.ts": lines("four") }), base, second),
      member(change(base, { "src/index.ts": lines().replace("one", "uno") }), base, third),
    ];
    const car = await scene.repositories.buildCar("shop", carOf(main, members, { shared: ["src/index.ts"] }));
    expect(car.held).toEqual(["shop/S01-one", "shop/S02-two"]);
    expect(inHub("show", `${car.candidate?.commit}:src/index.ts`)).toBe(lines("four").replace("one", "ONE").replace("two", "TWO").trimEnd());
    // It meets main as well as a member: a new base is what it needs.
    expect(car.refused.map(({ task }) => task)).toEqual(["shop/S03-three"]);
    const strict = await scene.repositories.buildCar("shop", carOf(main, members, { shared: ["other.ts"] }));
    expect(strict.held).toEqual([]);
  });

  test("holds a change once that two made alike in a shared file", async () => {
    const base = await opened({ "index.ts": "a\n" });
    const members = [member(change(base, { "index.ts": "a\nb\n" }), base), member(change(base, { "index.ts": "a\nb\n", x: "x\n" }), base, second)];
    const car = await scene.repositories.buildCar("shop", carOf(base, members, { shared: ["**/index.ts"] }));
    expect(car.held).toEqual(["shop/S01-one", "shop/S02-two"]);
    expect(inHub("show", `${car.candidate?.commit}:index.ts`)).toBe("a\nb");
  });
});
