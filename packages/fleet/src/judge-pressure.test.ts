import { describe, expect, test } from "vitest";
import { judgePressure, noPressure, type PressureFacts } from "./judge-pressure.ts";
import { plainConfig } from "./node-config.ts";

const gib = 2 ** 30;
const roomy: PressureFacts = {
  freeDiskBytes: 50 * gib,
  totalDiskBytes: 100 * gib,
  freeInodes: 1_000_000,
  freeMemoryBytes: 8 * gib,
  totalMemoryBytes: 16 * gib,
  usage: null,
  trouble: null,
};

const judge = (facts: Partial<PressureFacts>, before: readonly string[] = [], config: Partial<typeof plainConfig> = {}) =>
  judgePressure({ ...roomy, ...facts }, { ...plainConfig, ...config }, { tight: before, because: "" }).tight;

const ofDisk = (diskBytes: number) => ({ lowWater: { diskBytes, memoryBytes: null } });
const quota = (bytes: number | null, projectBytes: number | null = null) => ({ quota: { bytes, projectBytes } });
const usage = (bytes: number, projects: Record<string, number> = {}) => ({ usage: { at: 0, bytes, projects } });

describe("the mark below which a node closes", () => {
  test.each<[string, Partial<PressureFacts>, string[]]>([
    ["room for all", {}, []],
    ["2 GiB of a large disk", { freeDiskBytes: 2 * gib }, []],
    ["a byte less", { freeDiskBytes: 2 * gib - 1 }, ["disk"]],
    ["a tenth of a small disk", { totalDiskBytes: 1000, freeDiskBytes: 100 }, []],
    ["less than a tenth of a small disk", { totalDiskBytes: 1000, freeDiskBytes: 99 }, ["disk"]],
    ["half a GiB of memory", { freeMemoryBytes: gib / 2 }, []],
    ["a byte less memory", { freeMemoryBytes: gib / 2 - 1 }, ["memory"]],
    ["a tenth of a small memory", { totalMemoryBytes: 1000, freeMemoryBytes: 100 }, []],
    ["less than a tenth of a small memory", { totalMemoryBytes: 1000, freeMemoryBytes: 99 }, ["memory"]],
    ["inodes for one more worktree", { freeInodes: 2000 }, []],
    ["too few inodes", { freeInodes: 1999 }, ["inodes"]],
    ["no count of inodes", { freeInodes: null }, []],
    ["a folder that cannot be written", { trouble: "EROFS" }, ["trouble"]],
    ["everything at once", { freeDiskBytes: 0, freeInodes: 0, freeMemoryBytes: 0 }, ["disk", "memory", "inodes"]],
  ])("%s", (_, facts, tight) => {
    expect(judge(facts)).toEqual(tight);
  });

  test("is the configured one where there is one, and zero is never below", () => {
    expect(judge({ freeDiskBytes: 999 }, [], ofDisk(1000))).toEqual(["disk"]);
    expect(judge({ freeDiskBytes: 1000 }, [], ofDisk(1000))).toEqual([]);
    expect(judge({ freeDiskBytes: 0 }, ["disk"], ofDisk(0))).toEqual([]);
  });
});

describe("what is tight", () => {
  test("opens a fifth above its mark", () => {
    expect(judge({ freeDiskBytes: 1199 }, ["disk"], ofDisk(1000))).toEqual(["disk"]);
    expect(judge({ freeDiskBytes: 1200 }, ["disk"], ofDisk(1000))).toEqual([]);
  });

  test("does not hold anything else to a higher mark", () => {
    expect(judge({ freeDiskBytes: 1199 }, ["memory"], ofDisk(1000))).toEqual([]);
  });
});

describe("a quota", () => {
  test("closes when it is exceeded, and opens when a sixth of it is free", () => {
    expect(judge(usage(1200), [], quota(1200))).toEqual([]);
    expect(judge(usage(1201), [], quota(1200))).toEqual(["quota"]);
    expect(judge(usage(1001), ["quota"], quota(1200))).toEqual(["quota"]);
    expect(judge(usage(1000), ["quota"], quota(1200))).toEqual([]);
    expect(judge(usage(gib), [], quota(null))).toEqual([]);
    expect(judge({}, ["quota"], quota(1))).toEqual([]);
  });

  test("of a project counts for each by itself", () => {
    expect(judge(usage(10_000, { a: 1300, b: 1100, c: 900 }), ["project b"], quota(null, 1200))).toEqual(["project a", "project b"]);
  });
});

test("what it says changes with what is tight, and is empty when nothing is", () => {
  expect(judgePressure(roomy, plainConfig, noPressure).because).toBe("");
  const first = judgePressure({ ...roomy, freeDiskBytes: 1.2 * gib }, plainConfig, noPressure);
  const second = judgePressure({ ...roomy, freeDiskBytes: 2.1 * gib }, plainConfig, first);
  expect(new Set(["", first.because, second.because]).size).toBe(3);
});
