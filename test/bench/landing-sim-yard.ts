/** A branch that wants to land. `conflicts`: branches with which it is red though each is green without the other. */
export interface Branch {
  bad: boolean;
  arrives: number;
  conflicts: readonly number[];
}

export interface TraceShape {
  branches: number;
  /** P(a branch is red alone). */
  bad: number;
  /** P(two neighbours are red together). */
  conflict: number;
  /** P(a green tree is judged red). */
  flake: number;
  /** Arrivals per run time; undefined: all wait from the start. */
  arrivals?: number;
}

export interface Run {
  ends: number;
  starts: number;
  done(red: boolean): void;
  red: boolean;
}

/** What a landing policy can do. A run takes one slot and judges main as it is, with branches on it. */
export interface Yard {
  free(): number;
  start(held: readonly number[], done: (red: boolean) => void): Run;
  cancel(run: Run): void;
  land(branches: readonly number[]): void;
  refuse(branch: number): void;
  wake(at: number, call: () => void): void;
  now(): number;
}

export interface Lane {
  arrive(branch: number): void;
  /** Starts what can be started now. */
  go(): void;
}

export type Policy = (yard: Yard, slots: number) => Lane;

export interface SimFigures {
  landed: number;
  refused: number;
  makespan: number;
  runs: number;
  /** Landed branches' times from arrival to main, sorted. */
  latencies: number[];
  refusedGood: number;
  brokenMain: number;
}

const neighbours = 32;

export function createRandom(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function createTrace({ branches, bad, conflict, arrivals }: TraceShape, seed: number): Branch[] {
  const random = createRandom(seed);
  let at = 0;
  const trace = Array.from({ length: branches }, () => {
    if (arrivals !== undefined) at -= Math.log(1 - random()) / arrivals;
    return { bad: random() < bad, arrives: at, conflicts: [] as number[] };
  });
  for (let i = 0; i < branches; i++) {
    for (let j = i + 1; j < Math.min(branches, i + neighbours / 2 + 1); j++) {
      if (random() >= conflict) continue;
      trace[i]?.conflicts.push(j);
      trace[j]?.conflicts.push(i);
    }
  }
  return trace;
}

/** Plays a trace with a policy in virtual time, of which one passing run takes one. */
export function playTrace(trace: readonly Branch[], { flake }: TraceShape, slots: number, policy: Policy, seed: number): SimFigures {
  const random = createRandom(seed + 1_000_003);
  const landed = new Set<number>();
  const gone = new Set<number>();
  const flying = new Set<Run>();
  const calls: { at: number; call: () => void }[] = [];
  const figures: SimFigures = { landed: 0, refused: 0, makespan: 0, runs: 0, latencies: [], refusedGood: 0, brokenMain: 0 };
  let now = 0;

  const isRed = (held: readonly number[]): boolean => {
    const all = new Set(held);
    return held.some((id) => trace[id]?.bad === true || trace[id]?.conflicts.some((other) => all.has(other) || landed.has(other)));
  };
  const leave = (branch: number): void => {
    if (gone.has(branch)) throw new Error(`branch ${branch} left twice`);
    gone.add(branch);
    figures.makespan = now;
  };
  const yard: Yard = {
    free: () => slots - flying.size,
    now: () => now,
    start(held, done) {
      if (flying.size >= slots) throw new Error("more runs than slots");
      const red = isRed(held) || random() < flake;
      const run: Run = { starts: now, ends: now + (red ? 0.3 + 0.7 * random() : 0.95 + 0.1 * random()), done, red };
      flying.add(run);
      figures.runs++;
      return run;
    },
    cancel: (run) => void flying.delete(run),
    land(branches) {
      if (isRed(branches)) figures.brokenMain++;
      for (const branch of branches) {
        leave(branch);
        landed.add(branch);
        figures.landed++;
        figures.latencies.push(now - (trace[branch]?.arrives ?? 0));
      }
    },
    refuse(branch) {
      leave(branch);
      figures.refused++;
      if (!isRed([branch])) figures.refusedGood++;
    },
    wake: (at, call) => void calls.push({ at, call }),
  };
  const lane = policy(yard, slots);
  let next = 0;
  while (gone.size < trace.length) {
    const run = [...flying].reduce<Run | undefined>((first, other) => (first === undefined || other.ends < first.ends ? other : first), undefined);
    const arrives = trace[next]?.arrives ?? Number.POSITIVE_INFINITY;
    const at = Math.min(run?.ends ?? Number.POSITIVE_INFINITY, arrives);
    if (at === Number.POSITIVE_INFINITY) throw new Error(`${trace.length - gone.size} branches are left and nothing runs`);
    if (figures.runs > 50 * trace.length) throw new Error("no end of runs");
    now = at;
    if (arrives <= at) {
      while ((trace[next]?.arrives ?? Number.POSITIVE_INFINITY) <= at) lane.arrive(next++);
    } else if (run !== undefined) {
      flying.delete(run);
      run.done(run.red);
    }
    lane.go();
  }
  figures.latencies.sort((a, b) => a - b);
  return figures;
}
