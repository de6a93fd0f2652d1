import type { Clock } from "@dispatch/core";

/** A clock that a test moves. */
export interface FakeClock extends Clock {
  /** Moves time on and calls what became due, in order. */
  advance(ms: number): void;
  /** When the next callback is due, or undefined. */
  nextDue(): number | undefined;
}

export function createFakeClock(start = 1_000_000): FakeClock {
  let now = start;
  let serial = 0;
  const due = new Map<number, { at: number; callback: () => void }>();
  return {
    now: () => now,
    after(ms, callback) {
      const id = serial++;
      due.set(id, { at: now + ms, callback });
      return () => due.delete(id);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...due].filter(([, entry]) => entry.at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
        if (next === undefined) break;
        due.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].callback();
      }
      now = end;
    },
    nextDue: () => [...due.values()].map((entry) => entry.at).sort((a, b) => a - b)[0],
  };
}
