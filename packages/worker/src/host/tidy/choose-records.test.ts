import type { TidyOrder } from "@dispatch/protocol";
import { describe, expect, test } from "vitest";
import { chooseRecords, type OldRecord } from "./choose-records.ts";

const now = 1_000_000;
const order: TidyOrder = { over: [], keepMs: 100, projects: ["demo", "other"], quotaBytes: null, projectQuotaBytes: null };

function record(attempt: string, ageMs: number, bytes: number, project: string | undefined = "demo"): OldRecord {
  return { attempt, project, endedAt: now - ageMs, bytes };
}

const records = [record("young", 10, 5), record("middle", 50, 7), record("old", 101, 3), record("elsewhere", 60, 11, "other")];
const usage = { at: now, bytes: 100, projects: { demo: 60, other: 40 } };

function chosen(change: Partial<TidyOrder>): string[] {
  return chooseRecords(records, usage, { ...order, ...change }, now).map(({ attempt }) => attempt);
}

describe("records", () => {
  test("that are old go, and no others while there is room", () => {
    expect(chosen({})).toEqual(["old"]);
    expect(chosen({ keepMs: 1000 })).toEqual([]);
    expect(chosen({ quotaBytes: 97, projectQuotaBytes: 57 })).toEqual(["old"]);
  });

  test("of a project over its quota go oldest first until it is below, and those of others stay", () => {
    expect(chosen({ projectQuotaBytes: 56 })).toEqual(["old", "middle"]);
    expect(chosen({ projectQuotaBytes: 49 })).toEqual(["old", "middle", "young"]);
  });

  test("of a node over its quota go oldest first, whatever project they are of", () => {
    expect(chosen({ quotaBytes: 96 })).toEqual(["old", "elsewhere"]);
    expect(chosen({ quotaBytes: 80 })).toEqual(["old", "elsewhere", "middle"]);
    expect(chosen({ quotaBytes: 1 })).toEqual(["old", "elsewhere", "middle", "young"]);
  });
});
