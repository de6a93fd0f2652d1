import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../test/kit/build-facts.ts";
import { effectKey } from "./effect.ts";
import type { FactoryEvent } from "./event.ts";
import { emptyWorld, evolve, type World, withChange } from "./world.ts";

const place = (project: string, id: string, base = anOid(1)): FactoryEvent => ({
  type: "task-placed",
  task: `${project}/${id}`,
  attempt: `${project}--${id}--1`,
  n: 1,
  node: "local",
  base,
  executor: "x",
});
const changed = (commit: string): FactoryEvent => ({ type: "contract-changed", project: "shop", from: anOid(1), commit, entries: [] });

function worldOf(...events: readonly FactoryEvent[]): World {
  let world = emptyWorld();
  for (const event of events) {
    const evolution = evolve(world, event, 1);
    if (evolution.outcome !== "moved") throw new Error(`${event.type}: ${evolution.because}`);
    world = withChange(world, evolution.change);
  }
  return world;
}

const start: readonly FactoryEvent[] = [
  { type: "project-started", project: "shop", main: anOid(1) },
  { type: "project-started", project: "other", main: anOid(1) },
  ...["S1", "S2", "S3", "S4", "S5"].map((id) => planned(aSpec(id))),
  planned(aSpec("S1", { project: "other" })),
  place("shop", "S1"),
  place("shop", "S2"),
  place("shop", "S3"),
  place("shop", "S4", anOid(2)),
  place("other", "S1"),
  reported("shop--S2--1", 1, { type: "attempt-started", identity: someIdentity }),
  reported("shop--S3--1", 1, { type: "attempt-ended", outcome: { kind: "lost", because: "gone" } }),
];

function effectsOf(world: World, event: FactoryEvent) {
  const evolution = evolve(world, event, 2);
  if (evolution.outcome !== "moved") throw new Error(evolution.because);
  return evolution.change;
}

describe("a change of the contract", () => {
  it("is told to the attempts at work of its project whose base is another commit", () => {
    const { effects, attempts, tasks, projects } = effectsOf(worldOf(...start), changed(anOid(2)));
    expect(effects).toEqual(
      ["shop--S1--1", "shop--S2--1"].map((attempt) => ({ do: "tell-attempt", attempt, n: 1, from: anOid(1), commit: anOid(2) })),
    );
    expect(attempts.map(({ id, notices }) => [id, notices])).toEqual([
      ["shop--S1--1", [anOid(2)]],
      ["shop--S2--1", [anOid(2)]],
    ]);
    expect([tasks, projects]).toEqual([[], []]);
  });

  it("is told once: the same fact again has no effect, and another commit is the next notice under a key of its own", () => {
    const told = worldOf(...start, changed(anOid(2)));
    expect(effectsOf(told, changed(anOid(2))).effects).toEqual([]);
    const { effects } = effectsOf(told, changed(anOid(3)));
    expect(effects.map((effect) => (effect.do === "tell-attempt" ? [effect.attempt, effect.n] : []))).toEqual([
      ["shop--S1--1", 2],
      ["shop--S2--1", 2],
      ["shop--S4--1", 1],
    ]);
    expect(effects.map(effectKey)[0]).toBe(`tell-attempt:shop--S1--1:${anOid(3)}`);
  });

  it("is told to nobody who is being stopped", () => {
    const world = worldOf(...start, { type: "attempt-stop-asked", attempt: "shop--S1--1", because: "asked" });
    expect(effectsOf(world, changed(anOid(2))).attempts.map(({ id }) => id)).toEqual(["shop--S2--1"]);
  });

  it("cannot be of a project that was never started", () => {
    expect(evolve(emptyWorld(), changed(anOid(2)), 1).outcome).toBe("illegal");
  });
});
