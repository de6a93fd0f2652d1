import { describe, expect, it } from "vitest";
import type { Candidate } from "./event.ts";
import type { CarId, Oid, TaskId } from "./ids.ts";
import {
  abandonCars,
  type Car,
  type CarEvent,
  type CarState,
  convicts,
  emptyTrain,
  heldMembers,
  leaveTrain,
  type Standing,
  standingOf,
  type Train,
  transitionTrain,
} from "./train.ts";

const project = "shop";
const [main, newer] = ["main", "newer"];

/** The candidate of a car, whose tree has the car's name unless another is given. */
function of(id: CarId, tree: Oid = `tree ${id}`): Candidate {
  return { commit: `commit ${id}`, merge: `merge ${id}`, tree };
}

const building = { kind: "building", passed: null } as const;
const running = (id: CarId): CarState => ({ kind: "running", candidate: of(id), builtOn: main, broken: 0 });
const passed = (id: CarId): CarState => ({ kind: "passed", candidate: of(id), builtOn: main });
const advancing = (id: CarId): CarState => ({ kind: "advancing", candidate: of(id) });
const red = (id: CarId): CarState => ({ kind: "red", candidate: of(id) });

function car(id: CarId, members: string, state: CarState, more: Partial<Car> = {}): Car {
  return { id, kind: "car", members: members.split(" "), ahead: [], onto: main, state, ...more };
}

const vetted = (task: TaskId, reds = 0): Standing => ({ task, soloReds: 0, kind: "vetted", reds });
const suspect = (task: TaskId, group: CarId, soloReds = 0): Standing => ({ task, soloReds, kind: "suspect", group });

function train(cars: readonly Car[], standings: readonly Standing[] = []): Train {
  return { ...emptyTrain, lastCar: cars.length, cars, standings };
}

const events = {
  planned: (id: CarId, members: string, ahead: readonly CarId[] = []): CarEvent => ({
    type: "car-planned",
    project,
    car: id,
    kind: "car",
    members: members.split(" "),
    ahead,
  }),
  built: (id: CarId, members: string, candidate = of(id)): CarEvent => ({
    type: "car-built",
    project,
    car: id,
    members: members.split(" "),
    candidate,
  }),
  passed: (id: CarId): CarEvent => ({ type: "car-passed", project, car: id, candidate: of(id), run: "r", gateHash: "g", verify: [] }),
  failed: (id: CarId): CarEvent => ({ type: "car-failed", project, car: id, findings: [] }),
  broken: (id: CarId): CarEvent => ({ type: "run-broken", project, car: id, because: "no space" }),
  dropped: (id: CarId): CarEvent => ({ type: "car-dropped", project, car: id, because: "it cannot be built" }),
  landed: (id: CarId): CarEvent => ({ type: "car-landed", project, car: id, commit: of(id).commit, from: main }),
};

/** The train and what is to be done after an event, or how it was turned away. */
function after(before: Train, event: CarEvent, at: Oid = main): { train: Train; cars: string[]; standings: string[]; todo: string[] } {
  const step = transitionTrain(before, event, at);
  if (step.outcome !== "moved") throw new Error(`${step.outcome}: ${step.because}`);
  const { cars, standings } = step.state;
  return {
    train: step.state,
    cars: cars.map(({ id, state, onto }) => `${id} ${state.kind} on ${onto}`),
    standings: standings.map((standing) => `${standing.task} ${standing.kind}${standing.kind === "suspect" ? ` of ${standing.group}` : ""}`).sort(),
    todo: step.effects.map((effect) => ("car" in effect ? `${effect.do} ${effect.car}` : effect.do)),
  };
}

function outcomeOf(before: Train, event: CarEvent): string {
  return transitionTrain(before, event, main).outcome;
}

describe("a car alone", () => {
  it("is built, runs, advances main and is gone", () => {
    const planned = after(emptyTrain, events.planned("1", "a b"));
    expect(planned).toMatchObject({ cars: ["1 building on main"], todo: ["build-car 1"] });
    const built = after(planned.train, events.built("1", "a b"));
    expect(built).toMatchObject({ cars: ["1 running on main"], todo: ["run-car 1"] });
    const green = after(built.train, events.passed("1"));
    expect(green).toMatchObject({ cars: ["1 advancing on main"], standings: ["a vetted", "b vetted"], todo: ["advance-main 1"] });
    const landed = after(green.train, events.landed("1"));
    expect(landed).toMatchObject({ cars: [], standings: [], todo: [] });
    expect(landed.train.record.landed).toBe(2);
    expect(landed.train.green).toEqual([{ tree: "tree 1", gateHash: "g" }]);
  });

  it("holds only those of its members that fit", () => {
    expect(after(train([car("1", "a b", building)]), events.built("1", "b")).train.cars[0]?.members).toEqual(["b"]);
  });

  it("is of no use when it was built with one that left meanwhile", () => {
    expect(after(train([car("1", "a", building)]), events.built("1", "a b"))).toMatchObject({ cars: [], todo: [] });
  });

  it("runs again when the machine failed the run, and remembers how often", () => {
    const again = after(train([car("1", "a", running("1"))]), events.broken("1"));
    expect(again.todo).toEqual(["run-car 1"]);
    expect(again.train.cars[0]?.state).toMatchObject({ kind: "running", broken: 1 });
  });
});

describe("cars behind cars", () => {
  const stacked = train([car("1", "a", running("1")), car("2", "b", running("2"), { ahead: ["1"] })]);

  it("hold the members of those ahead, their own last", () => {
    expect(stacked.cars.map((one) => heldMembers(stacked, one))).toEqual([["a"], ["a", "b"]]);
  });

  it("are built after those ahead", () => {
    const planned = after(train([car("1", "a", building)]), events.planned("2", "b", ["1"]));
    expect(planned.todo).toEqual([]);
    expect(after(planned.train, events.built("1", "a")).todo).toEqual(["run-car 1", "build-car 2"]);
  });

  it("land those ahead when they pass, whose runs are cancelled", () => {
    const green = after(stacked, events.passed("2"));
    expect(green).toMatchObject({ cars: ["1 running on main", "2 advancing on main"], standings: ["a vetted", "b vetted"] });
    expect(after(green.train, events.landed("2"))).toMatchObject({ cars: [], standings: [], todo: ["cancel-run 1"] });
  });

  it("go with a red one ahead, and are not to blame", () => {
    expect(after(stacked, events.failed("1"))).toMatchObject({ cars: [], standings: ["a suspect of 1"], todo: ["cancel-run 2"] });
  });

  it("are parked when red, and blamed once those ahead have landed", () => {
    const parked = after(stacked, events.failed("2"));
    expect(parked).toMatchObject({ cars: ["1 running on main", "2 red on main"], standings: [], todo: [] });
    const green = after(parked.train, events.passed("1"));
    expect(after(green.train, events.landed("1"))).toMatchObject({ cars: [], standings: ["b suspect of 2"] });
  });

  it("need no second run when main moved by what they hold: the same tree is built again", () => {
    const landing = train([car("1", "a", advancing("1")), car("2", "b", passed("2"), { ahead: ["1"] })]);
    const again = after(landing, events.landed("1"));
    expect(again).toMatchObject({ cars: ["2 building on commit 1"], todo: ["build-car 2"] });
    const built = after(again.train, events.built("2", "b", { ...of("2"), commit: "again" }), "commit 1");
    expect(built).toMatchObject({ cars: ["2 advancing on commit 1"], todo: ["advance-main 2"] });
  });

  it("run when another tree came out", () => {
    const again = train([car("2", "b", { kind: "building", passed: "tree 2" }, { onto: newer })]);
    expect(after(again, events.built("2", "b", of("2", "another")), newer)).toMatchObject({ cars: ["2 running on newer"], todo: ["run-car 2"] });
  });

  it("go with one ahead that is of no use", () => {
    const stale = train([car("1", "a", running("1"), { onto: "older" }), car("2", "b", running("2"), { onto: "older", ahead: ["1"] })]);
    expect(after(stale, events.passed("1"))).toMatchObject({ cars: [], standings: ["a vetted"], todo: ["cancel-run 2"] });
    expect(after(stale, events.dropped("1"))).toMatchObject({ cars: [], todo: ["cancel-run 2"] });
  });
});

describe("cars side by side", () => {
  it("one advances at a time; the other goes on when that one is dropped, and is of no use when it lands", () => {
    const before = train([car("1", "a", advancing("1")), car("2", "b", running("2"))]);
    const waits = after(before, events.passed("2"));
    expect(waits).toMatchObject({ cars: ["1 advancing on main", "2 passed on main"], todo: [] });
    expect(after(waits.train, events.dropped("1"))).toMatchObject({ cars: ["2 advancing on main"], todo: ["advance-main 2"] });
    expect(after(waits.train, events.landed("1"))).toMatchObject({ cars: [], standings: ["b vetted"], todo: [] });
  });

  it("one that is not built yet is built on the new main", () => {
    const before = train([car("1", "a", advancing("1")), car("2", "b", building)]);
    expect(after(before, events.landed("1"))).toMatchObject({ cars: ["2 building on commit 1"], todo: ["build-car 2"] });
  });

  it("a part lands when no car is in flight, and otherwise proves its members", () => {
    const part = car("2", "b", running("2"), { kind: "part" });
    expect(after(train([part]), events.passed("2"))).toMatchObject({ cars: ["2 advancing on main"] });
    const beside = after(train([car("1", "a", building), part]), events.passed("2"));
    expect(beside).toMatchObject({ cars: ["1 building on main"], standings: ["b vetted"], todo: [] });
  });
});

describe("what a red car tells", () => {
  it("blames those that were never green; the others have ridden in a red one", () => {
    const told = after(train([car("1", "a b c", running("1"))], [vetted("a")]), events.failed("1"));
    expect(told.standings).toEqual(["a vetted", "b suspect of 1", "c suspect of 1"]);
    expect(standingOf(told.train, "a")).toEqual(vetted("a", 1));
  });

  it("blames all of them when each was green before", () => {
    const told = after(train([car("1", "a b", running("1"))], [vetted("a"), vetted("b")]), events.failed("1"));
    expect(told.standings).toEqual(["a suspect of 1", "b suspect of 1"]);
  });

  it("of the rest of a group nothing is known once a part of it is red, but for who was red alone", () => {
    const group = [suspect("a", "1"), suspect("b", "1"), suspect("c", "1", 1), suspect("d", "9")];
    const told = after(train([car("2", "a", running("2"), { kind: "part" })], group), events.failed("2"));
    expect(told.standings).toEqual(["a suspect of 2", "c suspect of 1", "d suspect of 9"]);
  });

  it("the last of a group is doubted when it is green without the others, and vetted when it was green with them", () => {
    const beside = car("1", "x", running("1"));
    const alone = after(train([beside, car("2", "b", running("2"), { kind: "part" })], [vetted("a"), suspect("b", "9")]), events.passed("2"));
    expect(alone.standings).toEqual(["a vetted", "b doubted"]);
    const others = after(train([beside, car("2", "b", running("2"), { kind: "part" })], [suspect("a", "9"), suspect("b", "9")]), events.passed("2"));
    expect(others.standings).toEqual(["a suspect of 9", "b vetted"]);
    const met = after(train([car("3", "a b", running("3"))], alone.train.standings), events.passed("3"));
    expect(met.standings).toEqual(["a vetted", "b vetted"]);
    expect(met.train.record.flaky).toBe(alone.train.record.flaky + 1);
  });
});

describe("who is refused after a red run", () => {
  const lone = car("1", "a", running("1"));
  const steady = { landed: 90, refused: 10, flaky: 0 };
  const flaky = { landed: 90, refused: 10, flaky: 1 };
  it.each<[string, Train, Car, boolean]>([
    ["one alone", { ...train([lone]), record: steady }, lone, true],
    ["not one of two", { ...train([]), record: steady }, car("1", "a b", running("1")), false],
    ["not on top of another car", { ...train([]), record: steady }, car("2", "a", running("2"), { ahead: ["1"] }), false],
    ["not at the first red where runs are flaky", { ...train([lone]), record: flaky }, lone, false],
    ["nor as long as that is not known", train([lone]), lone, false],
    ["but whom a red run named before", { ...train([lone], [suspect("a", "9")]), record: flaky }, lone, true],
    ["and who is doubted", { ...train([lone], [{ task: "a", soloReds: 1, kind: "doubted" }]), record: flaky }, lone, true],
    ["not who was green before", { ...train([lone], [vetted("a")]), record: flaky }, lone, false],
  ])("%s", (_, before, judged, expected) => {
    expect(convicts(before, judged)).toBe(expected);
  });

  it("a second red alone is enough", () => {
    const first = after(train([lone]), events.failed("1"));
    expect(standingOf(first.train, "a")).toEqual(suspect("a", "1", 1));
    expect(convicts(first.train, car("2", "a", running("2")))).toBe(true);
  });

  it("who was red alone and green then shows that runs are flaky", () => {
    const told = after({ ...train([lone], [suspect("a", "9", 1)]), record: steady }, events.passed("1"));
    expect(told.standings).toEqual(["a vetted"]);
    expect(told.train.record.flaky).toBe(1);
  });
});

describe("who leaves the train", () => {
  const cars = [car("1", "a b", building), car("2", "c", building, { ahead: ["1"] }), car("3", "d", running("3"))];
  const left = (task: TaskId, before = train(cars, [vetted(task)])): string[] =>
    leaveTrain(before, task, "refused").cars.map(({ id, members }) => `${id} ${members}`);

  it("leaves a car that is not built yet", () => {
    expect(left("b")).toEqual(["1 a", "2 c", "3 d"]);
  });
  it("takes an empty car with it, and those behind", () => {
    expect(left("d")).toEqual(["1 a,b", "2 c"]);
    expect(left("a", train([car("1", "a", building), car("2", "c", building, { ahead: ["1"] })]))).toEqual([]);
  });
  it("takes a car with it that was built with it", () => {
    expect(left("a", train([car("1", "a b", running("1")), car("2", "c", red("2"), { ahead: ["1"] })]))).toEqual([]);
  });
  it("is known no more, and counts when refused", () => {
    expect(leaveTrain(train(cars, [vetted("b")]), "b", "refused")).toMatchObject({ standings: [], record: { refused: 1 } });
    expect(leaveTrain(train(cars, [vetted("b")]), "b", "cancelled").record).toEqual(emptyTrain.record);
  });
  it("all do when others push to main, and what runs have shown stays", () => {
    const step = abandonCars(train(cars, [vetted("b")]), project);
    expect(step).toMatchObject({ outcome: "moved", state: { cars: [], standings: [vetted("b")] } });
    expect(step.outcome === "moved" && step.effects.map((effect) => effect.do)).toEqual(["cancel-run"]);
  });
});

describe("late, repeated and wrong events", () => {
  const at = (state: CarState): Train => train([car("1", "a", state)]);
  it.each<[string, Train, CarEvent, string]>([
    ["a car that is gone", emptyTrain, events.passed("1"), "stale"],
    ["a landing that is known", emptyTrain, events.landed("1"), "stale"],
    ["built twice", at(running("1")), events.built("1", "a"), "stale"],
    ["built on a main that is not its own any more", at(building), { ...events.built("1", "a"), onto: "older" } as CarEvent, "stale"],
    ["passed twice", at(passed("1")), events.passed("1"), "stale"],
    ["failed after it passed", at(advancing("1")), events.failed("1"), "stale"],
    ["failed twice", at(red("1")), events.failed("1"), "stale"],
    ["broken before it ran", at(building), events.broken("1"), "stale"],
    ["planned twice", at(building), events.planned("1", "a"), "illegal"],
    ["planned with one that is in a car", at(building), events.planned("2", "a"), "illegal"],
    ["planned behind a car that is gone", at(building), events.planned("2", "b", ["7"]), "stale"],
    [
      "planned behind a car without those ahead of that",
      train([car("1", "a", building), car("2", "b", building, { ahead: ["1"] })]),
      events.planned("3", "c", ["2"]),
      "illegal",
    ],
    ["landed without being judged", at(running("1")), events.landed("1"), "illegal"],
    ["landed as another commit", at({ kind: "advancing", candidate: of("9") }), events.landed("1"), "illegal"],
  ])("%s", (_, before, event, expected) => {
    expect(outcomeOf(before, event)).toBe(expected);
  });
});
