import { atLeast, atMost, type Benchmark, type Goal, median, type Outcome, type Row } from "./benchmark.ts";
import { closedSource, loopAttempts, loopSpecs } from "./landing-sim-loop.ts";
import { bors, prefix, sequential, zuul } from "./landing-sim-peers.ts";
import { productLane } from "./landing-sim-product.ts";
import { createTrace, openSource, type Policy, playLanding, type SimFigures, type TraceShape } from "./landing-sim-yard.ts";

const branches = 400;
const conflict = 5e-4;

type Name = "ours" | "sequential" | "bors" | "zuul" | "prefix";
const peers: readonly Name[] = ["sequential", "bors", "zuul", "prefix"];
const titles: Record<Name, string> = {
  ours: "the train",
  sequential: "sequential",
  bors: "batch and bisect (bors)",
  zuul: "each on those ahead (Zuul)",
  prefix: "stacked batches (Mergify)",
};

/** Landed per run time, of the design's prototype: its own column, and the best of the others. */
const design: readonly { slots: number; bad: number; own: number; others: number }[] = [
  { slots: 1, bad: 0.02, own: 4.35, others: 4.27 },
  { slots: 1, bad: 0.05, own: 2.54, others: 2.71 },
  { slots: 1, bad: 0.1, own: 1.75, others: 1.74 },
  { slots: 1, bad: 0.2, own: 1.13, others: 0.97 },
  { slots: 2, bad: 0.02, own: 6.39, others: 7.37 },
  { slots: 2, bad: 0.05, own: 3.92, others: 4.65 },
  { slots: 2, bad: 0.1, own: 2.94, others: 3.0 },
  { slots: 2, bad: 0.2, own: 1.9, others: 1.62 },
  { slots: 4, bad: 0.02, own: 11.67, others: 10.05 },
  { slots: 4, bad: 0.05, own: 7.16, others: 5.74 },
  { slots: 4, bad: 0.1, own: 5.08, others: 3.53 },
  { slots: 4, bad: 0.2, own: 3.36, others: 2.68 },
  { slots: 8, bad: 0.02, own: 17.92, others: 14.31 },
  { slots: 8, bad: 0.05, own: 12.23, others: 7.64 },
  { slots: 8, bad: 0.1, own: 8.8, others: 5.41 },
  { slots: 8, bad: 0.2, own: 5.8, others: 3.44 },
];
/** 95th percentile from arrival to main, and runs per landed branch, of the design's prototype. */
const queues: readonly { slots: number; arrivals: number; p95: number; runs: number }[] = [
  { slots: 1, arrivals: 0.5, p95: 2.3, runs: 1.14 },
  { slots: 1, arrivals: 2, p95: 22.7, runs: 0.73 },
  { slots: 1, arrivals: 6, p95: 131.8, runs: 0.71 },
  { slots: 4, arrivals: 0.5, p95: 1.1, runs: 1.29 },
  { slots: 4, arrivals: 2, p95: 2.1, runs: 1.36 },
  { slots: 4, arrivals: 6, p95: 9.7, runs: 0.97 },
  { slots: 8, arrivals: 0.5, p95: 1.1, runs: 1.29 },
  { slots: 8, arrivals: 2, p95: 1.8, runs: 1.43 },
  { slots: 8, arrivals: 6, p95: 4.2, runs: 1.47 },
];
const loops = [20, 6, 2].flatMap((work) => [1, 4].map((slots) => ({ work, slots })));

/** Peers ask twice before they refuse where runs are flaky; the train finds that out. */
function policyOf(name: Name, flake: number): Policy {
  if (name === "ours") return productLane;
  return { sequential, bors, zuul, prefix }[name](flake > 0 ? 2 : 1);
}

type Seen = Record<Name, SimFigures[]>;

function playAll(shape: TraceShape, slots: number, rounds: number, work?: number): Seen {
  const seen: Seen = { ours: [], sequential: [], bors: [], zuul: [], prefix: [] };
  for (let seed = 1; seed <= rounds; seed++) {
    const trace = createTrace(shape, seed);
    for (const name of Object.keys(titles) as Name[]) {
      const source = work === undefined ? openSource(trace) : closedSource(work, seed);
      seen[name].push(playLanding({ trace, source, flake: shape.flake, slots, policy: policyOf(name, shape.flake), seed }));
    }
  }
  return seen;
}

const rate = ({ landed, makespan }: SimFigures): number => landed / makespan;
const runsOf = ({ runs, landed }: SimFigures): number => runs / landed;
const percentile =
  (share: number) =>
  ({ latencies }: SimFigures): number =>
    latencies[Math.floor(share * latencies.length)] ?? Number.NaN;

function total(figures: readonly SimFigures[], value: (figures: SimFigures) => number): number {
  return figures.reduce((sum, one) => sum + value(one), 0);
}

/** Of all rounds together, as the design's figures are. */
function rateOf(figures: readonly SimFigures[]): number {
  return total(figures, ({ landed }) => landed) / total(figures, ({ makespan }) => makespan);
}

function rowsOf(where: string, seen: Seen, measures: readonly { unit: string; value(figures: SimFigures): number }[]): Row[] {
  return (Object.keys(titles) as Name[]).flatMap((name) =>
    measures.map(({ unit, value }) => ({ what: `${where}: ${titles[name]}`, unit, values: seen[name].map(value) })),
  );
}

interface Measured {
  rows: Row[];
  all: Seen[];
}

function measureSaturated(rounds: number): Measured & { toDesign: number[]; toPeers: number[]; small: number[] } {
  const result = { rows: [] as Row[], all: [] as Seen[], toDesign: [] as number[], toPeers: [] as number[], small: [] as number[] };
  for (const { slots, bad, own, others } of design) {
    const seen = playAll({ branches, bad, conflict, flake: 0 }, slots, rounds);
    result.all.push(seen);
    result.rows.push(
      ...rowsOf(`all wait, ${slots} slots, ${100 * bad} % bad`, seen, [
        { unit: "landed a run time", value: rate },
        { unit: "runs a landed", value: runsOf },
      ]),
    );
    const ours = rateOf(seen.ours);
    if (slots >= 4) result.toDesign.push(ours / own);
    else result.small.push(ours / Math.max(own, others));
    result.toPeers.push(ours / Math.max(others, ...peers.map((peer) => rateOf(seen[peer]))));
  }
  return result;
}

function measureQueues(rounds: number): Measured & { p95: number[]; runs: number[]; toPeers: number[] } {
  const result = { rows: [] as Row[], all: [] as Seen[], p95: [] as number[], runs: [] as number[], toPeers: [] as number[] };
  for (const { slots, arrivals, p95, runs } of queues) {
    const seen = playAll({ branches, bad: 0.08, conflict, flake: 0.01, arrivals }, slots, rounds);
    result.all.push(seen);
    const measures = [
      { unit: "run times to main, p50", value: percentile(0.5) },
      { unit: "run times to main, p95", value: percentile(0.95) },
      { unit: "runs a landed", value: runsOf },
    ];
    result.rows.push(...rowsOf(`${arrivals} arrive a run time, ${slots} slots`, seen, measures));
    const mean = (name: Name): number => total(seen[name], percentile(0.95)) / rounds;
    result.p95.push(mean("ours") / p95);
    result.runs.push(total(seen.ours, ({ runs }) => runs) / total(seen.ours, ({ landed }) => landed) / runs);
    result.toPeers.push(mean("ours") / Math.min(...peers.map(mean)));
  }
  return result;
}

function measureLoops(rounds: number): Measured & { toPeers: number[] } {
  const result = { rows: [] as Row[], all: [] as Seen[], toPeers: [] as number[] };
  for (const { work, slots } of loops) {
    const seen = playAll({ branches: loopSpecs * loopAttempts, bad: 0.08, conflict, flake: 0.01 }, slots, rounds, work);
    result.all.push(seen);
    result.rows.push(
      ...rowsOf(`32 agents work ${work} run times each, ${slots} slots`, seen, [{ unit: "makespan", value: ({ makespan }) => makespan }]),
    );
    const mean = (name: Name): number => total(seen[name], ({ makespan }) => makespan);
    result.toPeers.push(mean("ours") / Math.min(...peers.map(mean)));
  }
  return result;
}

function falselyRefused(all: readonly Seen[]): number {
  const ours = all.flatMap((seen) => seen.ours);
  return (100 * total(ours, ({ refusedGood }) => refusedGood)) / total(ours, ({ landed, refused }) => landed + refused);
}

async function measure(rounds: number): Promise<Outcome> {
  const saturated = measureSaturated(rounds);
  const queued = measureQueues(rounds);
  const looped = measureLoops(rounds);
  const all = [...saturated.all, ...queued.all, ...looped.all];
  const broken = total(
    all.flatMap((seen) => Object.values(seen).flat()),
    ({ brokenMain }) => brokenMain,
  );
  const falsely = falselyRefused([...queued.all, ...looped.all]);
  const worst = {
    "worst cell, 4 and 8 slots: landed / design": Math.min(...saturated.toDesign),
    "worst cell, 1 and 2 slots: landed / the best column of the design": Math.min(...saturated.small),
    "worst cell: landed / best peer": Math.min(...saturated.toPeers),
    "worst queue: p95 / design": Math.max(...queued.p95),
    "worst queue: p95 / best peer": Math.max(...queued.toPeers),
    "worst queue: runs a landed branch / design": Math.max(...queued.runs),
  };
  const goals: Goal[] = [
    ...Object.entries(worst).map(([name, value]) => (name.includes("landed /") ? atLeast(name, value, 1) : atMost(name, value, 1))),
    // Where the agents' work binds, all that do not queue come to the same time.
    atMost("worst closed loop: makespan / best peer", Math.max(...looped.toPeers), 1.01),
    atMost("landings that break main, all policies", broken, 0),
    atMost("good branches refused where 1 % of runs are flaky, %", falsely, 0.2),
  ];
  return {
    rows: [...saturated.rows, ...queued.rows, ...looped.rows],
    figures: {
      ...worst,
      "worst closed loop: makespan / best peer": Math.max(...looped.toPeers),
      "landed / design, median": median([...saturated.toDesign, ...saturated.small]),
      "good branches refused, %": falsely,
    },
    goals,
    notes: [
      "a branch is bad alone, two of 32 neighbours clash with 0.0005, a green run takes 0.95 to 1.05 run times and a red one 0.3 to 1.0",
      "peers are written from their descriptions; batching ones get the batch size that follows the share of refused branches",
    ],
  };
}

export const landingSim: Benchmark = {
  name: "landing-sim",
  tells: "the landing train and four other policies on the same branches, in virtual time",
  rounds: 20,
  measure,
};
