import { createHash } from "node:crypto";
import type { Decision } from "@dispatch/scheduler";
import { naiveDecide } from "../../packages/scheduler/src/testing/naive-decide.ts";
import { atLeast, atMost, type Benchmark, type Goal, median, type Outcome, type Row } from "./benchmark.ts";
import { createLoad, type Load, type LoadShape } from "./scheduler-load.ts";

const minute = 60_000;
const meanEstimate = 34.5;

interface Played {
  /** Placements and completions. */
  decisions: number;
  /** Processor time of a decision, garbage collection included, in microseconds. */
  us: number;
  /** Slowest single turn (one completion with all that follows) in microseconds. */
  slowest: number;
  buildMs: number;
  held: number;
  /** sha256 of the placements, in order. */
  picks: string;
}

/**
 * Fills the slots, lets some tasks end to settle, and then measures turns: one task ends, what follows is decided and recorded.
 * `measured` decisions at most; `decideBy` replaces the board, for the oracle.
 */
function play(shape: LoadShape, measured: number, decideBy?: (load: Load, now: number) => readonly Decision[]): Played {
  const build = process.hrtime.bigint();
  const load = createLoad(shape);
  const hash = createHash("sha256");
  let now = minute;
  // So that a task takes what its spec says on average, and estimates stay as they are.
  const pause = (meanEstimate * minute) / shape.slots;
  let decisions = 0;
  const turn = (): void => {
    const found = decideBy === undefined ? load.board.decide(now) : decideBy(load, now);
    for (const decision of found) {
      if (decision.decide !== "place") continue;
      load.start(decision, now);
      hash.update(`${decision.task} ${decision.node}\n`);
      decisions++;
    }
  };
  if (decideBy === undefined) turn();
  else for (const decision of load.board.decide(now)) if (decision.decide === "place") load.start(decision, now);
  const buildMs = Number(process.hrtime.bigint() - build) / 1e6;
  const held = load.running();
  const step = (): void => {
    now += pause;
    load.endOldest(now);
    decisions++;
    turn();
  };
  if (decideBy === undefined) for (let i = 0; i < Math.min(200, measured / 10) && load.running() > 0; i++) step();
  decisions = 0;
  let slowest = 0n;
  const start = process.cpuUsage();
  while (decisions < measured && load.running() > 0) {
    const before = process.hrtime.bigint();
    step();
    const took = process.hrtime.bigint() - before;
    if (took > slowest) slowest = took;
  }
  const { user, system } = process.cpuUsage(start);
  const us = (user + system) / Math.max(1, decisions);
  return { decisions, us, slowest: Number(slowest) / 1000, buildMs, held, picks: hash.digest("hex") };
}

const sizes = [1_000, 3_000, 10_000, 100_000] as const;
const slotCounts = [32, 256, 1_000, 10_000] as const;

interface Lane {
  name: string;
  shape: LoadShape;
  most: number;
}

function lanes(): Lane[] {
  const grid = sizes.flatMap((tasks) =>
    slotCounts
      .filter((slots) => slots < tasks || slots === 32)
      .map((slots) => ({ name: `${tasks / 1000}k tasks, ${slots} slots`, shape: { tasks, slots }, most: 20_000 })),
  );
  return [
    ...grid,
    { name: "110k tasks, 10k held, 8 hot folders", shape: { tasks: 106_000, slots: 10_000, hotWaiters: 4_000, hotFolders: 8 }, most: 20_000 },
    { name: "100k tasks in 40 modules, 32 slots", shape: { tasks: 100_000, slots: 32, modules: 40 }, most: 20_000 },
    { name: "10k tasks, 32 slots, 10k waiters on one folder", shape: { tasks: 10_000, slots: 32, hotWaiters: 10_000 }, most: 20_000 },
  ];
}

interface Round {
  ours: Map<string, Played>;
  /** One pick of the naive scan, and of the board from the same rows, in microseconds; and whether the first picks were the same. */
  naive: Map<number, { us: number; same: boolean; picks: number }>;
}

function oneRound(say: (line: string) => void): Round {
  const ours = new Map<string, Played>();
  for (const { name, shape, most } of lanes()) {
    const played = play(shape, most);
    ours.set(name, played);
    say(`  ${name}: ${played.us.toFixed(1)} us, ${played.held} held, built in ${played.buildMs.toFixed(0)} ms`);
  }
  const naive = new Map<number, { us: number; same: boolean; picks: number }>();
  for (const [tasks, measured] of naiveSizes) {
    const shape = { tasks, slots: 32 };
    const theirs = play(shape, measured, ({ snapshot }, now) => naiveDecide(snapshot, now));
    const same = play(shape, measured, ({ board }, now) => board.decide(now)).picks === theirs.picks;
    naive.set(tasks, { us: theirs.us, same, picks: theirs.decisions });
    say(`  naive, ${tasks / 1000}k tasks: ${theirs.us.toFixed(0)} us, ${theirs.decisions} decisions, picks ${same ? "the same" : "DIFFERENT"}`);
  }
  return { ours, naive };
}

/** Pending tasks, and so many decisions as time allows; at 1k and 3k all of them. */
const naiveSizes: readonly (readonly [tasks: number, decisions: number])[] = [
  [1_000, 2_000],
  [3_000, 2_000],
  [10_000, 100],
  [100_000, 6],
];

/** How many times dearer a decision gets for ten times the tasks, as an exponent. */
function exponent(small: number, large: number, factor: number): number {
  return Math.log(large / small) / Math.log(factor);
}

function goalsOf(us: (lane: string) => number, naive: (tasks: number) => number, same: boolean): Goal[] {
  return [
    atMost("us per decision, 100k pending and 10k held, hot folders included", us("110k tasks, 10k held, 8 hot folders"), 50),
    atMost("growth 100k against 3k tasks, 32 slots", us("100k tasks, 32 slots") / us("3k tasks, 32 slots"), 5),
    atMost("growth 100k against 3k tasks, 256 slots", us("100k tasks, 256 slots") / us("3k tasks, 256 slots"), 5),
    atMost("10k waiters on one folder against none", us("10k tasks, 32 slots, 10k waiters on one folder") / us("10k tasks, 32 slots"), 3),
    atLeast("naive scan against ours, 100k tasks", naive(100_000) / us("100k tasks, 32 slots"), 500),
    atLeast("share of picks that are the oracle's", same ? 1 : 0, 1),
  ];
}

export const scheduler: Benchmark = {
  name: "scheduler",
  tells: "cost of a decision by tasks and slots, under hot locks, and against a naive scan",
  rounds: 3,
  async measure(rounds, say): Promise<Outcome> {
    play({ tasks: 3_000, slots: 256 }, 5_000);
    const all = Array.from({ length: rounds }, (_, round) => {
      say(`round ${round + 1}`);
      return oneRound(say);
    });
    const values = (name: string, of: (played: Played) => number) =>
      all.flatMap(({ ours }) => (ours.has(name) ? [of(ours.get(name) as Played)] : []));
    const us = (name: string) => median(values(name, (played) => played.us));
    const naive = (tasks: number) => median(all.map((round) => round.naive.get(tasks)?.us ?? Number.NaN));
    const same = all.every((round) => [...round.naive.values()].every((one) => one.same));
    const rows: Row[] = lanes().flatMap(({ name }) => [
      { what: name, unit: "us per decision", values: values(name, (played) => played.us) },
      { what: "  slowest turn", unit: "us", values: values(name, (played) => played.slowest) },
    ]);
    for (const [tasks] of naiveSizes) {
      rows.push({
        what: `naive scan, ${tasks / 1000}k tasks, 32 slots`,
        unit: "us per decision",
        values: all.map((round) => round.naive.get(tasks)?.us ?? 0),
      });
    }
    const figures = Object.fromEntries(lanes().map(({ name }) => [name, us(name)]));
    return {
      rows,
      figures: {
        ...figures,
        decisionsPerSecond100k: 1e6 / us("100k tasks, 32 slots"),
        exponent32: exponent(us("3k tasks, 32 slots"), us("100k tasks, 32 slots"), 100 / 3),
        exponent256: exponent(us("3k tasks, 256 slots"), us("100k tasks, 256 slots"), 100 / 3),
        naive100k: naive(100_000),
      },
      goals: goalsOf(us, naive, same),
      notes: ["a decision is one placement or one completion: its rows given to the board, and what follows decided"],
    };
  },
};
