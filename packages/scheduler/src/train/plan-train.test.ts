import { type Car, type CarState, emptyTrain, type Standing, type Train } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { evenPart, evenSize, expectedBad } from "./expect-bad.ts";
import { planTrain, type WaitingBranch } from "./plan-train.ts";

const record = { landed: 95, refused: 5, flaky: 0 };
const states: Record<string, CarState> = {
  building: { kind: "building", passed: null },
  running: { kind: "running", candidate: { commit: "c", merge: "m", tree: "t" }, builtOn: "main", broken: 0 },
  red: { kind: "red", candidate: { commit: "c", merge: "m", tree: "t" } },
  advancing: { kind: "advancing", candidate: { commit: "c", merge: "m", tree: "t" } },
};

function car(id: string, members: string, state = "running", more: Partial<Car> = {}): Car {
  return {
    id,
    kind: "car",
    members: members.split(" "),
    ahead: [],
    onto: "main",
    state: states[state] ?? { kind: "building", passed: null },
    ...more,
  };
}

const part = (id: string, members: string, state = "running"): Car => car(id, members, state, { kind: "part" });
const vetted = (task: string, reds = 0): Standing => ({ task, soloReds: 0, kind: "vetted", reds });
const suspect = (task: string, group: string): Standing => ({ task, soloReds: 0, kind: "suspect", group });

function train(cars: readonly Car[] = [], standings: readonly Standing[] = []): Train {
  return { ...emptyTrain, lastCar: cars.length, cars, standings, record };
}

/** Branches by name; `!` rides alone, `x:g` goes together with group g. */
function waiting(names: string): WaitingBranch[] {
  return names.split(" ").map((name) => {
    const [task = "", group] = name.replace("!", "").split(":");
    return { task, group, alone: name.includes("!") };
  });
}

/** `car a b behind 1`, one a line. */
function plan(state: Train, names: string, slots: number): string[] {
  return planTrain(state, waiting(names), slots).map(({ kind, members, ahead }) =>
    [kind, ...members, ...(ahead.length > 0 ? ["behind", ...ahead] : [])].join(" "),
  );
}

const many = Array.from({ length: 40 }, (_, at) => `t${at + 10}`).join(" ");

describe("the plan of a train", () => {
  it.each<[string, Train, string, number, string[]]>([
    ["a car of all that wait", train(), "a b c", 1, ["car a b c"]],
    ["nothing without a slot", train([car("1", "a")]), "a b", 1, []],
    [
      "a parked car takes no slot, and nothing is stacked on it",
      train([car("1", "a"), car("2", "b", "red", { ahead: ["1"] })]),
      "a b c",
      2,
      ["part c"],
    ],
    ["a car behind those that rather pass", train([car("1", "a")]), "a b c", 2, ["car b c behind 1"]],
    ["a part beside those that do not", train([car("1", many)]), `${many} b c`, 2, ["part b c"]],
    ["vetted ones ride with the next car, in landing order", train([], [vetted("b")]), "a b c", 1, ["car a b c"]],
    ["and alone once they rode in a red one; others behind them", train([], [vetted("b", 1)]), "a b c", 2, ["car b", "car a c behind 1"]],
    ["half of a red group before anything new", train([], [suspect("a", "9"), suspect("b", "9")]), "a b c", 2, ["part a", "car c"]],
    ["the other half when nothing else is there", train([], [suspect("a", "9"), suspect("b", "9")]), "a b", 2, ["part a", "part b"]],
    [
      "no more than one part of a group while others can use the slot",
      train([part("1", "a")], [suspect("a", "9"), suspect("b", "9")]),
      "a b c",
      2,
      ["car c"],
    ],
    [
      "one of each red group first",
      train(
        [],
        ["a", "b"].flatMap((at) => [suspect(`${at}1`, at), suspect(`${at}2`, at)]),
      ),
      "a1 a2 b1 b2",
      2,
      ["part a1", "part b1"],
    ],
    ["who is left of a group alone", train([], [suspect("b", "9"), vetted("a")]), "a b", 1, ["part b"]],
    ["nothing new while a part advances main", train([part("1", "a", "advancing")]), "a b", 2, []],
    ["a doubted one in a car", train([], [{ task: "a", soloReds: 1, kind: "doubted" }, vetted("b")]), "a b", 1, ["car a b"]],
    ["and in no part", train([car("1", many)], [{ task: "a", soloReds: 1, kind: "doubted" }]), `${many} a b`, 2, ["part b"]],
    ["who rides alone in a car of its own, and others beside it", train(), "a! b c", 2, ["car a", "part b c"]],
    ["without it when it is not the first", train(), "b a! c", 1, ["car b c"]],
    ["nothing in line behind others for it", train([car("1", "b")]), "b a! c", 2, ["part c"]],
  ])("%s", (_, state, names, slots, expected) => {
    expect(plan(state, names, slots)).toEqual(expected);
  });

  it("takes as many unproven ones as make a car as likely red as green, and any number of vetted ones", () => {
    const sizes = (standings: readonly Standing[]): number[] =>
      planTrain(train([], standings), waiting(many), 1).map(({ members }) => members.length);
    expect(sizes([])).toEqual([14]);
    expect(
      sizes(
        many
          .split(" ")
          .slice(0, 20)
          .map((task) => vetted(task)),
      ),
    ).toEqual([34]);
  });

  it("prefers those that go together, and keeps the first", () => {
    const bad = { ...train(), record: { landed: 70, refused: 30, flaky: 0 } };
    expect(plan(bad, "a:x b c:x d", 1)).toEqual(["car a c"]);
    expect(plan(bad, "b a:x d c:x", 1)).toEqual(["car b a"]);
  });

  it("splits a red group finer when slots would be idle", () => {
    const group = "a b c d e f g h";
    const red = train(
      [],
      group.split(" ").map((task) => suspect(task, "9")),
    );
    expect(plan(red, group, 1)).toEqual(["part a b c d"]);
    expect(plan(red, group, 3)).toEqual(["part a b", "part c d", "part e f"]);
    expect(plan(red, group, 8)).toHaveLength(8);
  });
});

describe("how many share a run", () => {
  it("follows the record, from one in twenty", () => {
    expect(expectedBad(emptyTrain.record)).toBe(0.05);
    expect(expectedBad({ landed: 80, refused: 20, flaky: 0 })).toBeCloseTo(0.19, 2);
  });
  it.each([
    [0.01, 32],
    [0.05, 14],
    [0.2, 3],
    [0.35, 2],
    [0.4, 1],
  ])("at %d bad: %d", (bad, size) => {
    expect(evenSize(bad)).toBe(size);
  });
  it.each([
    [1, 0.1, 1],
    [2, 0.1, 1],
    [3, 0.2, 1],
    [8, 0.05, 4],
    [32, 0.02, 13],
  ])("of a red group of %d at %d bad: %d", (members, bad, size) => {
    expect(evenPart(members, bad)).toBe(size);
  });
});
