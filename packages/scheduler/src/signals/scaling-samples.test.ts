import { eventVersion, type FactoryEvent, type StoredEvent } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported } from "../../../../test/kit/build-facts.ts";
import { sampleOf } from "./scaling-samples.ts";

const stored = (event: FactoryEvent): StoredEvent => ({ seq: 1, at: 7, v: eventVersion, event });
const red = { gate: "G02", severity: "block", found: "", why: "", hint: "" } as const;
const report = { code: 409, spec: "S01", attempt: "", base: "", main: "", kind: "stale_base", textMerge: "clean", paths: [], hint: "" } as const;

describe("what an event means for the signals", () => {
  it.each([
    ["a fed spec", planned(aSpec("S01")), { kind: "arrived" }],
    ["a cancelled task", { type: "task-cancelled", task: "shop/S01", by: "x" }, { kind: "consumed" }],
    [
      "a red first round",
      reported("shop--S01--1", 1, { type: "round-checked", round: 1, verify: [], findings: [red] }),
      { kind: "first-round", failed: true },
    ],
    [
      "a green first round",
      reported("shop--S01--1", 1, { type: "round-checked", round: 1, verify: [], findings: [] }),
      { kind: "first-round", failed: false },
    ],
    ["a merge", { type: "task-merged", task: "shop/S01", commit: anOid(1), from: anOid(2) }, { kind: "landing-tried", outcome: "merged" }],
    ["a conflict", { type: "candidate-refused", task: "shop/S01", findings: [], conflict: report }, { kind: "landing-tried", outcome: "conflict" }],
    ["a red candidate", { type: "candidate-refused", task: "shop/S01", findings: [red], conflict: null }, { kind: "landing-tried", outcome: "red" }],
  ] as [string, FactoryEvent, object][])("%s", (_, event, sample) => {
    expect(sampleOf(stored(event))).toEqual({ at: 7, project: "shop", ...sample });
  });

  it("nothing: a second round, a landing that is put off", () => {
    expect(sampleOf(stored(reported("shop--S01--1", 1, { type: "round-checked", round: 2, verify: [], findings: [red] })))).toBeUndefined();
    expect(sampleOf(stored({ type: "car-dropped", project: "shop", car: "1", because: "", main: anOid(1) }))).toBeUndefined();
  });
});
