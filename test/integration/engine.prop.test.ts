import { type AttemptOutcome, FactoryError } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../kit/build-facts.ts";
import { createFakeFactory, greenRun, redRun } from "../kit/fake-factory.ts";

const day = fc.record({
  specs: fc.array(
    fc.record({ deps: fc.array(fc.nat({ max: 7 }), { maxLength: 2 }), file: fc.nat({ max: 3 }), priority: fc.constantFrom(0, 1, 2, 3) }),
    { minLength: 1, maxLength: 8 },
  ),
  /** What happens, in the order in which it is asked. */
  luck: fc.array(fc.nat({ max: 99 }), { minLength: 20, maxLength: 60 }),
  crashes: fc.array(fc.nat({ max: 12 }), { maxLength: 3 }),
  slots: fc.integer({ min: 1, max: 4 }),
  landing: fc.constantFrom("continuous", "on-collect"),
});
type Day = typeof day extends fc.Arbitrary<infer T> ? T : never;

/** Plays a day on the fake factory until nothing moves any more; the kit asserts the invariants after every fact. */
async function play(plan: Day) {
  let draws = 0;
  const draw = () => plan.luck[draws++] ?? 0;
  const outcome = (base: string): AttemptOutcome => {
    const luck = draw();
    if (luck < 15) return { kind: "lost", because: "gone" };
    if (luck < 25) return { kind: "exhausted", rounds: 3, findings: [] };
    return { kind: "succeeded", tip: anOid(900 + luck), base, rounds: 1 };
  };
  const fake = createFakeFactory({
    slots: plan.slots,
    landing: plan.landing,
    behaviour: {
      outcome: (job) => outcome(job.base),
      conflict: () => draw() > 90,
      verify: (commit) => (commit !== fake.main() && draw() > 92 ? redRun : greenRun),
      fail: () => (draw() > 94 ? new FactoryError("DISK_FULL", "no room", { retry: "later" }) : undefined),
      publish: (main) => (draw() > 80 ? { outcome: "origin-moved" } : { outcome: "published", commit: main }),
    },
  });
  const files = plan.specs.map((spec, i) => {
    const id = `S${i}`;
    const dependsOn = [...new Set(spec.deps.filter((dep) => dep < i).map((dep) => `S${dep}`))];
    return {
      spec: aSpec(id, { dependsOn, modifies: [`src/f${spec.file}.ts`], priority: spec.priority as 0, attempts: 2 }),
      digest: id,
      text: id,
      path: id,
    };
  });
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed(files);
  for (let step = 0; step < 60; step++) {
    await fake.settle();
    if (plan.crashes.includes(step)) {
      await fake.crash();
      await fake.settle();
    }
    const collecting = fake.engine.world.projects.get("shop")?.collect.kind !== "idle";
    const queued = [...fake.engine.world.tasks.values()].some((task) => task.state.kind === "queued");
    if (queued && !collecting && plan.landing === "on-collect") await fake.engine.commands.collect("shop", "lead");
    else if (fake.clock.nextDue() === undefined && !collecting) break;
    fake.clock.advance(Math.max(0, (fake.clock.nextDue() ?? 0) - fake.clock.now()));
  }
  await fake.settle();
  return fake;
}

describe("a day in the factory", () => {
  it("ends: every task is merged, parked, or waits for a parked one; and the log folds to the same world", async () => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(day, async (plan) => {
        const fake = await play(plan);
        const { tasks, attempts } = fake.engine.world;
        for (const task of tasks.values()) {
          ends.add(task.state.kind);
          if (task.state.kind === "merged" || task.state.kind === "parked") continue;
          expect(task.state.kind).toBe("planned");
          expect(task.spec.dependsOn.some((id) => tasks.get(`shop/${id}`)?.state.kind !== "merged")).toBe(true);
        }
        for (const attempt of attempts.values()) expect(attempt.state.kind).toBe("discarded");
        expect(fake.fatal).toEqual([]);
        expect(foldEvents(fake.ledger.events)).toEqual(fake.ledger.load().world);
        expect(fake.ledger.load().world).toEqual(fake.engine.world);
        expect(fake.ledger.load().pending).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect([...ends].sort()).toEqual(["merged", "parked", "planned"]);
  });

  it("lands each merged task exactly once, after what it depends on", async () => {
    await fc.assert(
      fc.asyncProperty(day, async (plan) => {
        const fake = await play(plan);
        const merged = fake.ledger.events.flatMap(({ event }) => (event.type === "task-merged" ? [event.task] : []));
        expect(new Set(merged).size).toBe(merged.length);
        for (const [i, id] of merged.entries()) {
          for (const dep of fake.engine.world.tasks.get(id)?.spec.dependsOn ?? []) expect(merged.indexOf(`shop/${dep}`)).toBeLessThan(i);
        }
        expect(new Set(fake.landed.map((one) => one.commit)).size).toBe(fake.landed.length);
      }),
      { numRuns: 40 },
    );
  });
});
