import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { busySnapshotDraw, now, snapshotDraw } from "../../../../test/kit/draw-snapshot.ts";
import { decide } from "../decide.ts";
import { createExplainer, type Explanation } from "./explain-task.ts";

describe("explanations", () => {
  it("say that a task starts at once if and only if the scheduler starts it", () => {
    const seen = new Set<Explanation["kind"]>();
    fc.assert(
      fc.property(fc.oneof(snapshotDraw, busySnapshotDraw), (snapshot) => {
        const explain = createExplainer(snapshot, now);
        const starts = decide(snapshot, now).flatMap((decision) => (decision.decide === "place" ? [decision.task] : []));
        const told = [...snapshot.world.tasks.values()].filter((task) => {
          const { kind } = explain(task);
          seen.add(kind);
          return kind === "about-to-start";
        });
        expect(told.map((task) => task.id).sort()).toEqual(starts.sort());
      }),
      { numRuns: 3000 },
    );
    for (const kind of [
      "lock",
      "slot",
      "no-node-fits",
      "nodes-down",
      "nodes-closed",
      "dependency",
      "backoff",
      "project-paused",
      "about-to-start",
    ] as const)
      expect(seen).toContain(kind);
  });

  it("name a holder that is in the way: without its lock that lock is no reason any more", () => {
    fc.assert(
      fc.property(snapshotDraw, (snapshot) => {
        const explain = createExplainer(snapshot, now);
        for (const task of snapshot.world.tasks.values()) {
          const explanation = explain(task);
          if (explanation.kind !== "lock") continue;
          const holder = snapshot.world.tasks.get(explanation.holder);
          if (holder === undefined) throw new Error(explanation.holder);
          const gone = { ...holder, state: { kind: "cancelled" as const, by: "x", tries: 1, limit: 4, feedback: [] } };
          const without = { ...snapshot, world: { ...snapshot.world, tasks: new Map([...snapshot.world.tasks, [gone.id, gone]]) } };
          const after = createExplainer(without, now)(task);
          expect(after.kind === "lock" && after.holder === holder.id).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});
