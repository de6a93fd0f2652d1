import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CarEvent, emptyTrain, heldMembers, leaveTrain, type Train, transitionTrain } from "./train.ts";

const project = "shop";
const tasks = ["a", "b", "c", "d", "e"];

/** Any event about any car, sensible or not. */
const anyMove = fc.record({
  kind: fc.nat(8),
  car: fc.integer({ min: 1, max: 5 }).map(String),
  members: fc.subarray(tasks, { minLength: 1 }),
  ahead: fc.subarray(["1", "2", "3"]),
  part: fc.boolean(),
  same: fc.boolean(),
});
type Move = typeof anyMove extends fc.Arbitrary<infer T> ? T : never;

function eventOf({ kind, car: n, members, ahead, part, same }: Move, train: Train): CarEvent {
  const known = n === "5" ? undefined : train.cars[Number(n) - 1];
  const car = known?.id ?? n;
  const candidate =
    known !== undefined && "candidate" in known.state ? known.state.candidate : { commit: `c${car}`, merge: "", tree: same ? "t" : car };
  const own = known?.members ?? members;
  const free = members.filter((task) => !train.cars.some((other) => other.members.includes(task))).slice(0, 2);
  const events: CarEvent[] = [
    { type: "car-planned", project, car: n, kind: part ? "part" : "car", members, ahead },
    {
      type: "car-planned",
      project,
      car: String(train.lastCar + 1),
      kind: part ? "part" : "car",
      members: free,
      ahead: same ? [] : train.cars.map(({ id }) => id),
    },
    { type: "car-built", project, car, members: own, candidate },
    { type: "car-passed", project, car, candidate, run: "r", gateHash: "g", verify: [] },
    { type: "car-failed", project, car, findings: [] },
    { type: "run-broken", project, car, because: "no space" },
    { type: "car-dropped", project, car, because: "it cannot be built" },
  ];
  return events[kind] ?? { type: "car-landed", project, car, commit: candidate.commit, from: "main" };
}

/** All trains of a random history, each with the event before it. */
function history(moves: readonly Move[]): { train: Train; event: CarEvent; outcome: string }[] {
  let train = emptyTrain;
  let main = "main";
  return moves.map((move) => {
    const event = eventOf(move, train);
    const step = transitionTrain(train, event, main);
    const landing = step.outcome === "moved" && event.type === "car-landed";
    if (landing) main = event.commit;
    if (step.outcome === "moved") train = step.state;
    if (!landing && move.same && event.type === "car-failed") for (const task of move.members.slice(0, 1)) train = leaveTrain(train, task, "refused");
    return { train, event, outcome: step.outcome };
  });
}

const moves = fc.array(anyMove, { maxLength: 80, size: "max" });

describe("every history of a train", () => {
  it("reaches every state of a car", () => {
    const reached = new Set(
      fc
        .sample(moves, { numRuns: 800, seed: 1 })
        .flatMap((drawn) => history(drawn).flatMap(({ train }) => train.cars.map(({ state }) => state.kind))),
    );
    expect([...reached].sort()).toEqual(["advancing", "building", "passed", "red", "running"]);
  });

  it("has each task in one car at most, once in what is known, and one car that advances", () => {
    fc.assert(
      fc.property(moves, (drawn) => {
        for (const { train } of history(drawn)) {
          const members = train.cars.flatMap((car) => car.members);
          expect(new Set(members).size).toBe(members.length);
          expect(new Set(train.standings.map(({ task }) => task)).size).toBe(train.standings.length);
          expect(train.cars.filter(({ state }) => state.kind === "advancing").length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("keeps a car only as long as all those ahead of it are there", () => {
    fc.assert(
      fc.property(moves, (drawn) => {
        for (const { train } of history(drawn)) {
          const ids = train.cars.map(({ id }) => id);
          for (const car of train.cars) {
            expect(ids).toEqual(expect.arrayContaining([...car.ahead]));
            expect(heldMembers(train, car).length).toBeGreaterThanOrEqual(car.members.length + car.ahead.length);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes a verdict once", () => {
    fc.assert(
      fc.property(moves, (drawn) => {
        for (const { train, event, outcome } of history(drawn)) {
          if (outcome !== "moved" || event.type === "run-broken" || event.type === "car-planned") continue;
          expect(transitionTrain(train, event, "main").outcome).toBe("stale");
        }
      }),
      { numRuns: 300 },
    );
  });
});
