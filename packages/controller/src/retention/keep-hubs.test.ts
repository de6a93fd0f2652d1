import { emptyWorld, eventVersion, FactoryError, type StoredEvent, type World } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";
import { beforeEach, expect, test } from "vitest";
import { anOid, aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { createFakeClock, type FakeClock } from "../../../../test/kit/fake-clock.ts";
import { type HubKeeping, isIdle, keepHubs } from "./keep-hubs.ts";

const minutes = 60_000;
const day = 24 * 60 * minutes;
const attempt = "shop--S01-a--1";
const ref = `refs/dispatch/salvage/${attempt}`;

let clock: FakeClock;
let calls: string[];
let forgot: string[];
let events: StoredEvent[];
let world: World;
let packing: (giveUp: AbortSignal | undefined) => Promise<"packed" | "cut-off" | "not-worth-it">;

/** A task whose attempt ended, was collected and cleared away, and that was cancelled then. */
beforeEach(() => {
  const facts: StoredEvent["event"][] = [
    { type: "project-started", project: "shop", main: anOid(1) },
    planned(aSpec("S01-a")),
    { type: "task-placed", task: "shop/S01-a", attempt, n: 1, node: "local", base: anOid(1), executor: "x" },
    { type: "wrapper-reported", attempt, seq: 1, reportedAt: 1, fact: { type: "attempt-ended", outcome: { kind: "lost", because: "gone" } } },
    { type: "attempt-collected", attempt, tip: anOid(2), salvage: anOid(3) },
    { type: "workspace-discarded", attempt },
    { type: "task-cancelled", task: "shop/S01-a", by: "lead" },
  ];
  events = facts.map((event, i) => ({ seq: i + 1, at: i, v: eventVersion, event }));
  world = foldEvents(events);
  clock = createFakeClock(0);
  calls = [];
  forgot = [];
  packing = async () => "not-worth-it";
});

function begin(change: Partial<HubKeeping> = {}): () => Promise<void> {
  return keepHubs({
    hubs: {
      keptRefs: async () => [{ ref, commit: anOid(3), attempt, kind: "salvage" }],
      findHolders: async (_, claims) => claims.map(() => ({ present: true, onMain: false, refs: [ref] })),
      async pruneRefs(_, refs, at) {
        for (const one of refs) calls.push(`prune ${one.ref} on day ${Math.floor(at / day)}`);
        return refs.map((one) => ({ ...one, at }));
      },
      async forgetCars(project, inFlight) {
        forgot.push(`${project} but ${[...inFlight].join()}`);
        return 1;
      },
      packHub(project, _, giveUp) {
        calls.push(`pack ${project}`);
        return packing(giveUp);
      },
    },
    world: () => world,
    readEvents: (after) => events.filter(({ seq }) => seq > after).slice(0, 3),
    keepMsOf: () => 90 * day,
    clock,
    log: { info: () => {}, warn: () => {} },
    ...change,
  });
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("a hub is packed now and then, and old salvage goes when its days are over", async () => {
  begin();
  await pass(4 * minutes);
  expect(calls).toEqual([]);
  await pass(minutes);
  await pass(60 * minutes);
  expect(calls).toEqual(["pack shop", "pack shop"]);
  await pass(90 * day);
  expect(calls.slice(2)).toEqual([`prune ${ref} on day 90`, "pack shop"]);
});

test("pins of cars that are not in flight go", async () => {
  const project = world.projects.get("shop");
  if (project === undefined) throw new Error("it was started");
  const car = { id: "7", kind: "car", members: [], ahead: [], onto: anOid(1), state: { kind: "building", passed: null } } as const;
  world = { ...world, projects: new Map([["shop", { ...project, train: { ...project.train, cars: [car] } }]]) };
  begin();
  await pass(5 * minutes);
  expect([forgot, calls]).toEqual([["shop but 7"], ["pack shop"]]);
});

test("nothing is touched while something of the project is on its way into the hub or onto main", async () => {
  const project = world.projects.get("shop");
  if (project === undefined) throw new Error("it was started");
  expect(isIdle(world, project)).toBe(true);
  expect(isIdle(world, { ...project, collect: { kind: "landing", requestedAt: 0, tasks: [] } })).toBe(false);
  for (let n = 3; n < 6; n++) expect(isIdle(foldEvents(events.slice(0, n)), project)).toBe(n === 3);
  world = foldEvents(events.slice(0, 5));
  begin();
  await pass(90 * day);
  expect(calls).toEqual([]);
});

test("a hub that fails is tried again, and does not keep the next ones waiting", async () => {
  packing = async () => {
    throw new FactoryError("GIT_FAILED", "no");
  };
  world = {
    ...emptyWorld(),
    projects: new Map([...world.projects, ["tools", { ...[...world.projects.values()][0], id: "tools" }]]) as World["projects"],
  };
  begin();
  await pass(5 * minutes);
  await pass(60 * minutes);
  expect(calls).toEqual(["pack shop", "pack tools", "pack shop", "pack tools"]);
});

test("stopping gives up what is under way, and waits for it", async () => {
  let gaveUp = false;
  packing = (giveUp) =>
    new Promise((resolve) => {
      giveUp?.addEventListener("abort", () => {
        gaveUp = true;
        resolve("cut-off");
      });
    });
  const stop = begin();
  await pass(5 * minutes);
  await stop();
  expect(gaveUp).toBe(true);
  await pass(90 * day);
  expect(calls).toEqual(["pack shop"]);
});
