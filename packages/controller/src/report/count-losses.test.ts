import { emptyWorld, eventVersion, evolve, type FactoryEvent, type StoredEvent, withChange } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { countLosses } from "./count-losses.ts";

const placed = (project: string, id: string, node: string): FactoryEvent => ({
  type: "task-placed",
  task: `${project}/${id}`,
  attempt: `${project}--${id}--1`,
  n: 1,
  node,
  base: anOid(1),
  executor: "x",
});
const lost = (node: string): FactoryEvent => ({ type: "node-lost", node, because: `${node} is away` });
const fenced = (attempt: string): FactoryEvent => ({ type: "attempt-fenced", attempt, because: "lost" });

const facts: FactoryEvent[] = [
  ...["shop", "blog"].map((project): FactoryEvent => ({ type: "project-started", project, main: anOid(1) })),
  planned(aSpec("S01")),
  planned(aSpec("S02")),
  planned(aSpec("S01", { project: "blog" })),
  placed("shop", "S01", "a"),
  placed("shop", "S02", "a"),
  placed("blog", "S01", "b"),
  lost("a"),
  fenced("shop--S01--1"),
  fenced("shop--S02--1"),
  { type: "node-returned", node: "a" },
  lost("b"),
  fenced("blog--S01--1"),
  { type: "node-returned", node: "b" },
  lost("a"),
];

describe("the nodes that were lost while a project was worked on", () => {
  let world = emptyWorld();
  const events = facts.map((event, i): StoredEvent => {
    const evolution = evolve(world, event, i);
    if (evolution.outcome !== "moved") throw new Error(evolution.because);
    world = withChange(world, evolution.change);
    return { seq: i + 1, at: i, v: eventVersion, event };
  });
  const lossesOf = (project: string) => {
    const counter = countLosses(world, project);
    for (const event of events) counter.take([event]);
    return counter.losses();
  };

  it("are those that cost it attempts, and those that are away still", () => {
    expect(lossesOf("shop")).toEqual([
      { node: "a", lostAt: 8, because: "a is away", returnedAt: 11, fenced: 2 },
      { node: "a", lostAt: 15, because: "a is away", returnedAt: null, fenced: 0 },
    ]);
    expect(lossesOf("blog")).toEqual([
      { node: "b", lostAt: 12, because: "b is away", returnedAt: 14, fenced: 1 },
      { node: "a", lostAt: 15, because: "a is away", returnedAt: null, fenced: 0 },
    ]);
  });
});
