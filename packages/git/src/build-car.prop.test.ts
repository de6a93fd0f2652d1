import type { Oid } from "@dispatch/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtAlone, commitTrees, type Entry, type Files, landing, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = makeScene();
  await scene.openHub();
});
afterAll(() => scene.remove());

const paths = ["a", "a/x", "a/y", "b", "b/c", "b/c/d", "é é", 'q"', "n\nl", "z"];
const content: fc.Arbitrary<Entry> = fc.oneof(
  fc.constantFrom("1\n", "2\n", "3\n"),
  fc.constantFrom("1\n", "2\n").map((script) => ({ script })),
  fc.constantFrom("a", "z").map((link) => ({ link })),
);

/** A sound tree: no path is a file and a folder at once. */
const tree: fc.Arbitrary<Map<string, Entry>> = fc.array(fc.tuple(fc.constantFrom(...paths), content), { minLength: 1, maxLength: 6 }).map(sound);

/** Another sound tree, some steps away: each sets one path, in place of whatever its name clashes with, or removes it. */
const steps = fc.array(fc.tuple(fc.constantFrom(...paths), fc.option(content, { freq: 4 })), { minLength: 1, maxLength: 2 });

function stepped(from: Map<string, Entry>, taken: readonly (readonly [string, Entry])[]): Map<string, Entry> {
  const to = new Map(from);
  for (const [path, entry] of taken) {
    to.delete(path);
    if (entry === null) continue;
    for (const other of to.keys()) if (clash(other, path)) to.delete(other);
    to.set(path, entry);
  }
  return to;
}

function sound(entries: readonly (readonly [string, Entry])[]): Map<string, Entry> {
  const kept = new Map<string, Entry>();
  for (const [path, entry] of entries) {
    if (![...kept.keys()].some((other) => clash(other, path))) kept.set(path, entry);
  }
  return kept;
}

function clash(left: string, right: string): boolean {
  return left !== right && (left.startsWith(`${right}/`) || right.startsWith(`${left}/`));
}

/** Paths on which two trees differ. */
function changed(from: Map<string, Entry>, to: Map<string, Entry>): Set<string> {
  return new Set([...from.keys(), ...to.keys()].filter((path) => JSON.stringify(from.get(path)) !== JSON.stringify(to.get(path))));
}

const entriesOf = (files: Map<string, Entry>): Files => Object.fromEntries(files);
const treeOf = (commitOid: Oid) => scene.git(scene.hub, "rev-parse", `${commitOid}^{tree}`);
const raw = (from: Oid, to: Oid) => scene.git(scene.hub, "diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", from, to);

test("a candidate is built exactly when no path changed on both sides, and then it is main with the change alone", async () => {
  let builtRuns = 0;
  let refusedRuns = 0;
  await fc.assert(
    fc.asyncProperty(tree, steps, steps, async (before, mySteps, theirSteps) => {
      const mine = stepped(before, mySteps);
      const theirs = stepped(before, theirSteps);
      const mineChanged = changed(before, mine);
      const theirsChanged = changed(before, theirs);
      const expected = new Map(theirs);
      for (const path of mineChanged) {
        const entry = mine.get(path);
        if (entry === undefined) expected.delete(path);
        else expected.set(path, entry);
      }
      const names = [...expected.keys()];
      const nameClash = names.some((left) => names.some((right) => clash(left, right)));
      // Also where mine takes away what theirs wrote, to put a folder there.
      const mixed = [...mineChanged].some((left) => mine.has(left) && [...theirsChanged].some((right) => theirs.has(right) && clash(left, right)));
      const fits = !nameClash && ![...mineChanged].some((path) => theirsChanged.has(path));

      const [base = "", tip = "", onto = "", whole] = commitTrees(scene.hub, [
        { parents: [], files: entriesOf(before) },
        { parents: [0], files: entriesOf(mine) },
        { parents: [0], files: entriesOf(theirs) },
        ...(fits ? [{ parents: [], files: entriesOf(expected) }] : []),
      ]);
      const { candidate, refused } = await scene.repositories.buildCar("shop", landing(tip, base, onto));
      const report = refused[0]?.report;
      expect(candidate === null ? "refused" : "built").toBe(fits ? "built" : "refused");
      if (candidate === null || report !== undefined) {
        refusedRuns += 1;
        expect(report?.kind).toBe(mixed ? "df_conflict" : "stale_base");
        for (const path of mineChanged) if (theirsChanged.has(path)) expect(report?.paths.map((reported) => reported.path)).toContain(path);
        return;
      }
      builtRuns += 1;
      expect(candidate.tree).toBe(treeOf(whole ?? ""));
      expect(raw(onto, candidate.commit)).toBe(raw(base, tip));
    }),
    { numRuns: 20 },
  );
  expect(Math.min(builtRuns, refusedRuns)).toBeGreaterThan(0);
});

test("two attempts that share no path give the same tree in either order", async () => {
  const half = (names: readonly string[]) => fc.array(fc.tuple(fc.constantFrom(...names), fc.option(content)), { maxLength: 4 }).map(soundChange);
  const start = new Map<string, Entry>([
    ["l/a", "1\n"],
    ["l/b", "1\n"],
    ["r/a", "1\n"],
    ["r/b", { script: "1\n" }],
  ]);
  await fc.assert(
    fc.asyncProperty(half(["l/a", "l/b", "l/c", "l/é"]), half(["r/a", "r/b", "r/n\nl", "r"]), async (left, right) => {
      const [base = "", one = "", other = ""] = commitTrees(scene.hub, [
        { parents: [], files: entriesOf(start) },
        { parents: [0], files: left, onto: 0 },
        { parents: [0], files: right, onto: 0 },
      ]);
      const inOrder = async (first: Oid, second: Oid) => {
        const one = await builtAlone(scene, landing(first, base, base));
        const two = await builtAlone(scene, landing(second, base, one.commit));
        return two.tree;
      };
      expect(await inOrder(one, other)).toBe(await inOrder(other, one));
    }),
    { numRuns: 6 },
  );
});

/** `r` takes the place of everything in the folder r. */
function soundChange(entries: readonly (readonly [string, Entry])[]): Files {
  const change = Object.fromEntries(entries);
  if (change["r"] === null || change["r"] === undefined) {
    delete change["r"];
    return change;
  }
  return { r: change["r"], "r/a": null, "r/b": null };
}
