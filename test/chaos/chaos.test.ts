import { expect, it } from "vitest";
import { breakages, drawPlan } from "./draw-plan.ts";
import { runChaos } from "./run-chaos.ts";

const plan = { spanMs: 20_000, count: Object.keys(breakages).length, leastMs: 500, mostMs: 5000 };

it.each(process.env["DISPATCH_CRASH_LONG"] === "1" ? [1, 2, 3, 4] : [1])(
  "seed %i: four machines break in every way while 16 tasks are worked on, and every task lands once",
  { timeout: 480_000 },
  async (seed) => {
    const kinds = new Set(drawPlan(seed, { ...plan, nodes: 4, smallDisk: 3 }).map((one) => one.do));
    for (const [breakage, repair] of Object.entries(breakages))
      for (const kind of repair === null ? [breakage] : [breakage, repair]) expect(kinds).toContain(kind);
    const figures = await runChaos({
      seed,
      slots: 2,
      lostAfterMs: 2500,
      tasks: { count: 16, waves: 3, leastSeconds: 1, mostSeconds: 4 },
      plan,
      settleMs: 180_000,
      say: () => {},
    });
    expect(figures.merged).toBe(16);
  },
);
