import { holdsSlot, type Task } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { now, snapshotDraw } from "../../../../test/kit/draw-snapshot.ts";
import { firstMeeting, locksOf } from "../locks/lock-set.ts";
import { aNode, aProjectRow, aSnapshot, aTask } from "../testing/build-snapshot.ts";
import { forecastRun } from "./forecast-run.ts";

const options = { minutesOf: (task: Task) => task.spec.estimateMinutes };

describe("a forecast", () => {
  it("runs what may run side by side, lands it, and then what waited for it", () => {
    const tasks = [aTask("S01"), aTask("S02", { dependsOn: ["S01"] }), aTask("S03", { modifies: ["src/S01.ts"], estimateMinutes: 5 }), aTask("S04")];
    const { bars, landedAt } = forecastRun(aSnapshot({ tasks, nodes: [aNode(4)] }), 0, { ...options, landingMinutesOf: () => 1 });
    const minutes = bars.map(({ task, from, to }) => [task.slice(5), from / 60_000, to / 60_000]);
    expect(minutes).toEqual([
      ["S01", 0, 10],
      ["S04", 0, 10],
      ["S02", 11, 21],
      ["S03", 11, 16],
    ]);
    expect(landedAt.get("shop/S02")).toBe(22 * 60_000);
  });

  it("leaves what waits for a person, unless it is told to look beyond", () => {
    const tasks = [aTask("S01"), aTask("S02", { modifies: ["src/S01.ts"] })];
    const snapshot = aSnapshot({ tasks, nodes: [aNode(2)], policy: "on-collect" });
    const stuck = forecastRun(snapshot, 0, options);
    expect(stuck.bars.map((bar) => bar.task)).toEqual(["shop/S01"]);
    expect([...stuck.rest.world.tasks.values()].map((task) => task.state.kind)).toEqual(["queued", "planned"]);
    expect(forecastRun(snapshot, 0, { ...options, unhindered: true }).landedAt.size).toBe(2);
    const paused = aSnapshot({ tasks, nodes: [aNode(2)], project: aProjectRow({ placing: { kind: "paused", by: "x" } }) });
    expect(forecastRun(paused, 0, options).bars).toEqual([]);
  });

  it("never runs more than the slots, two tasks whose locks meet, or a task before what it waits for", () => {
    fc.assert(
      fc.property(snapshotDraw, (snapshot) => {
        const { bars, landedAt, rest } = forecastRun(snapshot, now, options);
        const started = bars.filter((bar) => bar.from >= now && bar.to > bar.from && rest.world.tasks.get(bar.task)?.state.kind !== "cancelled");
        for (const bar of started) {
          const task = rest.world.tasks.get(bar.task);
          if (task === undefined) throw new Error(bar.task);
          for (const id of task.spec.dependsOn) {
            const before = snapshot.world.tasks.get(`${task.project}/${id}`)?.state.kind === "merged" ? 0 : landedAt.get(`${task.project}/${id}`);
            expect(before ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(bar.from);
          }
          const beside = started.filter((other) => other !== bar && other.from <= bar.from && bar.from < other.to);
          for (const other of beside) {
            const rival = rest.world.tasks.get(other.task);
            if (rival === undefined || rival.project !== task.project) continue;
            expect(firstMeeting(locksOf(task.spec, undefined), locksOf(rival.spec, undefined))).toBeUndefined();
          }
          const slots = snapshot.nodes.find((node) => node.id === bar.node)?.slots ?? 0;
          expect(beside.filter((other) => other.node === bar.node).length).toBeLessThan(slots);
        }
        expect([...rest.world.attempts.values()].filter(holdsSlot)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
