import { type Dice, mixBits } from "./random.ts";

/** Something that will happen. Cancelled, it never was there. */
export interface Appointment {
  cancelled: boolean;
}

interface Entry extends Appointment {
  at: number;
  /** Order among things of the same millisecond: drawn, so that no order is relied on. */
  rank: number;
  what: string;
  act: () => void;
}

/**
 * Time and the event loop of a simulation. One step is one thing: a callback that waited for the end of the turn,
 * or one appointment, for which the clock jumps.
 */
export interface Timeline {
  now(): number;
  after(ms: number, what: string, act: () => void): Appointment;
  /** The same, behind all others of its millisecond that were asked for in line. */
  afterInLine(ms: number, what: string, act: () => void): Appointment;
  /** At the end of this turn of the event loop, after those that were asked for before. */
  atTurnEnd(what: string, act: () => void): void;
  /** Forgets what waits for the end of the turn: the process that asked is dead. */
  forgetTurnEnds(): void;
  /** Nothing waits for the end of the turn, and nothing of this very moment is left that could matter. */
  isIdle(): boolean;
  /** Takes the next step; returns what it was, or undefined when there is nothing left. */
  step(): string | undefined;
}

export function createTimeline(seed: number, dice: Dice, start: number): Timeline {
  const heap: Entry[] = [];
  const turnEnds: { what: string; act: () => void }[] = [];
  let now = start;
  let serial = 0;

  function nextAppointment(): Entry | undefined {
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      if (!top.cancelled) return top;
      popEntry(heap);
    }
    return undefined;
  }

  function add(ms: number, rank: number, what: string, act: () => void): Appointment {
    const entry: Entry = { at: now + Math.max(0, ms), rank, what, act, cancelled: false };
    pushEntry(heap, entry);
    return entry;
  }

  return {
    now: () => now,
    after: (ms, what, act) => add(ms, mixBits(seed ^ serial++), what, act),
    afterInLine: (ms, what, act) => add(ms, 2 ** 32 + serial++, what, act),
    atTurnEnd(what, act) {
      turnEnds.push({ what, act });
    },
    forgetTurnEnds() {
      turnEnds.length = 0;
    },
    isIdle: () => turnEnds.length === 0 && (nextAppointment()?.at ?? Number.POSITIVE_INFINITY) > now,
    step() {
      const next = nextAppointment();
      const turnEnd = turnEnds[0];
      if (turnEnd !== undefined && (next === undefined || next.at > now || dice.chance(0.5))) {
        turnEnds.shift();
        turnEnd.act();
        return turnEnd.what;
      }
      if (next === undefined) return undefined;
      popEntry(heap);
      now = Math.max(now, next.at);
      next.act();
      return next.what;
    },
  };
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.at !== right.at ? left.at < right.at : left.rank < right.rank;
}

function pushEntry(heap: Entry[], entry: Entry): void {
  let i = heap.length;
  heap.push(entry);
  while (i > 0) {
    const up = (i - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || !isBefore(entry, parent)) break;
    heap[i] = parent;
    i = up;
  }
  heap[i] = entry;
}

function popEntry(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let i = 0;
  for (;;) {
    const left = heap[2 * i + 1];
    const right = heap[2 * i + 2];
    if (left === undefined) break;
    const smaller = right !== undefined && isBefore(right, left) ? right : left;
    if (!isBefore(smaller, last)) break;
    heap[i] = smaller;
    i = smaller === left ? 2 * i + 1 : 2 * i + 2;
  }
  heap[i] = last;
}
