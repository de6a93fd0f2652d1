import type { Oid } from "@dispatch/core";
import type { Holding, LandedCommit } from "@dispatch/git";
import { describe, expect, test } from "vitest";
import { anOid } from "../../../../test/kit/build-facts.ts";
import { type HubFacts, judgeHub, type KeptCommit } from "./judge-hub.ts";

const attempt = "shop--S01-a--1";
const onMain: Holding = { present: true, onMain: true, refs: [] };
const inRef: Holding = { present: true, onMain: false, refs: [`refs/dispatch/result/${attempt}`] };
const unheld: Holding = { present: true, onMain: false, refs: [] };
const gone: Holding = { present: false, onMain: false, refs: [] };

const [start, landed, tip, merge] = [anOid(1), anOid(2), anOid(3), anOid(4)];
const tree = (commit: Oid): Oid => `aaaa${commit.slice(4)}`;
const commitOf = (commit: Oid, parents: Oid[], specs: string[] = []): LandedCommit => ({ commit, tree: tree(commit), parents, specs });
const work = (change: Partial<KeptCommit> = {}): KeptCommit => ({ attempt, what: "result", commit: tip, holding: onMain, ...change });

/** One task that landed, and nothing else. */
function facts(change: Partial<HubFacts> = {}): HubFacts {
  return {
    project: "shop",
    record: { start, green: new Map([[landed, tree(landed)]]), takenIn: [] },
    merged: [{ task: "shop/S01-a", specId: "S01-a", commit: landed, attempt }],
    works: [work()],
    mainBefore: landed,
    history: {
      main: landed,
      start,
      commits: [commitOf(landed, [start, merge], ["S00-z", "S01-a"]), commitOf(merge, [start, tip]), commitOf(tip, [start])],
    },
    kept: [],
    known: new Set([attempt]),
    pruned: [],
    broken: [],
    ...change,
  };
}

const violations = (change: Partial<HubFacts>) => judgeHub(facts(change)).violations.map(({ kind, about }) => `${kind} ${about}`.trim());
const history = facts().history;
const record = facts().record;

test("a hub in which everything is where the ledger says is whole", () => {
  expect(judgeHub(facts())).toEqual({ violations: [], notes: [], counts: { merged: 1, landings: 1, works: 1, refs: 0, pruned: 0 } });
});

describe("a merged task", () => {
  test("whose result is no ancestor of main is a violation, also when a ref holds it, or when nothing was collected", () => {
    expect(violations({ works: [work({ holding: inRef })] })).toEqual(["merged-not-on-main shop/S01-a"]);
    expect(violations({ works: [] })).toEqual(["merged-not-on-main shop/S01-a"]);
  });

  test("whose landing commit is beside the line of main is one, although main holds it", () => {
    expect(violations({ merged: [{ task: "shop/S01-a", specId: "S01-a", commit: merge, attempt }] })).toEqual(["landing-not-on-main shop/S01-a"]);
  });

  test("has to be named by its landing commit, beside any others", () => {
    expect(violations({ merged: [{ task: "shop/S02-b", specId: "S02-b", commit: landed, attempt }] })).toEqual(["landing-unnamed shop/S02-b"]);
  });
});

describe("main", () => {
  test("holds no commit that no run was green on, nor one whose run was on another tree", () => {
    expect(violations({ record: { ...record, green: new Map() } })).toEqual([`main-untested ${landed}`]);
    expect(violations({ record: { ...record, green: new Map([[landed, tree(tip)]]) } })).toEqual([`tree-differs ${landed}`]);
  });

  test("may have gone on since the ledger was read", () => {
    const newer = anOid(9);
    const commits = [commitOf(newer, [landed, anOid(8)]), ...history.commits];
    expect(violations({ history: { ...history, main: newer, commits } })).toEqual([]);
    expect(violations({ history: { ...history, main: newer, commits }, mainBefore: newer })).toEqual([`main-untested ${newer}`]);
  });

  test("holds what was taken in from origin: by a merge, by a fast-forward, and when origin merged main into a line of its own", () => {
    const [taken, theirs, older] = [anOid(20), anOid(21), anOid(22)];
    const taking = (commits: LandedCommit[]): Partial<HubFacts> => ({
      record: { ...record, takenIn: [{ from: landed, to: taken }] },
      history: { main: taken, start, commits: [...commits, ...history.commits] },
      mainBefore: taken,
    });
    expect(violations(taking([commitOf(taken, [landed, theirs]), commitOf(theirs, [start])]))).toEqual([]);
    expect(violations(taking([commitOf(taken, [theirs]), commitOf(theirs, [older]), commitOf(older, [landed])]))).toEqual([]);
    expect(violations(taking([commitOf(taken, [theirs, landed]), commitOf(theirs, [start])]))).toEqual([]);
    expect(violations({ ...taking([commitOf(taken, [theirs]), commitOf(theirs, [landed])]), record })).toEqual([
      `main-untested ${taken}`,
      `main-untested ${theirs}`,
    ]);
  });

  test("has to lead back to where the hub began, and to be there", () => {
    const other = anOid(30);
    expect(violations({ history: { main: other, start, commits: [commitOf(other, [])] }, merged: [], works: [] })).toEqual([
      `main-rewritten ${other}`,
      `main-untested ${other}`,
    ]);
    expect(violations({ history: { main: null, start, commits: [] }, merged: [], works: [] })).toEqual(["main-missing"]);
  });

  test("is not judged where it is older than the ledger, which is told", () => {
    const hubStart = anOid(40);
    const commits = [...history.commits, commitOf(start, [hubStart])];
    const verdict = judgeHub(facts({ history: { main: landed, start: hubStart, commits } }));
    expect(verdict).toMatchObject({ violations: [], notes: [{ kind: "before-ledger", about: start }], counts: { landings: 1 } });
    expect(judgeHub(facts({ record: { start: null, green: new Map(), takenIn: [] }, merged: [] }))).toMatchObject({
      violations: [],
      notes: [{ kind: "before-ledger", about: landed }],
    });
  });
});

describe("what attempts left", () => {
  const salvage = (holding: Holding): KeptCommit => work({ what: "salvage", commit: anOid(50), holding });

  test("is lost when no ref holds it, whether it is still there or not", () => {
    expect(violations({ works: [work(), salvage(inRef)] })).toEqual([]);
    const lost = judgeHub(facts({ works: [work(), salvage(unheld)] })).violations;
    expect(lost).toMatchObject([{ kind: "work-lost", about: attempt }]);
    expect(lost[0]?.text).toContain(`git update-ref refs/dispatch/salvage/${attempt} ${anOid(50)}`);
    expect(violations({ works: [work(), salvage(gone)] })).toEqual([`work-lost ${attempt}`]);
  });

  test("is not lost when retention let go of exactly that", () => {
    const pruned = [{ ref: `refs/dispatch/salvage/${attempt}`, commit: anOid(50), because: "merged", at: 1 }];
    const verdict = judgeHub(facts({ works: [work(), salvage(gone)], pruned }));
    expect(verdict).toMatchObject({ violations: [], counts: { pruned: 1 } });
    expect(violations({ works: [work(), work({ what: "salvage", commit: anOid(51), holding: gone })], pruned })).toEqual([`work-lost ${attempt}`]);
    const other = [{ ...(pruned[0] as (typeof pruned)[0]), ref: "refs/dispatch/salvage/shop--S01-a--10" }];
    expect(violations({ works: [work(), salvage(gone)], pruned: other })).toEqual([`work-lost ${attempt}`]);
  });

  test("of an attempt that the ledger does not know is told, and no violation", () => {
    const kept = [{ ref: "refs/dispatch/result/shop--S09-x--1", commit: anOid(60), attempt: "shop--S09-x--1", kind: "result" as const }];
    expect(judgeHub(facts({ kept }))).toMatchObject({ violations: [], notes: [{ kind: "unknown-attempt", about: "shop--S09-x--1" }] });
  });
});

test("what git says is broken is passed on, line by line", () => {
  expect(violations({ broken: ["missing blob 1", "broken link"] })).toEqual(["objects-broken", "objects-broken"]);
});
