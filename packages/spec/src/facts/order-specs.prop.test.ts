import { coversPath, isGlob, patternsOverlap } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexFiles } from "./index-files.ts";
import { orderSpecs } from "./order-specs.ts";
import { createPathTree } from "./path-tree.ts";

const size = 9;
const graph = fc
  .array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 16 })
  .map(
    (pairs) =>
      new Map(
        Array.from({ length: size }, (_, i) => [`${i}`, [...new Set(pairs.filter(([from, to]) => from === i && to !== i).map(([, to]) => `${to}`))]]),
      ),
  );

function reachable(edges: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const seen = new Set<string>();
  const open = [from];
  for (let key = open.pop(); key !== undefined; key = open.pop())
    for (const next of edges.get(key) ?? [])
      if (!seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
  return seen;
}

test("the order says what a walk along the edges says, for all that is in no cycle", () => {
  fc.assert(
    fc.property(graph, (edges) => {
      const order = orderSpecs(edges);
      for (const second of edges.keys()) {
        const above = reachable(edges, second);
        const knotted = [second, ...above].some((key) => reachable(edges, key).has(key));
        expect(order.rankOf(second) === undefined).toBe(knotted);
        if (!knotted) for (const first of edges.keys()) expect(order.isBefore(first, second)).toBe(above.has(first));
      }
    }),
    { numRuns: 1000 },
  );
});

test("20,000 in a row are ordered", () => {
  const edges = new Map(Array.from({ length: 20_000 }, (_, i) => [`${i}`, i === 0 ? [] : [`${i - 1}`]]));
  const order = orderSpecs(edges);
  expect([order.isBefore("0", "19999"), order.isBefore("19999", "0")]).toEqual([true, false]);
});

const segment = fc.constantFrom("a", "b", "ab", "*", "a*", "**", "?b");
const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const path = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

describe("patterns are found by their folders", () => {
  test("the tree finds exactly what comparing with all of them finds", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 12 }), pattern, (all, asked) => {
        const tree = createPathTree();
        for (const each of all) tree.add(each);
        expect(tree.overlapping(asked).sort()).toEqual(all.filter((each) => patternsOverlap(each, asked)).sort());
      }),
      { numRuns: 2000 },
    );
  });

  test("the index counts what asking every file counts", () => {
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), pattern, (files, asked) => {
        const index = indexFiles({ id: "x", hasVerify: true, files, protectedPaths: [], tasks: [] });
        const covered = files.filter((file) => coversPath(asked, file)).length;
        const isFile = !isGlob(asked) && files.includes(asked);
        expect(index?.count(asked)).toBe(isFile ? 1 : covered);
        if (isGlob(asked)) expect(index?.holds(asked)).toBe(covered > 0);
      }),
      { numRuns: 1000 },
    );
  });
});
