import { readFileSync } from "node:fs";
import { join } from "node:path";
import { patternsOverlap } from "@dispatch/core";
import { parseSpec } from "@dispatch/spec";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { ancestorsOf, type DemoSpec, readDemoSpecs, scriptFolder } from "./read-specs.ts";
import { createRehearsalTree, type RehearsalTree } from "./rehearsal-tree.ts";

/** Each landing runs the whole suite of the service. */
vi.setConfig({ testTimeout: 300_000 });

const specs = readDemoSpecs();
const parked = "S09-schedule-timezones";
const mergeable = specs.filter((spec) => spec.id !== parked);
const opened: RehearsalTree[] = [];

afterEach(async () => {
  for (const tree of opened.splice(0)) await tree.remove();
});

afterAll(async () => {
  for (const tree of played.values()) await (await tree).remove();
});

function keep(tree: RehearsalTree): RehearsalTree {
  opened.push(tree);
  return tree;
}

async function aTree(): Promise<RehearsalTree> {
  return keep(await createRehearsalTree());
}

function specOf(id: string): DemoSpec {
  const spec = specs.find((candidate) => candidate.id === id || candidate.id.startsWith(`${id}-`));
  if (spec === undefined) throw new Error(`no spec ${id}`);
  return spec;
}

function roundsOf(spec: DemoSpec): number {
  return JSON.parse(readFileSync(join(scriptFolder, `${spec.id}.json`), "utf8")).rounds.length;
}

async function playAll(tree: RehearsalTree, spec: DemoSpec): Promise<void> {
  for (let round = 1; round <= roundsOf(spec); round++) {
    const { status, output } = await tree.playRound(spec, round);
    if (status !== 0) throw new Error(`${spec.id}, round ${round}: ${output}`);
  }
}

/** Trees on which specs have landed, by their ids: each is played once and copied after that. */
const played = new Map<string, Promise<RehearsalTree>>();

/** A tree on which exactly the specs that this one depends on have landed. */
async function aTreeBefore(spec: DemoSpec): Promise<RehearsalTree> {
  return keep(await (await landedTree(ancestorsOf(spec.id, specs))).copy());
}

function landedTree(ids: readonly string[]): Promise<RehearsalTree> {
  const key = ids.join(" ");
  const known = played.get(key) ?? landLast(ids);
  played.set(key, known);
  return known;
}

async function landLast(ids: readonly string[]): Promise<RehearsalTree> {
  const last = ids.at(-1);
  if (last === undefined) return createRehearsalTree();
  const tree = await (await landedTree(ids.slice(0, -1))).copy();
  await playAll(tree, specOf(last));
  await tree.commitAll(last);
  return tree;
}

async function counted(tree: RehearsalTree): Promise<{ status: number; tests: number; failed: number }> {
  const { status, output } = await tree.runTests();
  const count = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(output)?.[1] ?? Number.NaN);
  return { status, tests: count("tests"), failed: count("fail") };
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
    const tree = await aTreeBefore(spec);
    const before = await counted(tree);
    await playAll(tree, spec);
    expect((await tree.changedPaths()).sort()).toEqual([...spec.modifies, ...spec.creates].sort());
    expect((await tree.addedLines()).filter((line) => /TODO|FIXME/.test(line))).toEqual([]);
    for (const { run, expected } of spec.acceptance.filter((line) => line.run !== spec.verify)) {
      const { status, output } = await tree.run(run);
      expect([run, status]).toEqual([run, 0]);
      const equals = /^equals "(.*)"$/.exec(expected)?.[1];
      expect(equals ?? expected).toBe(equals === undefined ? "exit 0" : output.trim());
    }
    const after = await counted(tree);
    expect([after.status, after.failed]).toEqual([0, 0]);
    expect(after.tests).toBeGreaterThanOrEqual(before.tests + 4);
  },
);

test.each(["S01", "S02", "S03", "S04"])("the tests of %s fail on the sources as they were before it", async (id) => {
  const spec = specOf(id);
  const tree = await aTreeBefore(spec);
  await playAll(tree, spec);
  const sources = spec.modifies.filter((path) => path.startsWith("src/"));
  expect((await tree.run(`git checkout -q HEAD -- ${sources.join(" ")}`)).status).toBe(0);
  expect((await counted(tree)).failed).toBeGreaterThan(0);
});

const ends = new Set<string>();

test.each([
  ["by number", "S01 S02 S03 S04 S05 S06 S07 S08"],
  ["with the service first and auth late", "S02 S06 S01 S05 S03 S07 S04 S08"],
])("%s: main stays green after every landing, and ends as in the other orders", async (_name, order) => {
  const tree = await aTree();
  const landed: string[] = [];
  for (const id of order.split(" ")) {
    const spec = specOf(id);
    expect(spec.dependsOn.every((parent) => landed.includes(parent))).toBe(true);
    await playAll(tree, spec);
    expect([id, (await counted(tree)).status]).toEqual([id, 0]);
    await tree.commitAll(id);
    landed.push(spec.id);
  }
  expect(landed.length).toBe(mergeable.length);
  expect((await tree.run("./run.sh test")).status).toBe(0);
  expect((await counted(tree)).tests).toBe(62);
  expect([...ends.add(await tree.treeId())]).toHaveLength(1);
});

test("S02 breaks tests that were green in its first round", async () => {
  const tree = await aTree();
  expect((await tree.playRound(specOf("S02"), 1)).status).toBe(0);
  expect((await tree.run("node --test tests/services/schedule.test.js")).status).toBe(0);
  expect((await tree.run("node --test tests/services/post-service.test.js")).status).not.toBe(0);
  expect((await counted(tree)).status).not.toBe(0);
});

test("S04 leaves a TODO in its first round that no test of its own sees", async () => {
  const tree = await aTreeBefore(specOf("S04"));
  expect((await tree.playRound(specOf("S04"), 1)).status).toBe(0);
  expect((await counted(tree)).status).toBe(0);
  expect((await tree.addedLines()).filter((line) => /TODO/.test(line))).toHaveLength(1);
});

test("S06 claims to be done in its first round and changed nothing", async () => {
  const tree = await aTreeBefore(specOf("S06"));
  const { status, output } = await tree.playRound(specOf("S06"), 1);
  expect([status, /already complete/i.test(output)]).toEqual([0, true]);
  expect(await tree.changedPaths()).toEqual([]);
});

test("every other spec needs one round", () => {
  expect(mergeable.filter((spec) => roundsOf(spec) > 1).map((spec) => spec.id.slice(0, 3))).toEqual(["S02", "S04", "S06"]);
});

test("S09 is red after every round, each time with something tried, on the first main and on the last", async () => {
  const spec = specOf(parked);
  const late = await aTreeBefore(specOf("S08"));
  for (const tree of [await aTree(), late]) {
    const failures: number[] = [];
    for (let round = 1; round <= 4; round++) {
      expect((await tree.playRound(spec, round)).status).toBe(0);
      failures.push((await counted(tree)).failed);
    }
    expect(failures).toEqual([3, 2, 1, 1]);
    expect((await tree.changedPaths()).sort()).toEqual([...spec.creates].sort());
  }
});
