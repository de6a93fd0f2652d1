import type { AttemptId, FactoryEvent, Oid } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";
import fc from "fast-check";
import { expect, it } from "vitest";
import { anOid, aSpec } from "../kit/build-facts.ts";
import { createFakeFactory } from "../kit/fake-factory.ts";

const citations = ["API.md", "API.md#GET /one", "API.md#GET /two"];
const day = fc.record({
  cites: fc.array(fc.subarray(citations), { minLength: 1, maxLength: 7 }),
  /** What happens, in the order in which it is asked. */
  luck: fc.array(fc.nat({ max: 99 }), { minLength: 60, maxLength: 120 }),
  crashes: fc.array(fc.nat({ max: 20 }), { maxLength: 4 }),
  slots: fc.integer({ min: 1, max: 4 }),
});
type Day = typeof day extends fc.Arbitrary<infer T> ? T : never;

/** Whatever lands or is pushed may change either entry, both, or none: the commit's number says which. */
const entryAt = (commit: Oid, bit: number): string => `says ${(Number.parseInt(commit.slice(-6), 16) >> bit) & 1}`;
const contractAt = (commit: Oid): string => `# Contract\n\n## GET /one\n\n${entryAt(commit, 0)}\n\n## GET /two\n\n${entryAt(commit, 1)}\n`;

function sameFor(cited: readonly string[], left: Oid, right: Oid): boolean {
  const all = cited.includes("API.md");
  const one = all || cited.includes("API.md#GET /one");
  const two = all || cited.includes("API.md#GET /two");
  return (!one || entryAt(left, 0) === entryAt(right, 0)) && (!two || entryAt(left, 1) === entryAt(right, 1));
}

async function play(plan: Day) {
  let draws = 0;
  const draw = () => plan.luck[draws++ % plan.luck.length] ?? 0;
  let pushed = 1000;
  const nextPush = (): Oid => {
    pushed += draw() + 1;
    return anOid(pushed);
  };
  const fake = createFakeFactory({
    contracts: ["API.md"],
    slots: plan.slots,
    behaviour: {
      outcome: () => undefined,
      files: (commit) => ({ "API.md": contractAt(commit) }),
      takeIn: (main) => (draw() < 60 ? { outcome: "ahead", candidate: nextPush(), commits: 1 } : { outcome: "unchanged", main }),
    },
  });
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed(
    plan.cites.map((contract, i) => ({ spec: aSpec(`S${i}`, { contract, attempts: 3 }), digest: `${i}`, text: `${i}`, path: `${i}` })),
  );
  for (let step = 0; step < 40; step++) {
    await fake.settle();
    if (plan.crashes.includes(step)) await fake.crash();
    if (draw() < 40 && fake.engine.world.projects.get("shop")?.collect.kind === "idle") await fake.engine.commands.collect("shop", "lead");
    const running = [...fake.engine.world.attempts.values()].filter((attempt) => attempt.state.kind === "running");
    const ending = running[draw() % Math.max(1, running.length)];
    if (ending !== undefined && draw() < 70) {
      const lost = draw() < 15;
      fake.end(ending.id, lost ? { kind: "lost", because: "gone" } : { kind: "succeeded", tip: anOid(900), base: ending.base, rounds: 1 });
    }
    fake.clock.advance(Math.max(0, (fake.clock.nextDue() ?? 0) - fake.clock.now()));
  }
  await fake.settle();
  return fake;
}

/** What the log alone says should have been told, and of which moves of main. */
function expectedFrom(events: readonly FactoryEvent[]) {
  const told = new Map<AttemptId, Oid[]>();
  const bases = new Map<AttemptId, Oid>();
  const over = new Set<AttemptId>();
  const moves: { from: Oid; commit: Oid }[] = [];
  let main = "";
  const move = (commit: Oid): void => {
    if (main !== "" && contractAt(main) !== contractAt(commit)) moves.push({ from: main, commit });
    main = commit;
  };
  for (const event of events) {
    if (event.type === "project-started" || event.type === "origin-taken-in") move(event.main);
    if (event.type === "car-dropped" && event.main !== undefined) move(event.main);
    if (event.type === "car-landed") move(event.commit);
    if (event.type === "task-placed") {
      bases.set(event.attempt, event.base);
      told.set(event.attempt, []);
    }
    if (event.type === "attempt-refused" || (event.type === "wrapper-reported" && event.fact.type === "attempt-ended")) over.add(event.attempt);
    if (event.type !== "contract-changed") continue;
    for (const [attempt, commits] of told) if (!over.has(attempt)) commits.push(event.commit);
  }
  return { told, bases, moves };
}

it("however main moves, its contract's changes are recorded, told to everybody at work, and nothing lands that cites what changed since its base", async () => {
  const seen = { told: 0, refused: 0, noted: 0, merged: 0 };
  await fc.assert(
    fc.asyncProperty(day, async (plan) => {
      const fake = await play(plan);
      const events = fake.ledger.events.map(({ event }) => event);
      const { told, bases, moves } = expectedFrom(events);
      const facts = events.flatMap((event) => (event.type === "contract-changed" ? [{ from: event.from, commit: event.commit }] : []));
      expect(facts).toEqual(moves);
      for (const attempt of fake.engine.world.attempts.values()) {
        expect(attempt.notices, attempt.id).toEqual(told.get(attempt.id));
        const left = [...(fake.notices.get(attempt.id)?.keys() ?? [])];
        for (const n of left) expect(n).toBeLessThanOrEqual(attempt.notices.length);
        if (attempt.state.kind === "running") expect(left.sort((a, b) => a - b)).toEqual(attempt.notices.map((_, i) => i + 1));
        seen.told += left.length;
      }
      let onto = "";
      for (const [at, event] of events.entries()) {
        if (event.type === "project-started" || event.type === "origin-taken-in") onto = event.main;
        if (event.type === "car-dropped" && event.main !== undefined) onto = event.main;
        if (event.type === "car-landed") onto = event.commit;
        const judged = event.type === "candidate-refused" ? [event.task] : event.type === "car-built" ? event.members : [];
        let notes = 0;
        for (const task of judged) {
          const cited = fake.engine.world.tasks.get(task)?.spec.contract ?? [];
          const attempt = [...bases.keys()].findLast((id) => id.startsWith(task.replace("/", "--")) && at > placedAt(events, id));
          const base = bases.get(attempt ?? "") ?? "";
          expect(sameFor(cited, base, onto), `${event.type} of ${task}`).toBe(event.type === "car-built");
          if (contractAt(base) !== contractAt(onto)) notes += 1;
        }
        if (event.type === "candidate-refused") seen.refused += 1;
        if (event.type !== "car-built") continue;
        expect(event.notes ?? []).toHaveLength(notes);
        seen.noted += notes;
        seen.merged += 1;
      }
      expect(fake.fatal).toEqual([]);
      expect(foldEvents(fake.ledger.events)).toEqual(fake.ledger.load().world);
    }),
    { numRuns: 60 },
  );
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5);
});

function placedAt(events: readonly FactoryEvent[], attempt: AttemptId): number {
  return events.findIndex((event) => event.type === "task-placed" && event.attempt === attempt);
}
