import fc from "fast-check";
import { expect, test } from "vitest";
import { findCollisions, type PathChange } from "../compare-deltas.ts";
import { pairBranches } from "./pair-branches.ts";

const change = (path: string, present = true): PathChange => ({
  path,
  oldMode: present ? "000000" : "100644",
  oldOid: "0".repeat(40),
  newMode: present ? "100644" : "000000",
  newOid: "1".repeat(40),
});
const meets = (...deltas: PathChange[][]) =>
  pairBranches(deltas).map(({ earlier, later, collisions }) => [earlier, later, ...collisions.map(({ path }) => path)]);

test("changes that share a path meet, each pair once, the later one second", () => {
  const shared = [change("a.ts"), change("b.ts")];
  expect(meets(shared, [change("c.ts")], [...shared, change("c.ts")])).toEqual([
    [0, 2, "a.ts", "b.ts"],
    [1, 2, "c.ts"],
  ]);
});

test.each([
  ["a file above a folder", [change("lib")], [change("lib/x.ts")]],
  ["a folder below a file", [change("lib/x.ts")], [change("lib")]],
])("%s meets", (_, earlier, later) => {
  expect(meets(earlier, later)).toEqual([[0, 1, "lib", "lib/x.ts"]]);
});

test("neighbours in a folder do not meet, nor does what is only removed above another's folder", () => {
  expect(meets([change("lib/a.ts")], [change("lib/b.ts")], [change("library.ts")], [change("lib", false)])).toEqual([]);
});

test("the pairs are those that comparing all with all finds", () => {
  const paths = fc.constantFrom("a", "a/b", "a/b/c", "a/d", "e", "e/f", "ab");
  const delta = fc.uniqueArray(fc.record({ path: paths, present: fc.boolean() }), { selector: ({ path }) => path, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 6 }), (drawn) => {
      const deltas = drawn.map((changes) => changes.map(({ path, present }) => change(path, present)));
      const all = deltas.flatMap((mine, later) =>
        deltas.slice(0, later).flatMap((theirs, earlier) => {
          const collisions = findCollisions(mine, theirs);
          return collisions.length === 0 ? [] : [{ earlier, later, collisions }];
        }),
      );
      expect(pairBranches(deltas)).toEqual(all);
    }),
  );
});
