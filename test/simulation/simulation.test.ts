import { type FactoryEventType, patternsOverlap } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { huntMutant, seedRange, tellHunt } from "./hunt-mutants.ts";
import { bundleProgram, openProgram } from "./load-program.ts";
import { mutants } from "./mutants/index.ts";
import { entries, entriesMeet } from "./paths.ts";
import { regressions } from "./regressions.ts";
import type { Tally } from "./sim.ts";

const program = openProgram(await bundleProgram());
const seeds = 200;

/** Facts that do not come by themselves: worlds in which they never happen would prove little. */
const rareFacts: readonly FactoryEventType[] = [
  "spec-revised",
  "task-cancelled",
  "task-retried",
  "attempt-abandoned",
  "attempt-fenced",
  "attempt-refused",
  "attempt-retired",
  "attempt-stop-asked",
  "candidate-refused",
  "collect-stopped",
  "contract-changed",
  "car-dropped",
  "car-failed",
  "landing-frozen",
  "node-cordoned",
  "node-lost",
  "node-returned",
  "node-uncordoned",
  "origin-moved",
  "project-paused",
];

/** How often that has to happen in all worlds together which the laws of lost nodes are about. */
const wanted: Readonly<Record<Tally, number>> = {
  "node lost": 300,
  "unknown node lost": 1,
  fenced: 150,
  "back alive": 30,
  "back ended": 15,
  "back vanished": 15,
  "back forgotten": 10,
  "late report": 100,
  "retired with work": 60,
  abandoned: 60,
};

describe("the simulated factory", () => {
  it(`breaks no law in ${seeds} worlds`, { timeout: 300_000 }, async () => {
    const total = { merged: 0, attempts: 0, lives: 0 };
    const seen = new Set<string>();
    const tallies = new Map<string, number>();
    for (const seed of seedRange(1, seeds)) {
      const { violation, merged, attempts, lives, factTypes, tally } = await program.playSeed(seed);
      expect(violation, `seed ${seed}: dispatch simulate --seed ${seed}`).toBeUndefined();
      for (const type of factTypes) seen.add(type);
      for (const [what, count] of Object.entries(tally)) tallies.set(what, (tallies.get(what) ?? 0) + count);
      total.merged += merged;
      total.attempts += attempts;
      total.lives += lives;
    }
    expect(rareFacts.filter((type) => !seen.has(type))).toEqual([]);
    for (const [what, least] of Object.entries(wanted)) expect(tallies.get(what) ?? 0, what).toBeGreaterThanOrEqual(least);
    // The worlds are worth something only when work is done in them and much goes wrong.
    expect(total.merged).toBeGreaterThan(seeds * 8);
    expect(total.attempts).toBeGreaterThan(total.merged * 1.3);
    expect(total.lives).toBeGreaterThan(seeds * 1.5);
  });

  it.each(regressions)("breaks no law any more in the world of seed $seed: $what", async ({ seed }) => {
    expect((await program.playSeed(seed)).violation).toBeUndefined();
  });

  it("takes the same steps from the same seed, to the byte", async () => {
    for (const seed of [3, 11, 27]) {
      const first = await program.playSeed(seed, true);
      const second = await program.playSeed(seed, true);
      expect(first.trace.length).toBeGreaterThan(500);
      expect(second).toEqual(first);
    }
  });

  it("tells a broken law as the smallest world that breaks it", async () => {
    const [mutant] = mutants;
    if (mutant === undefined) throw new Error("no mutants");
    const broken = openProgram(await bundleProgram(mutant));
    const told = await broken.explainSeed(mutant.seed);
    expect(told.filter((line) => line.startsWith("task ")).length).toBeLessThanOrEqual(3);
    expect(told).toContain("law broken: 2 locks");
    expect(await broken.explainSeed(mutant.seed)).toEqual(told);
  });

  it("knows of its entries exactly which overlap", () => {
    for (const left of entries)
      for (const right of entries) expect([left, right, entriesMeet(left, right)]).toEqual([left, right, patternsOverlap(left, right)]);
  });
});

describe("the mutants", () => {
  it.each(mutants)("$name: is caught", { timeout: 120_000 }, async (mutant) => {
    const hunt = await huntMutant(mutant, [mutant.seed, ...seedRange(1, 20)]);
    expect(hunt.caught, tellHunt(hunt)).toBeDefined();
  });
});
