import { emptyWorld, evolve, type FactoryEvent, type World, withChange } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../../test/kit/build-facts.ts";
import { liveBranches, workingAttempts } from "./live-branches.ts";

/** Each fact a millisecond after the one before. */
function worldOf(...facts: readonly FactoryEvent[]): World {
  let world = emptyWorld();
  for (const [at, fact] of facts.entries()) {
    const step = evolve(world, fact, at);
    if (step.outcome !== "moved") throw new Error(step.because);
    world = withChange(world, step.change);
  }
  return world;
}

const attempt = (id: string) => `shop--${id}--1`;
const runs = (id: string, priority: 0 | 1 | 2 | 3 = 2): FactoryEvent[] => [
  planned(aSpec(id, { priority })),
  { type: "task-placed", task: `shop/${id}`, attempt: attempt(id), n: 1, node: "local", base: anOid(1), executor: "x" },
  reported(attempt(id), 1, { type: "attempt-started", identity: someIdentity }),
];
const ends = (id: string, tip: number): FactoryEvent[] => [
  reported(attempt(id), 2, { type: "attempt-ended", outcome: { kind: "succeeded", tip: anOid(tip), base: anOid(1), rounds: 1 } }),
  { type: "attempt-collected", attempt: attempt(id), tip: anOid(tip), salvage: null },
];
const passes = (id: string): FactoryEvent => ({ type: "result-checked", attempt: attempt(id), findings: [] });
const start: FactoryEvent = { type: "project-started", project: "shop", main: anOid(1) };

describe("what is on its way to main", () => {
  it("stands in the order in which it will land", () => {
    const world = worldOf(
      start,
      ...runs("S06"),
      ...["S01", "S02", "S03", "S04"].flatMap((id, i) => [...runs(id, id === "S03" ? 1 : 2), ...ends(id, 10 + i)]),
      ...["S01", "S02", "S03"].map(passes),
      { type: "car-planned", project: "shop", car: "1", kind: "car", members: ["shop/S02"], ahead: [] },
      ...runs("S05"),
      ...runs("S07"),
    );
    const checkpoints = new Map([
      [attempt("S05"), anOid(20)],
      [attempt("S06"), anOid(21)],
    ]);
    expect(liveBranches(world, "shop", checkpoints)).toEqual([
      { attempt: attempt("S02"), commit: anOid(11) },
      { attempt: attempt("S03"), commit: anOid(12) },
      { attempt: attempt("S01"), commit: anOid(10) },
      { attempt: attempt("S04"), commit: anOid(13) },
      { attempt: attempt("S06"), commit: anOid(21) },
      { attempt: attempt("S05"), commit: anOid(20) },
    ]);
    expect([...workingAttempts(world, "shop")].sort()).toEqual(["S05", "S06", "S07"].map(attempt));
    expect(liveBranches(world, "other", checkpoints)).toEqual([]);
  });

  it("is nothing that went back, was cancelled or has only an attempt of the past", () => {
    const refused: FactoryEvent = {
      type: "result-checked",
      attempt: attempt("S01"),
      findings: [{ gate: "G01", severity: "block", found: "", why: "", hint: "" }],
    };
    const world = worldOf(start, ...runs("S01"), ...ends("S01", 10), refused, ...runs("S02"), { type: "task-cancelled", task: "shop/S02", by: "x" });
    expect(
      liveBranches(
        world,
        "shop",
        new Map([
          [attempt("S01"), anOid(5)],
          [attempt("S02"), anOid(6)],
        ]),
      ),
    ).toEqual([]);
  });
});
