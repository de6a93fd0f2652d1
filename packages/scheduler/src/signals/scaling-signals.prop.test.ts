import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ScalingSample } from "./scaling-samples.ts";
import { judgeSignals, noSignals, type SignalFacts, type SignalName, type SignalState, signalThresholds, signalWindowMs } from "./scaling-signals.ts";

const now = 10 * signalWindowMs;

/** So many samples of each kind, all within the window. */
function samplesOf(count: { arrived?: number; merged?: number; conflicts?: number; green?: number; red?: number }): ScalingSample[] {
  const at = now - 1;
  const base = { at, project: "shop" };
  return [
    ...Array.from({ length: count.arrived ?? 0 }, () => ({ ...base, kind: "arrived" as const })),
    ...Array.from({ length: count.merged ?? 0 }, () => ({ ...base, kind: "landing-tried" as const, outcome: "merged" as const })),
    ...Array.from({ length: count.conflicts ?? 0 }, () => ({ ...base, kind: "landing-tried" as const, outcome: "conflict" as const })),
    ...Array.from({ length: count.green ?? 0 }, () => ({ ...base, kind: "first-round" as const, failed: false })),
    ...Array.from({ length: count.red ?? 0 }, () => ({ ...base, kind: "first-round" as const, failed: true })),
  ];
}

const quiet: SignalFacts = { now, pending: 0, startable: 0, running: 4, samples: [] };

/** Facts whose figure for a signal is `percent` hundredths. */
function factsWith(name: SignalName, percent: number): SignalFacts {
  switch (name) {
    case "backlog":
      return { ...quiet, startable: percent, running: 100 };
    case "arrivals":
      return { ...quiet, startable: 1, samples: samplesOf({ arrived: percent, merged: 100 }) };
    case "firstRounds":
      return { ...quiet, samples: samplesOf({ red: percent, green: 100 - percent }) };
    case "conflicts":
      return { ...quiet, samples: samplesOf({ conflicts: percent, merged: 100 - percent }) };
  }
}

const names = Object.keys(signalThresholds) as SignalName[];

describe("scaling signals", () => {
  it.each(names)("%s: a figure that stays between its two thresholds never switches it", (name) => {
    const { on, off } = signalThresholds[name];
    const between = fc.array(fc.integer({ min: Math.ceil(off * 100), max: Math.floor(on * 100) }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(between, fc.boolean(), (figures, start) => {
        let state: SignalState = { ...noSignals, [name]: start };
        for (const figure of figures) {
          state = judgeSignals(factsWith(name, figure), state).state;
          expect(state[name]).toBe(start);
        }
      }),
    );
  });

  it.each(names)("%s: is on above the upper threshold and off below the lower one, whatever it was", (name) => {
    const { on, off } = signalThresholds[name];
    for (const before of [false, true]) {
      const state = { ...noSignals, [name]: before };
      expect(judgeSignals(factsWith(name, Math.floor(on * 100) + 1), state).state[name]).toBe(true);
      expect(judgeSignals(factsWith(name, Math.ceil(off * 100) - 1), state).state[name]).toBe(false);
    }
  });

  it("switches at most as often as its figure crosses the whole band", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 }), (name, walk) => {
        const { on, off } = signalThresholds[name];
        let state = noSignals;
        let switches = 0;
        let crossings = 0;
        let side: "below" | "above" = "below";
        for (const step of walk) {
          const percent = Math.round(((off + on) / 2) * 100 + (step - 50) * (name === "firstRounds" || name === "conflicts" ? 0.3 : 2));
          const figure = Math.max(0, percent);
          if (side === "below" && figure > on * 100) [side, crossings] = ["above", crossings + 1];
          else if (side === "above" && figure < off * 100) [side, crossings] = ["below", crossings + 1];
          const next = judgeSignals(factsWith(name, figure), state).state;
          if (next[name] !== state[name]) switches++;
          state = next;
        }
        expect(switches).toBeLessThanOrEqual(crossings);
      }),
    );
  });

  it("weak specs win over a bad split, and both over more nodes", () => {
    const busy = { ...quiet, pending: 60, startable: 50, running: 16 };
    expect(judgeSignals(busy, noSignals).advice).toBe("add-nodes");
    const split = { ...busy, samples: samplesOf({ conflicts: 4, merged: 8, green: 8 }) };
    expect(judgeSignals(split, noSignals).advice).toBe("change-split");
    const weak = { ...busy, samples: samplesOf({ conflicts: 4, merged: 8, green: 6, red: 4 }) };
    expect(judgeSignals(weak, noSignals).advice).toBe("mend-specs");
  });

  it("counts only what could start towards the backlog, and says nothing from too few facts", () => {
    expect(judgeSignals({ ...quiet, pending: 500 }, noSignals).advice).toBe("none");
    expect(judgeSignals({ ...quiet, samples: samplesOf({ red: 3 }) }, { ...noSignals, firstRounds: true }).state.firstRounds).toBe(false);
  });

  it("forgets what is older than the window", () => {
    const samples = samplesOf({ red: 20 });
    expect(judgeSignals({ ...quiet, samples }, noSignals).state.firstRounds).toBe(true);
    expect(judgeSignals({ ...quiet, now: now + signalWindowMs, samples }, { ...noSignals, firstRounds: true }).figures.firstRounds).toBe(0);
  });
});
