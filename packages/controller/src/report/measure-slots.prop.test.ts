import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measureSlots } from "./measure-slots.ts";

const spans = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 20 })).map(([from, length]) => ({ from, to: from + length })),
  { maxLength: 12 },
);

describe("the use of slots", () => {
  it("agrees with counting every moment by itself", () => {
    fc.assert(
      fc.property(spans, spans, fc.integer({ min: 1, max: 4 }), (sessions, demand, slots) => {
        let used = 0;
        let possible = 0;
        let most = 0;
        const count = (list: typeof sessions, t: number) => list.filter((span) => span.from <= t && t < span.to).length;
        for (let t = 0; t < 80; t++) {
          const now = count(sessions, t);
          most = Math.max(most, now);
          used += Math.min(now, slots);
          possible += Math.min(Math.max(now, count(demand, t)), slots);
        }
        const measured = measureSlots(sessions, demand, slots);
        expect(measured.maxParallel).toBe(most);
        expect(measured.utilisation).toBeCloseTo(possible === 0 ? 1 : used / possible, 10);
      }),
    );
  });

  it("is whole when every demand had a slot, and half when one of two waited", () => {
    expect(measureSlots([{ from: 0, to: 10 }], [{ from: 0, to: 10 }], 4).utilisation).toBe(1);
    expect(
      measureSlots(
        [{ from: 0, to: 10 }],
        [
          { from: 0, to: 10 },
          { from: 0, to: 10 },
        ],
        4,
      ).utilisation,
    ).toBe(0.5);
  });
});
