import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../test/kit/build-facts.ts";
import type { Effect } from "./effect.ts";
import type { Candidate, FactoryEvent } from "./event.ts";
import { attemptIdOf } from "./ids.ts";
import type { Car } from "./train.ts";
import { emptyWorld, evolve, type World, withChange } from "./world.ts";

const project = "shop";
const [a, b, c] = ["shop/S01-a", "shop/S02-b", "shop/S03-c"] as const;
const candidate = (n: number): Candidate => ({ commit: anOid(100 + n), merge: anOid(200 + n), tree: anOid(300 + n) });

type Happening = "moved" | "stale" | "illegal";

interface After {
  world: World;
  outcome: Happening;
  effects: readonly Effect[];
}

function follow(world: World, event: FactoryEvent, at: number): After {
  const evolution = evolve(world, event, at);
  if (evolution.outcome !== "moved") return { world, outcome: evolution.outcome, effects: [] };
  return { world: withChange(world, evolution.change), outcome: "moved", effects: evolution.change.effects };
}

/** The world after facts that must all follow; and what the last one asks to be done. */
function after(world: World, ...events: FactoryEvent[]): After {
  let last: After = { world, outcome: "moved", effects: [] };
  for (const [i, event] of events.entries()) {
    last = follow(last.world, event, 1000 + i);
    expect([event.type, last.outcome]).toEqual([event.type, "moved"]);
  }
  return last;
}

/** `id` did its work, and waits since `at`. */
function queue(world: World, id: string, at: number): World {
  const task = `shop/${id}`;
  const attempt = attemptIdOf(task, 1);
  const facts: FactoryEvent[] = [
    planned(aSpec(id)),
    { type: "task-placed", task, attempt, n: 1, node: "local", base: anOid(1), executor: "x" },
    reported(attempt, 1, { type: "attempt-started", identity: someIdentity }),
    reported(attempt, 2, { type: "attempt-ended", outcome: { kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 } }),
    { type: "attempt-collected", attempt, tip: anOid(7), salvage: null },
    { type: "result-checked", attempt, findings: [] },
  ];
  return facts.reduce((before, fact) => follow(before, fact, at).world, world);
}

const start = follow(emptyWorld(), { type: "project-started", project, main: anOid(1) }, 1).world;
const waiting = queue(queue(queue(start, "S01-a", 10), "S02-b", 20), "S03-c", 30);

const plan = (car: string, members: readonly string[], ahead: readonly string[] = []): FactoryEvent => ({
  type: "car-planned",
  project,
  car,
  kind: "car",
  members,
  ahead,
});
const built = (car: string, members: readonly string[]): FactoryEvent => ({
  type: "car-built",
  project,
  car,
  members,
  candidate: candidate(Number(car)),
});
const passed = (car: string): FactoryEvent => ({
  type: "car-passed",
  project,
  car,
  candidate: candidate(Number(car)),
  run: car,
  gateHash: "h",
  verify: [],
});
const landed = (car: string): FactoryEvent => ({ type: "car-landed", project, car, commit: candidate(Number(car)).commit, from: anOid(1) });
const merged = (task: string, car: string): FactoryEvent => ({ type: "task-merged", task, commit: candidate(Number(car)).commit, from: anOid(1) });
const refused = (task: string): FactoryEvent => ({ type: "candidate-refused", task, findings: [], conflict: null });

const stateOf = (world: World, task: string) => world.tasks.get(task)?.state;
const trainOf = (world: World) => world.projects.get(project)?.train;
const carsOf = (world: World): readonly Car[] => trainOf(world)?.cars ?? [];
const seats = (world: World) => carsOf(world).map(({ id, members, ahead }) => ({ id, members, ahead }));

describe("a planned car", () => {
  it("boards its tasks, and is built on main", () => {
    const { world, effects } = after(waiting, plan("1", [b, a]));
    expect(stateOf(world, a)).toMatchObject({ kind: "landing", car: "1", since: 10 });
    expect(stateOf(world, b)).toMatchObject({ kind: "landing", car: "1", since: 20 });
    expect(stateOf(world, c)?.kind).toBe("queued");
    expect(carsOf(world)).toMatchObject([{ id: "1", members: [b, a], onto: anOid(1), state: { kind: "building" } }]);
    expect(effects).toEqual([{ do: "build-car", project, car: "1", onto: anOid(1) }]);
  });

  it("takes nothing that is not queued, and then changes nothing at all", () => {
    const { world } = after(waiting, plan("1", [a]));
    const fresh = follow(world, planned(aSpec("S04-d")), 40).world;
    for (const members of [
      [b, a],
      [b, "shop/S04-d"],
      [b, "shop/S99-x"],
    ]) {
      const next = follow(fresh, plan("2", members), 50);
      expect(next.outcome).toBe("illegal");
      expect(next.world).toBe(fresh);
    }
  });
});

describe("a car that does not land", () => {
  it("leaves its tasks in their old place when it is red", () => {
    const failed: FactoryEvent = { type: "car-failed", project, car: "1", findings: [] };
    const { world, effects } = after(waiting, plan("1", [a, b]), built("1", [a, b]), failed);
    expect(carsOf(world)).toEqual([]);
    expect(stateOf(world, a)).toMatchObject({ kind: "queued", since: 10 });
    expect(stateOf(world, b)).toMatchObject({ kind: "queued", since: 20 });
    expect(trainOf(world)?.standings.map(({ task, kind }) => [task, kind])).toEqual([
      [a, "suspect"],
      [b, "suspect"],
    ]);
    expect(effects).toEqual([]);
  });

  it("takes along the cars that hold its members, and ends their runs", () => {
    const failed: FactoryEvent = { type: "car-failed", project, car: "1", findings: [] };
    const { world, effects } = after(waiting, plan("1", [a, b]), plan("2", [c], ["1"]), built("1", [a, b]), built("2", [c]), failed);
    expect(carsOf(world)).toEqual([]);
    expect(stateOf(world, c)).toMatchObject({ kind: "queued", since: 30 });
    expect(effects).toEqual([{ do: "cancel-run", project, car: "2", builtOn: anOid(1) }]);
  });

  it("leaves out a branch that met another one in it: that waits until the car is gone", () => {
    const { world } = after(waiting, plan("1", [a, b]), built("1", [a]));
    expect(seats(world)).toEqual([{ id: "1", members: [a], ahead: [] }]);
    expect(stateOf(world, b)).toMatchObject({ kind: "queued", since: 20 });
    expect(trainOf(world)?.standings).toMatchObject([{ task: b, kind: "behind", car: "1" }]);
  });

  it("is dropped with every other one when main was found elsewhere", () => {
    const dropped: FactoryEvent = { type: "car-dropped", project, car: "1", because: "main moved", main: anOid(5) };
    const { world } = after(waiting, plan("1", [a]), plan("2", [b]), built("2", [b]), dropped);
    expect(carsOf(world)).toEqual([]);
    expect(world.projects.get(project)?.main).toBe(anOid(5));
    expect([a, b].map((task) => stateOf(world, task)?.kind)).toEqual(["queued", "queued"]);
  });
});

describe("a car that lands", () => {
  const advancing = after(waiting, plan("1", [a]), plan("2", [b], ["1"]), built("1", [a]), built("2", [b]), passed("2")).world;

  it("moves main, and its tasks and those of the cars ahead are merged beside it, one at a time", () => {
    const { world, effects } = after(advancing, landed("2"));
    expect(world.projects.get(project)?.main).toBe(candidate(2).commit);
    expect(carsOf(world)).toEqual([]);
    expect(effects).toEqual([{ do: "cancel-run", project, car: "1", builtOn: anOid(1) }]);
    expect([a, b].map((task) => stateOf(world, task)?.kind)).toEqual(["landing", "landing"]);
    const all = after(world, merged(a, "2"), merged(b, "2")).world;
    for (const task of [a, b]) expect(stateOf(all, task)).toMatchObject({ kind: "merged", commit: candidate(2).commit });
    expect(trainOf(all)?.standings).toEqual([]);
  });

  it("merges nothing before, nothing as another commit, and nothing that was not in it", () => {
    const { world } = after(advancing, plan("3", [c]));
    expect(follow(world, merged(a, "2"), 1).outcome).toBe("illegal");
    expect(follow(world, merged(b, "1"), 1).outcome).toBe("illegal");
    const over = after(world, landed("2")).world;
    expect(follow(over, merged(a, "1"), 1).outcome).toBe("illegal");
    expect(follow(over, merged(c, "2"), 1).outcome).toBe("illegal");
  });

  it("as branches landed by themselves: the merge says it all", () => {
    const { world } = after(waiting, plan(a, [a]), built(a, [a]));
    const alone = carsOf(world)[0]?.state;
    expect(alone?.kind).toBe("running");
    const commit = alone?.kind === "running" ? alone.candidate : candidate(0);
    const green: FactoryEvent = { type: "car-passed", project, car: a, candidate: commit, run: a, gateHash: "", verify: [] };
    const ready = after(world, green).world;
    const done: FactoryEvent = { type: "task-merged", task: a, commit: commit.commit, from: anOid(1) };
    expect(follow(world, done, 1).outcome).toBe("illegal");
    const over = after(ready, done).world;
    expect(stateOf(over, a)?.kind).toBe("merged");
    expect(carsOf(over)).toEqual([]);
    expect(world.projects.get(project)?.main).toBe(anOid(1));
    expect(over.projects.get(project)?.main).toBe(commit.commit);
  });
});

describe("main that others moved", () => {
  const two = after(waiting, plan("1", [a, b]), plan("2", [c], ["1"]), built("1", [a, b])).world;
  const collecting = after(two, { type: "collect-requested", project, by: "lead" }).world;

  it("drops every car when origin was taken in: its tasks wait again, its run is ended", () => {
    const { world, effects } = after(collecting, { type: "origin-taken-in", project, main: anOid(5), commits: 1 });
    expect(carsOf(world)).toEqual([]);
    expect([a, b, c].map((task) => stateOf(world, task))).toMatchObject([10, 20, 30].map((since) => ({ kind: "queued", since })));
    expect(effects).toEqual([{ do: "cancel-run", project, car: "1", builtOn: anOid(1) }]);
  });

  it("is no reason to drop any when origin brought nothing", () => {
    const { world, effects } = after(collecting, { type: "origin-taken-in", project, main: anOid(1), commits: 0 });
    expect(seats(world)).toEqual(seats(two));
    expect(effects).toEqual([]);
  });

  it("was not moved by others when a car is on its way there: that lands, however often the project is started", () => {
    const ready = after(two, passed("1")).world;
    const again = after(ready, { type: "project-started", project, main: candidate(1).commit }).world;
    expect(seats(again)).toEqual(seats(two));
    const { world } = after(again, landed("1"), merged(a, "1"), merged(b, "1"));
    expect([a, b].map((task) => stateOf(world, task)?.kind)).toEqual(["merged", "merged"]);
    const elsewhere = after(ready, { type: "project-started", project, main: anOid(9) }).world;
    expect(carsOf(elsewhere)).toEqual([]);
    expect(stateOf(elsewhere, a)?.kind).toBe("queued");
  });
});

describe("a task that goes", () => {
  it("by being refused, leaves its car, and the others in it stay", () => {
    const { world } = after(waiting, plan("1", [a, b]), refused(a));
    expect(seats(world)).toEqual([{ id: "1", members: [b], ahead: [] }]);
    expect(stateOf(world, a)?.kind).toBe("planned");
    expect(trainOf(world)?.record.refused).toBe(1);
  });

  it("by being refused, takes along every car whose tree holds its branch", () => {
    const { world, effects } = after(
      waiting,
      plan("1", [a]),
      plan("2", [b], ["1"]),
      plan("3", [c], ["1", "2"]),
      built("1", [a]),
      built("2", [b]),
      refused(a),
    );
    expect(seats(world)).toEqual([]);
    expect(stateOf(world, b)).toMatchObject({ kind: "queued", since: 20 });
    expect(stateOf(world, c)?.kind).toBe("queued");
    expect(effects).toEqual(["1", "2"].map((car) => ({ do: "cancel-run", project, car, builtOn: anOid(1) })));
  });

  it("by being cancelled, leaves nothing behind in the train; in a car it cannot be", () => {
    const failed: FactoryEvent = { type: "car-failed", project, car: "1", findings: [] };
    const { world } = after(waiting, plan("1", [a, b]), built("1", [a, b]), failed, { type: "task-cancelled", task: a, by: "lead" });
    expect(trainOf(world)?.standings.map(({ task }) => task)).toEqual([b]);
    expect(stateOf(world, a)?.kind).toBe("cancelled");
    const { world: boarded } = after(waiting, plan("1", [a]));
    expect(follow(boarded, { type: "task-cancelled", task: a, by: "lead" }, 1).outcome).toBe("illegal");
  });
});
