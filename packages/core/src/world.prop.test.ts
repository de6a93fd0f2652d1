import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../test/kit/build-facts.ts";
import { holdsSlot, isFencedWithNode, isLive } from "./attempt.ts";
import type { FactoryEvent } from "./event.ts";
import { attemptIdOf } from "./ids.ts";
import { type Car, heldMembers } from "./train.ts";
import { emptyWorld, evolve, type World, withChange } from "./world.ts";

const ids = ["S01-a", "S02-b", "S03-c"];
const project = "shop";
const outcomes = [
  { kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 },
  { kind: "exhausted", rounds: 3, findings: [] },
  { kind: "unusable", because: "no agent" },
  { kind: "lost", because: "gone" },
  { kind: "stopped", because: "asked" },
] as const;

/** A random fact about a random task, sensible or not. */
const anyFact = fc.record({
  id: fc.constantFrom(...ids),
  n: fc.integer({ min: 1, max: 6 }),
  seq: fc.integer({ min: 1, max: 4 }),
  kind: fc.integer({ min: 0, max: 19 }),
  outcome: fc.constantFrom(...outcomes),
  red: fc.boolean(),
  wild: fc.boolean(),
});
type Draw = typeof anyFact extends fc.Arbitrary<infer T> ? T : never;

function factOf(draw: Draw): FactoryEvent {
  const task = `shop/${draw.id}`;
  const attempt = attemptIdOf(task, draw.n);
  const findings = draw.red ? [{ gate: "G02" as const, severity: "block" as const, found: "x", why: "y", hint: "z" }] : [];
  const facts: FactoryEvent[] = [
    { type: "task-placed", task, attempt, n: draw.n, node: "local", base: anOid(1), executor: "x" },
    reported(attempt, draw.seq, { type: "attempt-started", identity: someIdentity }),
    reported(attempt, draw.seq, { type: "round-started", round: 1 }),
    reported(attempt, draw.seq, { type: "attempt-ended", outcome: draw.outcome }),
    { type: "attempt-collected", attempt, tip: anOid(7), salvage: null },
    { type: "workspace-discarded", attempt },
    { type: "result-checked", attempt, findings },
    { type: "candidate-refused", task, findings, conflict: null },
    { type: "task-merged", task, commit: anOid(draw.n + 100), from: anOid(1) },
    { type: "task-retried", task, by: "lead" },
    { type: "task-cancelled", task, by: "lead" },
    { type: "attempt-refused", attempt, because: "no", retry: draw.red ? "never" : "later" },
    { type: "attempt-stop-asked", attempt, because: "asked" },
    { type: "attempt-fenced", attempt, because: "its node is lost" },
    { type: "attempt-retired", attempt, tip: draw.red ? anOid(7) : null, salvage: null },
    { type: "attempt-abandoned", attempt, by: "lead" },
    draw.red ? { type: "node-lost", node: "local", because: "away" } : { type: "node-returned", node: "local" },
    draw.red ? { type: "node-cordoned", node: "local", drain: draw.n > 3, by: "lead" } : { type: "node-uncordoned", node: "local", by: "lead" },
    draw.red ? { type: "collect-requested", project, by: "lead" } : { type: "collect-stopped", project, code: "X", because: "x", hint: "" },
    draw.red ? { type: "project-started", project, main: anOid(draw.n) } : { type: "origin-taken-in", project, main: anOid(draw.n), commits: 1 },
  ];
  return facts[draw.kind] ?? planned(aSpec(draw.id));
}

/** A car of one queued task, or of all of them. */
function planOf(world: World, { id, n, red }: Draw): FactoryEvent[] {
  const train = world.projects.get(project)?.train;
  const queued = [...world.tasks.values()].filter((task) => task.state.kind === "queued").map((task) => task.id);
  const members = queued.includes(`shop/${id}`) && n < 4 ? [`shop/${id}`] : queued;
  if (queued.length === 0) return [];
  const kind = red && n % 2 === 0 ? "part" : "car";
  const ahead = kind === "part" ? [] : (train?.cars ?? []).filter((car) => car.kind === "car").map((car) => car.id);
  return [{ type: "car-planned", project, car: String((train?.lastCar ?? 0) + 1), kind, members, ahead }];
}

/** What could come next for the car as it is; a landing with all that it merges. */
function factsOfCar(world: World, car: Car, draw: Draw): FactoryEvent[] {
  const { n, red } = draw;
  const of = { project, car: car.id };
  const train = world.projects.get(project)?.train;
  const dropped: FactoryEvent = { type: "car-dropped", ...of, because: "so", ...(n === 6 ? { main: anOid(n) } : {}) };
  switch (car.state.kind) {
    case "building": {
      const [first, ...others] = car.members;
      const members = red && first !== undefined && others.length > 0 ? [first] : car.members;
      const number = Number(car.id) * 10 + n;
      const candidate = { commit: anOid(1000 + number), merge: anOid(2), tree: car.state.passed ?? anOid(5000 + number) };
      return [n === 6 ? dropped : { type: "car-built", ...of, members, candidate }];
    }
    case "running": {
      const { candidate } = car.state;
      const [only = ""] = car.members;
      if (n === 5) return [{ type: "run-broken", ...of, because: "no memory" }];
      if (!red) return [{ type: "car-passed", ...of, candidate, run: car.id, gateHash: "h", verify: [] }];
      return [
        n < 3 && car.members.length === 1
          ? { type: "candidate-refused", task: only, findings: [], conflict: null }
          : { type: "car-failed", ...of, findings: [] },
      ];
    }
    case "advancing": {
      const { commit } = car.state.candidate;
      const merged = (train === undefined ? [] : heldMembers(train, car)).map(
        (task): FactoryEvent => ({ type: "task-merged", task, commit, from: car.onto }),
      );
      if (n === 6) return [dropped];
      // As branches landed by themselves.
      const alone = n === 5 && red && merged.length === 1 && train?.cars.length === 1;
      return alone ? merged : [{ type: "car-landed", ...of, commit, from: car.onto }, ...merged];
    }
    case "passed":
    case "red":
      return n === 6 ? [dropped] : [];
  }
}

/** What could come next for the task as it is. */
function sensibleFacts(world: World, draw: Draw): FactoryEvent[] {
  const task = world.tasks.get(`shop/${draw.id}`);
  if (task === undefined) return [];
  const { state } = task;
  const make = (kind: number, seq = 1) => factOf({ ...draw, kind, seq, n: kind === 0 ? state.tries + 1 : state.tries });
  const next = (world.attempts.get(attemptIdOf(task.id, state.tries))?.cursor ?? 0) + 1;
  switch (state.kind) {
    case "planned":
    case "backoff":
      return [make(0)];
    case "starting":
      return [make(1, next)];
    case "running":
      return [make(draw.red ? 2 : 3, next)];
    case "collecting":
    case "cancelling":
      return [make(3, next), make(4), make(5)];
    case "checking":
      return [make(6)];
    case "queued":
      return draw.n === 6 ? [] : planOf(world, draw);
    case "landing": {
      const car = world.projects.get(project)?.train.cars.find(({ id }) => id === state.car);
      return car === undefined ? [] : factsOfCar(world, car, draw);
    }
    case "parked":
      return draw.red ? [make(9)] : [];
    case "merged":
    case "cancelled":
      return [];
  }
}

/** The facts that are recorded together. */
type Commit = readonly FactoryEvent[];

/** A wild one may be about a car, too. */
function wildFacts(world: World, draw: Draw): Commit {
  const cars = world.projects.get(project)?.train.cars ?? [];
  const car = cars.find(({ id }) => Number(id) % 7 === draw.n);
  if (draw.kind < 4 && car !== undefined) return factsOfCar(world, car, draw);
  return draw.kind === 4 ? planOf(world, draw) : [factOf(draw)];
}

const started: Commit = [{ type: "project-started", project, main: anOid(1) }, ...ids.map((id) => planned(aSpec(id)))];

/** Every task has done its work. */
const queued: Commit = [
  ...started,
  ...ids.flatMap((id): FactoryEvent[] => {
    const attempt = attemptIdOf(`shop/${id}`, 1);
    return [
      { type: "task-placed", task: `shop/${id}`, attempt, n: 1, node: "local", base: anOid(1), executor: "x" },
      reported(attempt, 1, { type: "attempt-started", identity: someIdentity }),
      reported(attempt, 2, { type: "attempt-ended", outcome: outcomes[0] }),
      { type: "attempt-collected", attempt, tip: anOid(7), salvage: null },
      { type: "result-checked", attempt, findings: [] },
    ];
  }),
];

interface Moment {
  world: World;
  /** What led here. */
  event: FactoryEvent;
  moved: boolean;
  /** Nothing more is recorded together with it. */
  complete: boolean;
}

/** Applies a random history with a bias to what can follow; returns every moment on the way. */
function moments(draws: readonly Draw[], start: Commit = started): Moment[] {
  let world = emptyWorld();
  const seen: Moment[] = [];
  const apply = (commit: Commit): void => {
    for (const [i, event] of commit.entries()) {
      const evolution = evolve(world, event, seen.length + 1);
      if (evolution.outcome === "moved") world = withChange(world, evolution.change);
      seen.push({ world, event, moved: evolution.outcome === "moved", complete: i === commit.length - 1 });
    }
  };
  apply(start);
  for (const draw of draws) apply(draw.wild ? wildFacts(world, draw) : sensibleFacts(world, draw));
  return seen;
}

function history(draws: readonly Draw[], start: Commit = started): World[] {
  return moments(draws, start).map(({ world }) => world);
}

const draws = fc.array(anyFact, { maxLength: 120, size: "max" });

describe("the histories", () => {
  it("reach every state of a task, an attempt and a car", () => {
    const reached = new Set<string>();
    for (const drawn of fc.sample(draws, { numRuns: 800, seed: 1 })) {
      for (const world of [...history(drawn), ...history(drawn, queued)]) {
        for (const task of world.tasks.values()) reached.add(`task ${task.state.kind}`);
        for (const attempt of world.attempts.values()) reached.add(`attempt ${attempt.state.kind}`);
        for (const car of world.projects.get(project)?.train.cars ?? []) reached.add(`car ${car.state.kind}`);
      }
    }
    expect([...reached].sort()).toEqual([
      ...["collected", "discarded", "ended", "fenced", "running", "starting", "stopping"].map((kind) => `attempt ${kind}`),
      ...["advancing", "building", "passed", "red", "running"].map((kind) => `car ${kind}`),
      ..."backoff cancelled cancelling checking collecting landing merged parked planned queued running starting"
        .split(" ")
        .map((kind) => `task ${kind}`),
    ]);
  });
});

describe("safety of every history", () => {
  it("a task has at most one live attempt, and it is the newest one", () => {
    fc.assert(
      fc.property(draws, (drawn) => {
        for (const world of history(drawn)) {
          for (const task of world.tasks.values()) {
            const live = [...world.attempts.values()].filter((attempt) => attempt.task === task.id && isLive(attempt));
            expect(live.length).toBeLessThanOrEqual(1);
            if (live[0] !== undefined) expect(live[0].n).toBe(task.state.tries);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("attempt numbers never go down, and merged is never left", () => {
    fc.assert(
      fc.property(draws, (drawn) => {
        const worlds = history(drawn);
        for (let i = 1; i < worlds.length; i++) {
          for (const [id, task] of worlds[i]?.tasks ?? []) {
            const before = worlds[i - 1]?.tasks.get(id);
            if (before === undefined) continue;
            expect(task.state.tries).toBeGreaterThanOrEqual(before.state.tries);
            if (before.state.kind === "merged") expect(task.state).toEqual(before.state);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a workspace is discarded only after it was collected", () => {
    fc.assert(
      fc.property(draws, (drawn) => {
        const worlds = history(drawn);
        for (let i = 1; i < worlds.length; i++) {
          for (const [id, attempt] of worlds[i]?.attempts ?? []) {
            const before = worlds[i - 1]?.attempts.get(id)?.state.kind;
            if (attempt.state.kind !== "discarded" || before === "discarded" || before === "fenced") continue;
            if (attempt.state.outcome.kind !== "lost" && attempt.state.outcome.kind !== "unusable") expect(before).toBe("collected");
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a fence is left only by being retired or given up, keeps the slot until then if its session may run, and what the attempt says is not heard", () => {
    let fences = 0;
    fc.assert(
      fc.property(draws, (drawn) => {
        const worlds = history(drawn);
        for (let i = 1; i < worlds.length; i++) {
          const [before, now] = [worlds[i - 1], worlds[i]];
          for (const [id, attempt] of before?.attempts ?? []) {
            if (attempt.state.kind !== "fenced") continue;
            const next = now?.attempts.get(id);
            if (next === undefined) throw new Error(id);
            fences += 1;
            expect(holdsSlot(attempt)).toBe(attempt.state.session === "unknown");
            expect(attempt.endedAt).toBeGreaterThan(0);
            expect(["fenced", "discarded"]).toContain(next.state.kind);
            expect(next.cursor).toBe(attempt.cursor);
            if (next.state.kind === "discarded") expect(next.state.outcome.kind).toBe("lost");
          }
        }
        const last = worlds.at(-1) ?? emptyWorld();
        for (const { id, cursor, state } of last.attempts.values()) {
          const report = reported(id, cursor + 1, { type: "attempt-ended", outcome: outcomes[0] });
          if (state.kind === "fenced") expect(evolve(last, report, 1).outcome).toBe("stale");
        }
      }),
      { numRuns: 900 },
    );
    expect(fences).toBeGreaterThan(1000);
  });

  it("a fence takes every live or ended attempt, and its task is free for another one or for the lead", () => {
    fc.assert(
      fc.property(draws, (drawn) => {
        const world = history(drawn).at(-1) ?? emptyWorld();
        for (const attempt of world.attempts.values()) {
          const fenced = evolve(world, { type: "attempt-fenced", attempt: attempt.id, because: "lost" }, 1);
          expect(fenced.outcome).toBe(isFencedWithNode(attempt) ? "moved" : "stale");
          if (fenced.outcome !== "moved") continue;
          const next = withChange(world, fenced.change);
          expect(["backoff", "parked", "cancelled"]).toContain(next.tasks.get(attempt.task)?.state.kind);
          const given = evolve(next, { type: "attempt-abandoned", attempt: attempt.id, by: "lead" }, 2);
          expect(given).toMatchObject({ outcome: "moved", change: { effects: [], attempts: [{ state: { kind: "discarded" } }] } });
        }
      }),
      { numRuns: 100 },
    );
  });

  it("a repeated report changes nothing", () => {
    fc.assert(
      fc.property(draws, (drawn) => {
        const world = history(drawn).at(-1) ?? emptyWorld();
        for (const attempt of world.attempts.values()) {
          if (attempt.cursor === 0) continue;
          expect(evolve(world, reported(attempt.id, attempt.cursor, { type: "round-started", round: 9 }), 1).outcome).toBe("stale");
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the train of every history", () => {
  it("holds every landing task in exactly one car, that task's own, and never twice; and no other task", () => {
    let landing = 0;
    fc.assert(
      fc.property(draws, (drawn) => {
        for (const { world, complete } of moments(drawn, queued)) {
          if (!complete) continue;
          const cars = world.projects.get(project)?.train.cars ?? [];
          const seats = cars.flatMap((car) => car.members.map((task) => `${task} in ${car.id}`));
          const states = [...world.tasks.values()].flatMap(({ id, state }) => (state.kind === "landing" ? [`${id} in ${state.car}`] : []));
          expect(seats.sort()).toEqual(states.sort());
          landing += states.length;
        }
      }),
      { numRuns: 300 },
    );
    expect(landing).toBeGreaterThan(1000);
  });

  it("merges only what lands in a car that was advancing, as its commit", () => {
    let merges = 0;
    fc.assert(
      fc.property(draws, (drawn) => {
        const seen = moments(drawn, queued);
        for (const [i, { event, moved }] of seen.entries()) {
          if (event.type !== "task-merged" || !moved) continue;
          const { commit, task } = event;
          const before = seen.slice(0, i).findLast(({ complete }) => complete)?.world;
          const train = before?.projects.get(project)?.train;
          const car = train?.cars.find(({ state }) => state.kind === "advancing" && state.candidate.commit === commit);
          expect(train !== undefined && car !== undefined && heldMembers(train, car).includes(task)).toBe(true);
          expect(before?.tasks.get(task)?.state.kind).toBe("landing");
          merges += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(merges).toBeGreaterThan(100);
  });

  it("has at most one car that advances, none behind one that is gone, and what waits again keeps its place", () => {
    fc.assert(
      fc.property(draws, (drawn) => {
        let before = emptyWorld();
        for (const world of history(drawn, queued)) {
          const cars = world.projects.get(project)?.train.cars ?? [];
          expect(cars.filter(({ state }) => state.kind === "advancing").length).toBeLessThanOrEqual(1);
          for (const car of cars) expect(cars.map(({ id }) => id)).toEqual(expect.arrayContaining([...car.ahead]));
          for (const { id, state } of world.tasks.values()) {
            const was = before.tasks.get(id)?.state;
            if (was?.kind === "landing" && state.kind === "queued") expect(state.since).toBe(was.since);
          }
          before = world;
        }
      }),
      { numRuns: 300 },
    );
  });
});
