import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../test/kit/build-facts.ts";
import { holdsSlot, isFencedWithNode, isLive } from "./attempt.ts";
import type { FactoryEvent } from "./event.ts";
import { attemptIdOf } from "./ids.ts";
import { emptyWorld, evolve, type World, withChange } from "./world.ts";

const ids = ["S01-a", "S02-b"];
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
  kind: fc.integer({ min: 0, max: 21 }),
  outcome: fc.constantFrom(...outcomes),
  red: fc.boolean(),
  wild: fc.boolean(),
});
type Draw = typeof anyFact extends fc.Arbitrary<infer T> ? T : never;

function factOf(draw: Draw): FactoryEvent {
  const task = `shop/${draw.id}`;
  const attempt = attemptIdOf(task, draw.n);
  const candidate = { commit: anOid(draw.n + 100), merge: anOid(2), tree: anOid(3) };
  const findings = draw.red ? [{ gate: "G02" as const, severity: "block" as const, found: "x", why: "y", hint: "z" }] : [];
  const facts: FactoryEvent[] = [
    { type: "task-placed", task, attempt, n: draw.n, node: "local", base: anOid(1), executor: "x" },
    reported(attempt, draw.seq, { type: "attempt-started", identity: someIdentity }),
    reported(attempt, draw.seq, { type: "round-started", round: 1 }),
    reported(attempt, draw.seq, { type: "attempt-ended", outcome: draw.outcome }),
    { type: "attempt-collected", attempt, tip: anOid(7), salvage: null },
    { type: "workspace-discarded", attempt },
    { type: "result-checked", attempt, findings },
    { type: "landing-planned", task, onto: anOid(1) },
    { type: "candidate-built", task, candidate },
    { type: "candidate-verified", task, candidate, verify: [] },
    { type: "candidate-refused", task, findings, conflict: null },
    { type: "task-merged", task, commit: candidate.commit, from: anOid(1) },
    { type: "task-retried", task, by: "lead" },
    { type: "task-cancelled", task, by: "lead" },
    { type: "attempt-refused", attempt, because: "no", retry: draw.red ? "never" : "later" },
    { type: "attempt-stop-asked", attempt, because: "asked" },
    { type: "attempt-fenced", attempt, because: "its node is lost" },
    { type: "attempt-retired", attempt, tip: draw.red ? anOid(7) : null, salvage: null },
    { type: "attempt-abandoned", attempt, by: "lead" },
    draw.red ? { type: "node-lost", node: "local", because: "away" } : { type: "node-returned", node: "local" },
    draw.red ? { type: "node-cordoned", node: "local", drain: draw.n > 3, by: "lead" } : { type: "node-uncordoned", node: "local", by: "lead" },
    { type: "attempt-fenced", attempt, because: "its node is lost" },
  ];
  return facts[draw.kind] ?? planned(aSpec(draw.id));
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
      return [make(7)];
    case "landing":
      return [make(state.phase.kind === "building" ? 8 : state.phase.kind === "verifying" ? (draw.red ? 10 : 9) : 11)];
    case "parked":
      return draw.red ? [make(12)] : [];
    case "merged":
    case "cancelled":
      return [];
  }
}

/** Applies a random history with a bias to what can follow; returns every world on the way. */
function history(draws: readonly Draw[]): World[] {
  let world = emptyWorld();
  const seen: World[] = [];
  const start: FactoryEvent[] = [{ type: "project-started", project: "shop", main: anOid(1) }, ...ids.map((id) => planned(aSpec(id)))];
  let at = 0;
  const apply = (event: FactoryEvent): void => {
    at += 1;
    const evolution = evolve(world, event, at);
    if (evolution.outcome === "moved") world = withChange(world, evolution.change);
    seen.push(world);
  };
  for (const event of start) apply(event);
  for (const draw of draws) {
    if (draw.wild) apply(factOf(draw));
    else for (const event of sensibleFacts(world, draw)) apply(event);
  }
  return seen;
}

const draws = fc.array(anyFact, { maxLength: 120, size: "max" });

describe("the histories", () => {
  it("reach every state of a task and an attempt", () => {
    const reached = new Set<string>();
    for (const drawn of fc.sample(draws, { numRuns: 1500, seed: 1 })) {
      for (const world of history(drawn)) {
        for (const task of world.tasks.values()) reached.add(`task ${task.state.kind}`);
        for (const attempt of world.attempts.values()) reached.add(`attempt ${attempt.state.kind}`);
      }
    }
    expect([...reached].sort()).toEqual([
      ...["collected", "discarded", "ended", "fenced", "running", "starting", "stopping"].map((kind) => `attempt ${kind}`),
      ...[
        "backoff",
        "cancelled",
        "cancelling",
        "checking",
        "collecting",
        "landing",
        "merged",
        "parked",
        "planned",
        "queued",
        "running",
        "starting",
      ].map((kind) => `task ${kind}`),
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
      { numRuns: 300 },
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
