import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aSpec } from "../../../../test/kit/build-facts.ts";
import { createLockIndex } from "./lock-index.ts";
import { firstMeeting, type LockSet, locksOf } from "./lock-set.ts";

const policy = {
  contracts: ["api.yaml", "shared/**"],
  shared: ["registry.ts", "lists/**"],
  generated: [{ paths: ["lock.json"], command: { run: "make lock", cwd: ".", timeoutSeconds: 60, env: {} } }],
};
const entry = fc.constantFrom(
  "src",
  "src/a",
  "src/a/",
  "src/a/x.ts",
  "src/a/y.ts",
  "src/b",
  "src/b/x.ts",
  "lib",
  "lib/x.ts",
  "docs",
  "src/*",
  "src/**",
  "src/*/x.ts",
  "src/a/*.ts",
  "src/a/[xz].ts",
  "**/x.ts",
  "**",
  "*",
  "l*/x.ts",
  "src/**/y.ts",
  "[!s]*",
);
const locks = fc
  .record({
    modifies: fc.array(entry, { maxLength: 2 }),
    creates: fc.array(entry, { maxLength: 1 }),
    reads: fc.array(entry, { maxLength: 2 }),
    contract: fc.integer({ min: 0, max: 15 }),
  })
  .map(({ contract, ...paths }) =>
    locksOf(aSpec("S01", { ...paths, deletes: contract === 0 ? ["shared/x"] : [], type: contract === 1 ? "contract" : "feature" }), policy),
  );
const step = fc.record({ task: fc.integer({ min: 0, max: 11 }), locks, since: fc.integer({ min: 0, max: 3 }), release: fc.boolean() });

type Holding = Map<string, { locks: LockSet; since: number }>;

/** Everyone in the way of a lock set, the first holder first. */
function scan(held: Holding, wanted: LockSet) {
  return [...held]
    .sort(([a, x], [b, y]) => x.since - y.since || (a < b ? -1 : 1))
    .flatMap(([holder, other]) => {
      const meeting = firstMeeting(wanted, other.locks);
      return meeting === undefined ? [] : [{ holder, ...meeting }];
    });
}

describe("the lock index", () => {
  it("finds whom a pairwise scan finds, in the order of holding, while locks come and go", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), locks, (steps, wanted) => {
        const index = createLockIndex();
        const held: Holding = new Map();
        for (const { task, locks: own, since, release } of steps) {
          const id = `t${task}`;
          if (release) {
            index.release(id);
            held.delete(id);
          } else {
            index.hold(id, own, since);
            held.set(id, { locks: own, since });
          }
          const expected = scan(held, wanted);
          expect(index.findConflicts(wanted)).toEqual(expected);
          expect(index.findConflict(wanted)).toEqual(expected[0]);
          const blocker = index.findBlocker(wanted);
          expect(blocker !== undefined).toBe(expected.length > 0);
          if (blocker !== undefined) expect(expected.map((one) => one.holder)).toContain(blocker.holder);
        }
        expect(index.holders).toBe(held.size);
      }),
      { numRuns: 800 },
    );
  });

  it("keeps a spot closed only while someone there blocks all who wait at it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), locks, (steps, wanted) => {
        const index = createLockIndex();
        const held: Holding = new Map();
        for (const { task, locks: own, since } of steps) {
          index.hold(`t${task}`, own, since);
          held.set(`t${task}`, { locks: own, since });
        }
        for (let blocker = index.findBlocker(wanted); blocker !== undefined; blocker = index.findBlocker(wanted)) {
          for (let holder: string | undefined = blocker.holder; holder !== undefined; holder = index.recheck(blocker.spot)) {
            const { locks: theirs } = held.get(holder) ?? { locks: undefined };
            if (theirs === undefined) throw new Error(`${holder} holds nothing`);
            expect(firstMeeting(wanted, theirs)).toBeDefined();
            index.release(holder);
            held.delete(holder);
          }
        }
        expect(scan(held, wanted)).toEqual([]);
      }),
      { numRuns: 800 },
    );
  });

  it("answers about a folder over thousands of holders without asking them all", () => {
    const index = createLockIndex();
    for (let i = 0; i < 20_000; i++) index.hold(`t${i}`, locksOf(aSpec(`S${i}`, { modifies: [`src/m${i % 500}/f${i}.ts`] }), undefined), i);
    const wanted = locksOf(aSpec("S01", { modifies: ["src"] }), undefined);
    const elsewhere = locksOf(aSpec("S02", { modifies: ["lib/x.ts"] }), undefined);
    const start = performance.now();
    for (let i = 0; i < 10_000; i++) {
      expect(index.findBlocker(wanted)?.holder).toBe("t0");
      if (index.findBlocker(elsewhere) !== undefined) throw new Error("nobody holds lib");
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("locks of a spec", () => {
  const between = (mine: Parameters<typeof aSpec>[1], theirs: Parameters<typeof aSpec>[1]) =>
    firstMeeting(locksOf(aSpec("S01", mine), policy), locksOf(aSpec("S02", theirs), policy));

  it("keep writers from writers and readers, and readers only from writers", () => {
    expect(between({ modifies: ["lib"] }, { modifies: ["lib/x.ts"] })).toEqual({ mine: "lib", theirs: "lib/x.ts", kind: "write-write" });
    expect(between({ modifies: ["a"] }, { modifies: ["b"], reads: ["a/x"] })).toEqual({ mine: "a", theirs: "a/x", kind: "write-read" });
    expect(between({ modifies: ["a"], reads: ["b"] }, { modifies: ["b"] })).toEqual({ mine: "b", theirs: "b", kind: "read-write" });
    expect(between({ modifies: ["a"], reads: ["c"] }, { modifies: ["b"], reads: ["c"] })).toBeUndefined();
  });

  it("leave out files that several may change at once, and nothing above them", () => {
    expect(between({ modifies: ["registry.ts", "lock.json"] }, { modifies: ["registry.ts", "lock.json"] })).toBeUndefined();
    expect(between({ modifies: ["lists/a/b.ts"] }, { reads: ["lists/a/b.ts"] })).toBeUndefined();
    expect(between({ modifies: ["lists/**"] }, { modifies: ["lists/**"] })).toBeUndefined();
    expect(between({ modifies: ["lists"] }, { modifies: ["lists/a"] })).toBeUndefined();
    expect(between({ modifies: ["src"] }, { modifies: ["src/registry.ts"] })?.kind).toBe("write-write");
    expect(between({ modifies: ["*.json"] }, { modifies: ["a", "lock.json"] })).toBeUndefined();
    expect(between({ modifies: ["*.json"] }, { modifies: ["a.json", "lock.json"] })).toEqual({
      mine: "*.json",
      theirs: "a.json",
      kind: "write-write",
    });
  });

  it("let who changes the contract run alone", () => {
    expect(between({ modifies: ["api.yaml"] }, { modifies: ["b"] })).toEqual({ mine: "api.yaml", theirs: "api.yaml", kind: "contract" });
    expect(between({ modifies: ["a"] }, { modifies: ["shared/x.md"] })).toEqual({ mine: "shared/**", theirs: "shared/**", kind: "contract" });
    expect(between({ modifies: ["a"], type: "contract" }, { modifies: ["b"] })?.kind).toBe("contract");
  });
});
