import { type CarId, heldMembers, type TaskId } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { driveTrain, type TrainDriver } from "../testing/drive-train.ts";
import { planTrain } from "./plan-train.ts";

/** What the gate would say, and what goes wrong on the way. Troubles end, branches have to as well. */
const anyLanding = fc.record({
  slots: fc.integer({ min: 1, max: 6 }),
  branches: fc.array(
    fc.record({
      bad: fc.boolean(),
      worse: fc.boolean(),
      alone: fc.integer({ min: 0, max: 9 }),
      misfit: fc.integer({ min: 0, max: 9 }),
      group: fc.integer({ min: 0, max: 5 }),
    }),
    {
      minLength: 1,
      maxLength: 24,
    },
  ),
  /** Branches that are red only together: two, or three. */
  clashes: fc.array(fc.uniqueArray(fc.nat(23), { minLength: 2, maxLength: 3 }), { maxLength: 4 }),
  choices: fc.infiniteStream(fc.nat(2 ** 30)),
  flakes: fc.nat(6),
  troubles: fc.nat(6),
});
type Landing = typeof anyLanding extends fc.Arbitrary<infer T> ? T : never;

interface Told {
  landed: TaskId[];
  refused: TaskId[];
  /** For each refused branch, whether it is red on main as it was then. */
  guilty: boolean[];
  steps: number;
  history: string[];
}

function play(landing: Landing, check: (driver: TrainDriver, told: Told) => void = () => {}): Told {
  const { slots, branches, clashes } = landing;
  let { flakes, troubles } = landing;
  const told: Told = { landed: [], refused: [], guilty: [], steps: 0, history: [] };
  const names = branches.map((_, at) => `shop/S${at + 10}`);
  const isBad = ({ bad, worse }: Landing["branches"][number]): boolean => bad && worse;
  const faults = [...branches.flatMap((branch, at) => (isBad(branch) ? [[at]] : [])), ...clashes].map((members) => members.map((at) => names[at]));
  const isRed = (held: readonly TaskId[], below: readonly TaskId[]): boolean => {
    const tree = new Set<TaskId | undefined>([...held, ...below]);
    return faults.some((fault) => fault.every((task) => tree.has(task)));
  };
  const misfits = new Set(branches.flatMap(({ misfit }, at) => (misfit === 0 ? [names[at]] : [])));
  const runs = new Map<CarId, boolean>();
  const driver = driveTrain(slots, {
    started: (car, held, below) => runs.set(car, isRed(held, below)),
    cancelled: (car) => runs.delete(car),
    landed: (tasks) => told.landed.push(...tasks),
    refused(task) {
      told.refused.push(task);
      told.guilty.push(misfits.has(task) || isRed([task], told.landed));
    },
    misfit: (task) => misfits.has(task),
  });
  const chance = landing.choices[Symbol.iterator]();
  const below = (limit: number): number => chance.next().value % limit;
  const judge = (): void => {
    const flying = [...runs];
    const [car, red] = flying[below(flying.length)] ?? ["", false];
    runs.delete(car);
    if (troubles > 0 && below(4) === 0) {
      troubles--;
      driver.breakRun(car);
      return;
    }
    const flaky = flakes > 0 && below(3) === 0;
    if (flaky) flakes--;
    driver.judge(car, red || flaky);
  };
  let arrived = 0;
  let planned = false;
  while (arrived < names.length || driver.waiting().length > 0) {
    told.steps++;
    if (told.steps > 400 + 100 * names.length) throw new Error(`no end: ${told.history.slice(-60).join("; ")}`);
    const pending = driver.pending();
    const moves: string[] = [
      ...(planned ? [] : ["plan"]),
      ...(arrived < names.length ? ["arrive"] : []),
      ...(pending.length > 0 ? ["perform", "perform"] : []),
      ...(runs.size > 0 ? ["judge"] : []),
      ...(troubles > 0 && below(8) === 0 ? ["trouble"] : []),
    ];
    if (moves.length === 0) throw new Error(`stuck: ${told.history.join("; ")}`);
    const move: string | undefined = moves[below(moves.length)];
    const branch = branches[arrived];
    const effect = pending[below(Math.max(1, pending.length))];
    planned = move === "plan";
    if (move === "plan") told.history.push(...driver.plan().map((car) => `${car.kind} ${car.members} behind ${car.ahead}`));
    if (move === "arrive" && branch !== undefined) {
      const group = branch.group > 2 ? undefined : `g${branch.group}`;
      driver.arrive({ task: names[arrived++] ?? "", group, alone: branch.alone === 0 });
    }
    if (move === "perform" && effect !== undefined) driver.perform(effect);
    if (move === "judge") judge();
    if (move === "trouble") {
      troubles--;
      const { cars } = driver.train();
      const car = cars[below(Math.max(1, cars.length))];
      if (below(3) === 0 || car === undefined) driver.moveMain();
      else driver.drop(car.id);
    }
    check(driver, told);
  }
  return told;
}

const quiet = anyLanding.map((landing) => ({ ...landing, flakes: 0 }));

describe("safety of every landing", () => {
  it("no branch is lost or twice in a car, at most one car advances, no more run than slots, and who rides alone does", () => {
    fc.assert(
      fc.property(anyLanding, (landing) => {
        const lone = new Set(landing.branches.flatMap(({ alone }, at) => (alone === 0 ? [`shop/S${at + 10}`] : [])));
        let arrived = 0;
        play(landing, (driver, { landed, refused }) => {
          const { cars, standings } = driver.train();
          const waiting = driver.waiting().map(({ task }) => task);
          const known = [...waiting, ...landed, ...refused];
          expect(new Set(known).size).toBe(known.length);
          expect(known.length).toBeGreaterThanOrEqual(arrived);
          arrived = known.length;
          const members = cars.flatMap((car) => car.members);
          expect(new Set(members).size).toBe(members.length);
          expect([...members, ...standings.map(({ task }) => task)].filter((task) => !waiting.includes(task))).toEqual([]);
          expect(new Set(standings.map(({ task }) => task)).size).toBe(standings.length);
          expect(cars.filter(({ state }) => state.kind === "advancing").length).toBeLessThanOrEqual(1);
          expect(cars.filter(({ state }) => state.kind === "running").length).toBeLessThanOrEqual(landing.slots);
          for (const car of cars) if (car.members.some((task) => lone.has(task))) expect(heldMembers(driver.train(), car)).toHaveLength(1);
        });
      }),
      { numRuns: 150 },
    );
  });

  it("the plan is the same for the same train, and planning again adds nothing", () => {
    fc.assert(
      fc.property(anyLanding, (landing) => {
        play(landing, (driver) => {
          expect(planTrain(driver.train(), driver.waiting(), landing.slots)).toEqual(planTrain(driver.train(), driver.waiting(), landing.slots));
          driver.plan();
          expect(planTrain(driver.train(), driver.waiting(), landing.slots)).toEqual([]);
        });
      }),
      { numRuns: 150 },
    );
  });

  it("nobody bad lands", () => {
    fc.assert(
      fc.property(anyLanding, (landing) => {
        const { landed } = play(landing);
        const bad = landing.branches.flatMap(({ bad, worse }, at) => (bad && worse ? [`shop/S${at + 10}`] : []));
        for (const task of bad) expect(landed).not.toContain(task);
        for (const clash of landing.clashes.filter((ids) => ids.every((at) => at < landing.branches.length))) {
          expect(clash.every((at) => landed.includes(`shop/S${at + 10}`))).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("without flakes, only who is red on main is refused", () => {
    fc.assert(
      fc.property(quiet, (landing) => {
        expect(play(landing).guilty).not.toContain(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe("liveness of every landing", () => {
  it("every branch lands or is refused once troubles are over", () => {
    fc.assert(
      fc.property(anyLanding, (landing) => {
        const { landed, refused } = play(landing);
        expect(landed.length + refused.length).toBe(landing.branches.length);
      }),
      { numRuns: 1000 },
    );
  });
});
