/** What happens at which simulated time, in ms. */
export interface Agenda {
  at(time: number, what: (now: number) => void): void;
  /** When the next thing happens; undefined when nothing will. */
  next(): number | undefined;
  /** Lets everything happen that is due, in order of time, then of entry. */
  runUntil(now: number): void;
}

export function createAgenda(): Agenda {
  /** Latest first, so that the next is taken from the end. */
  const entries: { time: number; what: (now: number) => void }[] = [];
  return {
    at(time, what) {
      let low = 0;
      let high = entries.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((entries[middle]?.time ?? 0) > time) low = middle + 1;
        else high = middle;
      }
      entries.splice(low, 0, { time, what });
    },
    next: () => entries.at(-1)?.time,
    runUntil(now) {
      for (let next = entries.at(-1); next !== undefined && next.time <= now; next = entries.at(-1)) {
        entries.pop();
        next.what(next.time);
      }
    },
  };
}
