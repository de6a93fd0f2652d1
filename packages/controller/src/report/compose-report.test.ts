import { emptyWorld, evolve, type FactoryEvent, type World, withChange } from "@dispatch/core";
import { noSignals } from "@dispatch/scheduler";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../../test/kit/build-facts.ts";
import { composeSignals } from "../views/compose-signals.ts";
import { composeReport } from "./compose-report.ts";

/** The world after facts, each with the time at which it was recorded. */
function worldOf(facts: readonly (readonly [number, FactoryEvent])[]): World {
  let world = emptyWorld();
  for (const [at, fact] of facts) {
    const evolution = evolve(world, fact, at);
    if (evolution.outcome !== "moved") throw new Error(`${fact.type}: ${evolution.because}`);
    world = withChange(world, evolution.change);
  }
  return world;
}

const red = { gate: "G02", severity: "block", path: "a.ts", line: 1, found: "TODO", why: "w", hint: "h" } as const;
const note = { ...red, severity: "note" } as const;
const agentRun = { command: "agent", outcome: "exited", exitCode: 0, signal: null, durationMs: 1, outputBytes: 0, outputTail: "" } as const;

function placed(id: string, at: number): [number, FactoryEvent][] {
  const attempt = `shop--${id}--1`;
  return [
    [at, { type: "task-placed", task: `shop/${id}`, attempt, n: 1, node: "local", base: anOid(1), executor: "x" }],
    [at, reported(attempt, 1, { type: "attempt-started", identity: someIdentity })],
    [at, reported(attempt, 2, { type: "round-started", round: 1 })],
    [at, reported(attempt, 3, { type: "agent-ended", round: 1, result: agentRun, usage: { inputTokens: 10, outputTokens: 3 } })],
    [at, reported(attempt, 4, { type: "round-checked", round: 1, verify: [], findings: [red, note] })],
  ];
}

function merged(id: string, ended: number, landed: number): [number, FactoryEvent][] {
  const attempt = `shop--${id}--1`;
  const task = `shop/${id}`;
  const car = { project: "shop", car: "1" };
  const candidate = { commit: anOid(landed), merge: anOid(2), tree: anOid(3) };
  return [
    [ended, reported(attempt, 5, { type: "attempt-ended", outcome: { kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 } })],
    [ended, { type: "attempt-collected", attempt, tip: anOid(7), salvage: null }],
    [ended, { type: "result-checked", attempt, findings: [] }],
    [landed, { type: "car-planned", ...car, kind: "car", members: [task], ahead: [] }],
    [landed, { type: "car-built", ...car, members: [task], candidate }],
    [landed, { type: "car-passed", ...car, candidate, run: "shop-1", gateHash: "h", verify: [] }],
    [landed, { type: "car-landed", ...car, commit: candidate.commit, from: anOid(1) }],
    [landed, { type: "task-merged", task, commit: candidate.commit, from: anOid(1) }],
  ];
}

const world = worldOf([
  [0, { type: "project-started", project: "shop", main: anOid(1) }],
  [0, planned(aSpec("S01"))],
  [0, planned(aSpec("S02"))],
  [0, planned(aSpec("S03", { dependsOn: ["S02"] }))],
  ...placed("S01", 100),
  ...placed("S02", 100),
  ...merged("S01", 300, 350),
  [500, reported("shop--S02--1", 5, { type: "attempt-ended", outcome: { kind: "exhausted", rounds: 1, findings: [red] } })],
  [500, { type: "attempt-collected", attempt: "shop--S02--1", tip: null, salvage: anOid(8) }],
]);
const project = world.projects.get("shop");
if (project === undefined) throw new Error("no project");
const signals = composeSignals({ snapshot: { world, nodes: [], projects: new Map() }, samples: [], before: noSignals }, 1000);
const given = { world, project, slots: 2, standing: undefined, signals, losses: [] };
const report = composeReport(given, 1000);

describe("the report of a project", () => {
  it("counts tasks by state, and blocking findings by gate", () => {
    expect(report.counts).toEqual({ merged: 1, parked: 1, planned: 1 });
    expect(report.findings).toEqual({ G02: 2 });
    expect(report.tokens).toEqual({ inputTokens: 20, outputTokens: 6 });
  });

  it("measures each task from its first placement to its end, and its time in a slot", () => {
    expect(report.tasks.map(({ id, attempts, rounds, durationMs, sessionMs }) => ({ id, attempts, rounds, durationMs, sessionMs }))).toEqual([
      { id: "shop/S01", attempts: 1, rounds: 1, durationMs: 250, sessionMs: 200 },
      { id: "shop/S02", attempts: 1, rounds: 1, durationMs: 400, sessionMs: 400 },
      { id: "shop/S03", attempts: 0, rounds: 0, durationMs: 0, sessionMs: 0 },
    ]);
  });

  it("sees how well the slots were used: 600 of the 800 ms in which work was there", () => {
    expect(report.maxParallel).toBe(2);
    expect(report.utilisation).toBeCloseTo(600 / 800);
  });

  it("names what waits for the lead, with the salvage, and not what only waits for that", () => {
    expect(report.waiting).toMatchObject([{ task: "shop/S02", code: "rounds-exhausted", salvage: "refs/dispatch/salvage/shop--S02--1" }]);
    expect(report.landings).toEqual([{ commit: anOid(350), task: "shop/S01", at: 350 }]);
  });

  it("reports a collect that stopped", () => {
    const last = { outcome: "stopped", at: 1, requestedAt: 1, code: "ORIGIN_DIRTY", because: "b", hint: "h" } as const;
    const stopped = composeReport({ ...given, project: { ...project, collect: { kind: "idle", last } } }, 1000);
    expect(stopped.waiting.at(-1)).toMatchObject({ code: "collect-stopped", next: "h" });
  });

  it("names what else only the lead can move, with what waits behind it, and nothing twice", () => {
    const cause = { project: "shop", task: "shop/S02", because: "b", release: "r", needs: "lead" as const, tasks: ["shop/S02", "shop/S03"] };
    const causes = [
      { ...cause, kind: "parked" },
      { ...cause, kind: "waits-for-collect" },
      { ...cause, kind: "no-node-fits", tasks: ["shop/S02"] },
      { ...cause, kind: "cycle", needs: "nobody" as const },
      { ...cause, kind: "slot", needs: "factory" as const },
    ];
    const standing = { project: "shop", kind: "gridlock" as const, unfinished: 2, underWay: 0, until: null, causes, cycles: [] };
    const { waiting } = composeReport({ ...given, standing }, 1000);
    expect(waiting.map((one) => one.code)).toEqual(["rounds-exhausted", "not-collected", "blocked", "gridlock"]);
    expect(waiting[1]).toMatchObject({ task: "shop/S02", next: "r" });
  });
});
