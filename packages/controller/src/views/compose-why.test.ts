import { emptyWorld, evolve, type FactoryEvent, plainNode, type World, withChange } from "@dispatch/core";
import type { Snapshot } from "@dispatch/scheduler";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported } from "../../../../test/kit/build-facts.ts";
import { composeStandings, composeWhy, composeWhyAll } from "./compose-why.ts";

const node = {
  id: "local",
  slots: 2,
  lowPriority: false,
  labels: [],
  executors: null,
  capacity: { cpus: 8, memoryMb: 1000, gpus: 0 },
  load: null,
  ...plainNode,
  status: { kind: "up" as const },
};

function worldOf(facts: readonly FactoryEvent[]): World {
  let world = emptyWorld();
  for (const [at, fact] of facts.entries()) {
    const evolution = evolve(world, fact, at);
    if (evolution.outcome !== "moved") throw new Error(`${fact.type}: ${evolution.because}`);
    world = withChange(world, evolution.change);
  }
  return world;
}

function snapshotOf(facts: readonly FactoryEvent[], landing: "continuous" | "on-collect" = "continuous"): Snapshot {
  const policy = { landing, contracts: [], shared: [], generated: [], barrier: [], share: 1, executor: null };
  return { world: worldOf(facts), nodes: [node], projects: new Map([["shop", policy]]) };
}

const start: FactoryEvent = { type: "project-started", project: "shop", main: anOid(1) };
const end = (
  id: string,
  outcome: Extract<Extract<FactoryEvent, { type: "wrapper-reported" }>["fact"], { type: "attempt-ended" }>["outcome"],
): FactoryEvent[] => [
  { type: "task-placed", task: `shop/${id}`, attempt: `shop--${id}--1`, n: 1, node: "local", base: anOid(1), executor: "x" },
  reported(`shop--${id}--1`, 1, { type: "attempt-ended", outcome }),
  { type: "attempt-collected", attempt: `shop--${id}--1`, tip: anOid(2), salvage: null },
];
const chain = [planned(aSpec("S01")), planned(aSpec("S02", { dependsOn: ["S01"] })), planned(aSpec("S03", { dependsOn: ["S02"] }))];
const parked = snapshotOf([start, ...chain, ...end("S01", { kind: "exhausted", rounds: 3, findings: [] })]);
const now = 60_000;

function why(snapshot: Snapshot, id: string) {
  const task = snapshot.world.tasks.get(`shop/${id}`);
  if (task === undefined) throw new Error(id);
  return composeWhy(snapshot, task, { troubles: [], forecast: [] }, now);
}

describe("why a task is where it is", () => {
  it("goes down to what would move it, and says who else waits for that", () => {
    const view = why(parked, "S03");
    expect(view.chain.map((link) => link.task)).toEqual(["shop/S03", "shop/S02", "shop/S01"]);
    expect(view.root).toMatchObject({ kind: "parked", needs: "lead", task: "shop/S01", tasks: ["shop/S01", "shop/S02", "shop/S03"] });
    expect(view).toMatchObject({ expectedStart: null, explanation: { kind: "dependency" } });
  });

  it("says when a start is expected", () => {
    const view = why(snapshotOf([start, ...chain]), "S02");
    expect(view.expectedStart).toBe(now + 10 * 60_000);
  });

  it("has no one waiting for what is over", () => {
    const cancelled = snapshotOf([start, planned(aSpec("S01")), { type: "task-cancelled", task: "shop/S01", by: "x" }]);
    expect(why(cancelled, "S01").root.tasks).toEqual([]);
  });
});

describe("why everything is where it is", () => {
  it("puts every unfinished task under its root cause, the biggest first", () => {
    const extra = planned(aSpec("S04"));
    const snapshot = snapshotOf([start, ...chain, extra, ...end("S01", { kind: "exhausted", rounds: 3, findings: [] })]);
    const all = composeWhyAll(snapshot, now);
    expect(all.causes.map((cause) => [cause.kind, cause.tasks.length])).toEqual([
      ["parked", 3],
      ["about-to-start", 1],
    ]);
    expect(all).toMatchObject({ unfinished: 4, standings: [{ project: "shop", kind: "moving" }] });
    expect(composeWhyAll(snapshot, now, "docs")).toMatchObject({ unfinished: 0, causes: [], standings: [] });
  });

  it("names the tasks that wait for a collect, and that only the lead moves them", () => {
    const done = [
      ...end("S01", { kind: "succeeded", tip: anOid(2), base: anOid(1), rounds: 1 }),
      { type: "result-checked" as const, attempt: "shop--S01--1", findings: [] },
    ];
    const snapshot = snapshotOf([start, ...chain, ...done], "on-collect");
    const [standing] = composeStandings(snapshot, now);
    expect(standing).toMatchObject({ kind: "waiting-for-lead", unfinished: 3, underWay: 0 });
    expect(standing?.causes[0]).toMatchObject({ kind: "waits-for-collect", tasks: ["shop/S01", "shop/S02", "shop/S03"] });
    expect(standing?.causes[0]?.because).toContain("S01");
  });

  it("names a circle", () => {
    const snapshot = snapshotOf([start, planned(aSpec("S01", { dependsOn: ["S02"] })), planned(aSpec("S02", { dependsOn: ["S01"] }))]);
    const [standing] = composeStandings(snapshot, now);
    expect(standing).toMatchObject({ kind: "gridlock", cycles: [["shop/S01", "shop/S02"]], causes: [{ kind: "cycle", needs: "nobody" }] });
  });
});
