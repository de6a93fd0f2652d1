import { emptyWorld, eventVersion, evolve, FactoryError, type FactoryEvent, plainNode, type StoredEvent, type World } from "@dispatch/core";
import type { ComingConflict } from "@dispatch/git";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../../test/kit/build-facts.ts";
import { createFakeClock, type FakeClock } from "../../../../test/kit/fake-clock.ts";
import { type ForecastKeeper, keepForecast } from "./keep-forecast.ts";

const attempt = (id: string) => `shop--${id}--1`;
const started = (id: string): FactoryEvent[] => [
  planned(aSpec(id)),
  { type: "task-placed", task: `shop/${id}`, attempt: attempt(id), n: 1, node: "far", base: anOid(1), executor: "x" },
  reported(attempt(id), 1, { type: "attempt-started", identity: someIdentity }),
  reported(attempt(id), 2, { type: "round-started", round: 1 }),
];
const checked = (id: string, seq = 3): FactoryEvent => reported(attempt(id), seq, { type: "round-checked", round: 1, verify: [], findings: [] });
const conflict: ComingConflict = { attempt: attempt("S02"), with: { kind: "attempt", attempt: attempt("S01") }, paths: ["a.ts"], kind: "text" };

let clock: FakeClock;
let world: World;
let calls: string[];
let up: boolean;
let fetching: () => Promise<void>;
let keeper: ForecastKeeper;
let publish: (events: readonly StoredEvent[]) => void;
let seq: number;

function record(...events: readonly FactoryEvent[]): void {
  for (const event of events) {
    const step = evolve(world, event, seq);
    if (step.outcome !== "moved") throw new Error(`${event.type}: ${step.because}`);
    for (const row of step.change.projects) (world.projects as Map<string, typeof row>).set(row.id, row);
    for (const row of step.change.tasks) (world.tasks as Map<string, typeof row>).set(row.id, row);
    for (const row of step.change.attempts) (world.attempts as Map<string, typeof row>).set(row.id, row);
    seq += 1;
    publish([{ seq, at: seq, v: eventVersion, event }]);
  }
}

beforeEach(() => {
  clock = createFakeClock(0);
  world = emptyWorld();
  calls = [];
  up = true;
  fetching = async () => {};
  seq = 0;
  keeper = keepForecast({
    world,
    nodes: {
      nodes: () => [
        {
          id: "far",
          slots: 2,
          lowPriority: false,
          labels: [],
          executors: null,
          capacity: { cpus: 1, memoryMb: 1, gpus: 0 },
          load: null,
          ...plainNode,
          status: up ? { kind: "up" } : { kind: "down", because: "no link", since: 0 },
        },
      ],
      prepareRepository: async () => "url",
    },
    repositories: {
      async fetchCheckpoint(_project, id) {
        calls.push(`fetch ${id}`);
        await fetching();
      },
      async keepCheckpoints(_project, live) {
        calls.push(`keep ${[...live].sort().join(" ")}`);
        return [...live].map((id) => ({ attempt: id, commit: anOid(9) }));
      },
      async forecast(project, branches) {
        calls.push(`forecast ${branches.length}`);
        return { main: world.projects.get(project)?.main ?? "", conflicts: branches.length > 1 ? [conflict] : [], uncompared: 0 };
      },
    },
    policyOf: () => ({ shared: [], generated: [] }),
    subscribe(listener) {
      publish = listener;
      return () => {
        publish = () => {};
      };
    },
    clock,
    log: { debug: () => {} },
  });
  record({ type: "project-started", project: "shop", main: anOid(1) }, ...started("S01"), ...started("S02"));
});

/** Lets everything that is due happen, to the end. */
async function settle(times: number): Promise<void> {
  await vi.waitFor(() => {
    clock.advance(500);
    if (calls.filter((call) => call.startsWith("forecast")).length < times) throw new Error(calls.join(", "));
  });
}

describe("the forecast", () => {
  it("looks once at a burst of facts, fetches what was checked, and tells what is coming", async () => {
    record(checked("S01"), checked("S02"));
    expect(calls).toEqual([]);
    await settle(1);
    expect(calls).toEqual([`fetch ${attempt("S01")}`, `fetch ${attempt("S02")}`, `keep ${attempt("S01")} ${attempt("S02")}`, "forecast 2"]);
    expect(keeper.of("shop")).toEqual({ conflicts: [conflict], uncompared: 0 });
    expect(keeper.of("other")).toEqual({ conflicts: [], uncompared: 0 });
  });

  it("forgets at once what went off its way", async () => {
    record(checked("S01"), checked("S02"));
    await settle(1);
    record({ type: "task-cancelled", task: "shop/S01", by: "lead" });
    expect(keeper.of("shop").conflicts).toEqual([]);
    await settle(2);
    expect(calls.at(-2)).toBe(`keep ${attempt("S02")}`);
  });

  it("asks no node that is down, and goes on when a fetch fails", async () => {
    up = false;
    record(checked("S01"));
    await settle(1);
    up = true;
    fetching = () => Promise.reject(new FactoryError("NODE_UNREACHABLE", "gone"));
    record(checked("S02"));
    await settle(2);
    expect(calls.filter((call) => call.startsWith("fetch"))).toEqual([`fetch ${attempt("S02")}`]);
  });

  it("looks again after facts that came while it looked, and never twice at once", async () => {
    let finish: () => void = () => {};
    fetching = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    record(checked("S01"));
    clock.advance(500);
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    record(checked("S02"));
    clock.advance(5000);
    expect(calls).toEqual([`fetch ${attempt("S01")}`]);
    fetching = async () => {};
    finish();
    await settle(2);
    expect(calls.filter((call) => call.startsWith("fetch"))).toHaveLength(2);
  });

  it("ends when it is closed", () => {
    record(checked("S01"));
    keeper.close();
    clock.advance(5000);
    expect(calls).toEqual([]);
  });
});
