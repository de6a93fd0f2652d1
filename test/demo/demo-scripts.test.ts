import { readFileSync } from "node:fs";
import { join } from "node:path";
import { patternsOverlap } from "@dispatch/core";
import { parseSpec } from "@dispatch/spec";
import { afterAll, afterEach, expect, test } from "vitest";
import { ancestorsOf, type DemoSpec, readDemoSpecs, scriptFolder } from "./read-specs.ts";
import { createRehearsalTree, type RehearsalTree } from "./rehearsal-tree.ts";

const specs = readDemoSpecs();
const parked = "S09-schedule-timezones";
const mergeable = specs.filter((spec) => spec.id !== parked);
const opened: RehearsalTree[] = [];

afterEach(async () => {
  for (const tree of opened.splice(0)) await tree.remove();
});

afterAll(async () => {
  for (const landing of landings.values()) await (await landing).tree.remove();
});

function specOf(id: string): DemoSpec {
  const spec = specs.find((candidate) => candidate.id === id || candidate.id.startsWith(`${id}-`));
  if (spec === undefined) throw new Error(`no spec ${id}`);
  return spec;
}

function roundsOf(spec: DemoSpec): number {
  return JSON.parse(readFileSync(join(scriptFolder, `${spec.id}.json`), "utf8")).rounds.length;
}

/** A tree on which specs have landed one after the other, and what the last of them did before it was committed. */
interface Landing {
  tree: RehearsalTree;
  changed: string[];
  added: string[];
}

/** By the ids of the specs, in the order in which they landed. */
const landings = new Map<string, Promise<Landing>>();

function land(ids: readonly string[]): Promise<Landing> {
  const key = ids.join(" ");
  const known = landings.get(key) ?? landLast(ids);
  landings.set(key, known);
  return known;
}

async function landLast(ids: readonly string[]): Promise<Landing> {
  const last = ids.at(-1);
  if (last === undefined) return { tree: await createRehearsalTree(), changed: [], added: [] };
  const spec = specOf(last);
  const tree = await (await land(ids.slice(0, -1))).tree.copy();
  for (let round = 1; round <= roundsOf(spec); round++) {
    const { status, output } = await tree.playRound(spec, round);
    if (status !== 0) throw new Error(`${spec.id}, round ${round}: ${output}`);
  }
  const changed = await tree.changedPaths();
  const added = await tree.addedLines();
  await tree.commitAll(last);
  return { tree, changed, added };
}

/** A tree of one's own on which these specs have landed. */
async function aTreeWith(ids: readonly string[]): Promise<RehearsalTree> {
  const tree = await (await land(ids)).tree.copy();
  opened.push(tree);
  return tree;
}

interface Counted {
  status: number;
  tests: number;
  failed: number;
}

async function counted(tree: RehearsalTree): Promise<Counted> {
  const { status, output } = await tree.runTests();
  const count = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(output)?.[1] ?? Number.NaN);
  return { status, tests: count("tests"), failed: count("fail") };
}

const countedTrees = new Map<string, Counted>();

/** The same of a tree without a change since its last commit: its files are tested once, however they came about. */
async function countedOnce({ tree }: Landing): Promise<Counted> {
  const id = await tree.treeId();
  const found = countedTrees.get(id) ?? (await counted(tree));
  countedTrees.set(id, found);
  return found;
}

const none = "";
const dependencies: Record<string, string> = {
  S01: none,
  S02: none,
  S03: "S01 S02",
  S04: "S01",
  S05: "S01",
  S06: "S02",
  S07: "S03",
  S08: "S03 S04",
  S09: none,
};

test("the nine specs have the dependencies of the example and a script each", () => {
  const short = (id: string): string => id.slice(0, 3);
  expect(Object.fromEntries(specs.map((spec) => [short(spec.id), spec.dependsOn.map(short).join(" ")]))).toEqual(dependencies);
  for (const spec of specs) {
    expect(spec.verify).toBe("./run.sh test");
    expect(spec.acceptance.length).toBeGreaterThanOrEqual(3);
    expect(roundsOf(spec)).toBeGreaterThan(0);
  }
});

test("the factory reads the nine specs without a complaint, in English and in Chinese", () => {
  for (const { id, text, dependsOn, modifies, creates, acceptance } of specs) {
    const parsed = parseSpec({ file: `specs/clawmarketing/${id}.md`, text });
    expect(parsed.problems).toEqual([]);
    if (parsed.outcome !== "parsed") throw new Error(`${id} is unreadable`);
    expect(parsed.spec).toMatchObject({ id, project: "clawmarketing", dependsOn, modifies, creates });
    expect(parsed.spec.goal).not.toBe("");
    expect(parsed.document.acceptance.length).toBe(acceptance.length);
  }
});

test("one pair shares a file without an order between its specs, so that the lock alone keeps them apart", () => {
  const pathsOf = (spec: DemoSpec): string[] => [...spec.modifies, ...spec.creates];
  const pairs = specs.flatMap((left, i) => specs.slice(i + 1).map((right) => [left, right] as const));
  const colliding = pairs.filter(
    ([left, right]) =>
      !ancestorsOf(right.id, specs).includes(left.id) &&
      !ancestorsOf(left.id, specs).includes(right.id) &&
      pathsOf(left).some((a) => pathsOf(right).some((b) => patternsOverlap(a, b))),
  );
  expect(colliding.map(([left, right]) => [left.id, right.id])).toEqual([["S04-schedule-auth", "S05-test-schema"]]);
  expect(specOf("S04").dependsOn).toEqual(specOf("S05").dependsOn);
});

test.each(mergeable.map((spec) => [spec.id]))(
  "%s works where only its dependencies have landed, within its paths, and keeps its promises",
  async (id) => {
    const spec = specOf(id);
    const ancestors = ancestorsOf(id, specs);
    const before = await countedOnce(await land(ancestors));
    const landing = await land([...ancestors, id]);
    expect(landing.changed.sort()).toEqual([...spec.modifies, ...spec.creates].sort());
    expect(landing.added.filter((line) => /TODO|FIXME/.test(line))).toEqual([]);
    for (const { run, expected } of spec.acceptance.filter((line) => line.run !== spec.verify)) {
      const { status, output } = await landing.tree.run(run);
      expect([run, status]).toEqual([run, 0]);
      const equals = /^equals "(.*)"$/.exec(expected)?.[1];
      expect(equals ?? expected).toBe(equals === undefined ? "exit 0" : output.trim());
    }
    const after = await countedOnce(landing);
    expect([after.status, after.failed]).toEqual([0, 0]);
    expect(after.tests).toBeGreaterThanOrEqual(before.tests + 4);
  },
);

test.each(["S01", "S02", "S03", "S04"])("the tests of %s fail on the sources as they were before it", async (id) => {
  const spec = specOf(id);
  const tree = await aTreeWith([...ancestorsOf(spec.id, specs), spec.id]);
  const sources = spec.modifies.filter((path) => path.startsWith("src/"));
  expect((await tree.run(`git checkout -q HEAD~1 -- ${sources.join(" ")}`)).status).toBe(0);
  expect((await counted(tree)).failed).toBeGreaterThan(0);
});

test("by number, or with the service first and auth late: main stays green after every landing, and ends the same", async () => {
  const ends: Landing[] = [];
  for (const order of ["S01 S02 S03 S04 S05 S06 S07 S08", "S02 S06 S01 S05 S03 S07 S04 S08"]) {
    const landed: string[] = [];
    for (const id of order.split(" ")) {
      const spec = specOf(id);
      expect(spec.dependsOn.every((parent) => landed.includes(parent))).toBe(true);
      landed.push(spec.id);
      expect([landed, (await countedOnce(await land(landed))).status]).toEqual([landed, 0]);
    }
    expect(landed.length).toBe(mergeable.length);
    ends.push(await land(landed));
  }
  const [first, second] = ends as [Landing, Landing];
  expect(await second.tree.treeId()).toBe(await first.tree.treeId());
  expect((await countedOnce(first)).tests).toBe(62);
  expect((await first.tree.run("./run.sh test")).status).toBe(0);
});

test("S02 breaks tests that were green in its first round", async () => {
  const tree = await aTreeWith([]);
  expect((await tree.playRound(specOf("S02"), 1)).status).toBe(0);
  expect((await tree.run("node tests/services/schedule.test.js")).status).toBe(0);
  expect((await tree.run("node tests/services/post-service.test.js")).status).not.toBe(0);
  expect((await counted(tree)).status).not.toBe(0);
});

test("S04 leaves a TODO in its first round that no test of its own sees", async () => {
  const tree = await aTreeWith(ancestorsOf(specOf("S04").id, specs));
  expect((await tree.playRound(specOf("S04"), 1)).status).toBe(0);
  expect((await counted(tree)).status).toBe(0);
  expect((await tree.addedLines()).filter((line) => /TODO/.test(line))).toHaveLength(1);
});

test("S06 claims to be done in its first round and changed nothing", async () => {
  const tree = await aTreeWith(ancestorsOf(specOf("S06").id, specs));
  const { status, output } = await tree.playRound(specOf("S06"), 1);
  expect([status, /already complete/i.test(output)]).toEqual([0, true]);
  expect(await tree.changedPaths()).toEqual([]);
});

test("every other spec needs one round", () => {
  expect(mergeable.filter((spec) => roundsOf(spec) > 1).map((spec) => spec.id.slice(0, 3))).toEqual(["S02", "S04", "S06"]);
});

test("S09 is red after every round, each time with something tried, on the first main and on the last", async () => {
  const spec = specOf(parked);
  for (const before of [[], ancestorsOf(specOf("S08").id, specs)]) {
    const tree = await aTreeWith(before);
    const failures: number[] = [];
    for (let round = 1; round <= 4; round++) {
      expect((await tree.playRound(spec, round)).status).toBe(0);
      failures.push((await counted(tree)).failed);
    }
    expect(failures).toEqual([3, 2, 1, 1]);
    expect((await tree.changedPaths()).sort()).toEqual([...spec.creates].sort());
  }
});
