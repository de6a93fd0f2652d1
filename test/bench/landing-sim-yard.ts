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
  red: boolean;
  done(red: boolean): void;
}

/** Where branches come from. */
export interface Source {
  /** When the next one arrives, if nothing else happens before. */
  next(): number;
  take(): number;
  left(branch: number, how: "landed" | "refused", now: number): void;
  isOver(): boolean;
}

/** What a landing policy can do. A run takes one slot and judges main as it is, with branches on it. */
export interface Yard {
  free(): number;
  start(held: readonly number[], done: (red: boolean) => void): Run;
  cancel(run: Run): void;
  land(branches: readonly number[]): void;
  refuse(branch: number): void;
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

/** Branches that arrive when the trace says. */
export function openSource(trace: readonly Branch[]): Source {
  let arrived = 0;
  let gone = 0;
  return {
    next: () => trace[arrived]?.arrives ?? Number.POSITIVE_INFINITY,
    take: () => arrived++,
    left: () => void gone++,
    isOver: () => gone === trace.length,
  };
}

export interface Play {
  trace: readonly Branch[];
  source: Source;
  flake: number;
  slots: number;
  policy: Policy;
  seed: number;
}

/** Lands branches by a policy in virtual time, of which a green run takes one. */
export function playLanding({ trace, source, flake, slots, policy, seed }: Play): SimFigures {
  const random = createRandom(seed + 1_000_003);
  const landed = new Set<number>();
  const gone = new Set<number>();
  const flying = new Set<Run>();
  const arrivals = new Map<number, number>();
  const figures: SimFigures = { landed: 0, refused: 0, makespan: 0, runs: 0, latencies: [], refusedGood: 0, brokenMain: 0 };
  let now = 0;

  const isRed = (held: readonly number[]): boolean => {
    const all = new Set(held);
    return held.some((id) => trace[id]?.bad === true || trace[id]?.conflicts.some((other) => all.has(other) || landed.has(other)));
  };
  const leave = (branch: number, how: "landed" | "refused"): void => {
    if (gone.has(branch)) throw new Error(`branch ${branch} left twice`);
    gone.add(branch);
    figures.makespan = now;
    source.left(branch, how, now);
  };
  const yard: Yard = {
    free: () => slots - flying.size,
    start(held, done) {
      if (flying.size >= slots) throw new Error("more runs than slots");
      const red = isRed(held) || random() < flake;
      const run: Run = { ends: now + (red ? 0.3 + 0.7 * random() : 0.95 + 0.1 * random()), red, done };
      flying.add(run);
      figures.runs++;
      return run;
    },
    cancel: (run) => void flying.delete(run),
    land(branches) {
      if (isRed(branches)) figures.brokenMain++;
      for (const branch of branches) {
        landed.add(branch);
        figures.landed++;
        figures.latencies.push(now - (arrivals.get(branch) ?? 0));
        leave(branch, "landed");
      }
    },
    refuse(branch) {
      figures.refused++;
      if (!isRed([branch])) figures.refusedGood++;
      leave(branch, "refused");
    },
  };
  const lane = policy(yard, slots);
  while (!source.isOver()) {
    const run = [...flying].reduce<Run | undefined>((first, other) => (first === undefined || other.ends < first.ends ? other : first), undefined);
    now = Math.min(run?.ends ?? Number.POSITIVE_INFINITY, source.next());
    if (now === Number.POSITIVE_INFINITY) throw new Error("branches are left, and nothing runs");
    if (figures.runs > 50 * trace.length) throw new Error("no end of runs");
    if (run !== undefined && run.ends <= now) {
      flying.delete(run);
      run.done(run.red);
    }
    while (source.next() <= now) {
      const branch = source.take();
      arrivals.set(branch, now);
      lane.arrive(branch);
    }
    lane.go();
  }
  figures.latencies.sort((a, b) => a - b);
  return figures;
}
