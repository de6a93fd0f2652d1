import { isGlob, type Task } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstMeeting, locksOf } from "../locks/lock-set.ts";
import { aNode, aProjectRow, aSnapshot, aTask } from "../testing/build-snapshot.ts";
import { planRun } from "./plan-run.ts";
import { criticalPath, lockChains } from "./plan-run-bounds.ts";
import { planWaves } from "./plan-run-waves.ts";

const minutesOf = (task: Task) => task.spec.estimateMinutes;

/** Tasks whose dependencies point at earlier ones, with locks that meet now and then. */
const tasksDraw = fc
  .array(
    fc.record({
      dependsOn: fc.uniqueArray(fc.nat(20), { maxLength: 2 }),
      modifies: fc.uniqueArray(fc.constantFrom("lib", "lib/a.ts", "lib/b.ts", "src/*.ts", "src/x.ts", "docs/r.md", "docs"), {
        minLength: 1,
        maxLength: 2,
      }),
      estimateMinutes: fc.integer({ min: 1, max: 20 }),
    }),
    { maxLength: 14 },
  )
  .map((draws) =>
    draws.map(({ dependsOn, ...rest }, i) => aTask(`S${10 + i}`, { ...rest, dependsOn: dependsOn.filter((n) => n < i).map((n) => `S${10 + n}`) })),
  );

describe("a plan", () => {
  it("of nothing is empty", () => {
    const plan = planRun(aSnapshot({ tasks: [] }), "shop", 0, { minutesOf });
    expect(plan).toMatchObject({ tasks: [], waves: [], minutes: 0, workMinutes: 0, hotSpots: [], never: [], width: { most: 0, over: [] } });
  });

  it("shows waves, critical path, width, bounds and what the hot spot costs", () => {
    const tasks = [
      aTask("S01", { modifies: ["lib/a.ts"] }),
      aTask("S02", { modifies: ["lib"], estimateMinutes: 30 }),
      aTask("S03", { modifies: ["src/x.ts"], dependsOn: ["S01"], estimateMinutes: 5 }),
      aTask("S04", { modifies: ["docs/r.md"] }),
    ];
    const plan = planRun(aSnapshot({ tasks, nodes: [aNode(4)] }), "shop", 0, { minutesOf });
    expect(plan.waves.map((wave) => wave.tasks.map((id) => id.slice(5)).sort())).toEqual([["S02", "S04"], ["S01"], ["S03"]]);
    expect(plan.critical).toEqual({ tasks: ["shop/S02"], minutes: 30 });
    expect(plan.bounds).toEqual({ criticalPath: 30, workPerSlot: 55 / 4, lockChain: 40, lockEntry: "lib/a.ts" });
    expect(plan.minutes).toBeGreaterThanOrEqual(40);
    expect(plan.hotSpots[0]).toMatchObject({ entry: "lib/a.ts", minutes: 40, addsMinutes: plan.minutes - 30 });
    expect(plan.width.over.at(-1)).toEqual({ at: plan.minutes, running: 0 });
  });

  it("takes slots away or adds them, and nodes that are down for up", () => {
    const tasks = [1, 2, 3, 4, 5, 6].map((n) => aTask(`S0${n}`));
    const nodes = [aNode(1), aNode(1, { id: "b", status: { kind: "down", because: "no link", since: 0 } })];
    const minutes = (slots?: number) =>
      planRun(aSnapshot({ tasks, nodes }), "shop", 0, { minutesOf, ...(slots === undefined ? {} : { slots }) }).minutes;
    expect([minutes(), minutes(1), minutes(6), minutes(100)]).toEqual([30, 60, 10, 10]);
  });

  it("names what can never start, and starts what is only paused, frozen or not collected", () => {
    const tasks = [aTask("S01"), aTask("S02", { dependsOn: ["S09"] }), aTask("S03", { nodes: ["mars"] }), aTask("S04", { dependsOn: ["S03"] })];
    const project = aProjectRow({ placing: { kind: "paused", by: "x" }, landing: { kind: "frozen", because: "red" } });
    const plan = planRun(aSnapshot({ tasks, project, policy: "on-collect" }), "shop", 0, { minutesOf });
    expect(plan.tasks.map((row) => row.task)).toEqual(["shop/S01"]);
    expect(plan.never).toEqual(["shop/S02", "shop/S03", "shop/S04"]);
  });

  it("is never shorter than any of its bounds, and loses no task", () => {
    fc.assert(
      fc.property(tasksDraw, fc.integer({ min: 1, max: 5 }), (tasks, slots) => {
        const plan = planRun(aSnapshot({ tasks, nodes: [aNode(slots)] }), "shop", 0, { minutesOf });
        for (const bound of [plan.bounds.criticalPath, plan.bounds.workPerSlot, plan.bounds.lockChain])
          expect(plan.minutes).toBeGreaterThanOrEqual(bound - 1e-6);
        expect(plan.tasks).toHaveLength(tasks.length);
        expect(plan.waves.flatMap((wave) => wave.tasks)).toHaveLength(tasks.length);
        expect(plan.width.most).toBeLessThanOrEqual(slots);
      }),
      { numRuns: 200 },
    );
  });
});

describe("its parts", () => {
  it("waves hold no two tasks whose locks meet, and nothing beside what it waits for", () => {
    fc.assert(
      fc.property(tasksDraw, (tasks) => {
        const policy = { contracts: ["docs"], shared: [], generated: [] };
        const waves = planWaves(tasks, policy);
        for (const [level, wave] of waves.entries()) {
          for (const task of wave) {
            for (const other of wave) {
              if (other !== task) expect(firstMeeting(locksOf(task.spec, policy), locksOf(other.spec, policy))).toBeUndefined();
            }
            for (const id of task.spec.dependsOn)
              expect(
                waves
                  .slice(0, level)
                  .flat()
                  .map((one) => one.spec.id),
              ).toContain(id);
          }
        }
      }),
    );
  });

  it("tasks of a lock chain exclude each other, every one", () => {
    fc.assert(
      fc.property(tasksDraw, (tasks) => {
        for (const chain of lockChains(tasks, undefined, minutesOf)) {
          expect(chain.minutes).toBe(chain.tasks.reduce((sum, task) => sum + minutesOf(task), 0));
          for (const task of chain.tasks) {
            for (const other of chain.tasks) {
              if (other !== task)
                expect([
                  chain.entry,
                  isGlob(chain.entry),
                  firstMeeting(locksOf(task.spec, undefined), locksOf(other.spec, undefined))?.kind,
                ]).toContain("write-write");
            }
          }
        }
      }),
    );
  });

  it("the critical path is a chain, and no chain is longer", () => {
    fc.assert(
      fc.property(tasksDraw, (tasks) => {
        const path = criticalPath(tasks, minutesOf);
        const byId = new Map(tasks.map((task) => [task.id, task]));
        for (const [i, id] of path.tasks.entries()) {
          const before = path.tasks[i - 1];
          if (before !== undefined) expect(byId.get(id)?.spec.dependsOn).toContain(before.slice(5));
        }
        const longest = (task: Task): number =>
          minutesOf(task) + Math.max(0, ...task.spec.dependsOn.map((specId) => longest(byId.get(`shop/${specId}`) as Task)));
        expect(path.minutes).toBe(Math.max(0, ...tasks.map(longest)));
      }),
    );
  });
});
