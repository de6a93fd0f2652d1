import { atLeast, atMost, type Benchmark, type Goal, median, type Outcome, type Row, ratios, rounded } from "./benchmark.ts";
import { createBoardChooser } from "./utilisation-board.ts";
import { boundsOf } from "./utilisation-bounds.ts";
import { type DayFigures, simulateDay } from "./utilisation-day.ts";
import { byPriority, byRemainingPath, createListChooser, inFeedOrder, makespanOf, type Order } from "./utilisation-lists.ts";
import { createPlan, type PlanShape } from "./utilisation-plan.ts";

/** Plans from wide, which slots bind, to deep, which their longest chain binds; seed by seed in turn. */
const layersInTurn = [8, 12, 20, 30];
const contendedSeeds = 30;
const days = 10;

const orders = { fifo: inFeedOrder, priority: byPriority, path: byRemainingPath } satisfies Record<string, Order>;

interface Scenario {
  name: string;
  slots: number;
  seeds: number;
  shape(seed: number): PlanShape;
  against: readonly (keyof typeof orders)[];
}

const plain = { locks: null, priorities: false, estimateSigma: 0 };
const fixed =
  (shape: Partial<PlanShape>): Scenario["shape"] =>
  () => ({ ...plain, tasks: 1000, layers: 12, ...shape });

function scenariosOf(rounds: number) {
  const seeds = Math.min(rounds, contendedSeeds);
  const few = { tasks: 1000, layers: 40, locks: { modules: 16, files: 12 } };
  const layers = (seed: number): number => layersInTurn[seed % layersInTurn.length] ?? 12;
  return {
    free: {
      name: "no locks, 1,000/32",
      slots: 32,
      seeds: rounds,
      shape: (seed) => ({ ...plain, tasks: 1000, layers: layers(seed) }),
      against: ["fifo", "path"],
    },
    classes: {
      name: "no locks, priorities differ",
      slots: 32,
      seeds: rounds,
      shape: (seed) => ({ ...plain, tasks: 1000, layers: layers(seed), priorities: true }),
      against: ["fifo", "priority"],
    },
    locked: { name: "locks, 1,000/32", slots: 32, seeds, shape: fixed({ locks: { modules: 200, files: 20 } }), against: ["fifo", "path"] },
    small: { name: "locks, 600/32", slots: 32, seeds, shape: fixed({ tasks: 600, locks: { modules: 200, files: 20 } }), against: ["fifo", "path"] },
    few: { name: "few modules, 1,000/128", slots: 128, seeds, shape: fixed(few), against: ["fifo", "path"] },
    guessed: { name: "few modules, estimates wrong", slots: 128, seeds, shape: fixed({ ...few, estimateSigma: 0.5 }), against: ["fifo", "path"] },
    many: {
      name: "many modules, 1,000/128",
      slots: 128,
      seeds,
      shape: fixed({ layers: 40, locks: { modules: 100, files: 20 } }),
      against: ["fifo", "path"],
    },
  } satisfies Record<string, Scenario>;
}

interface Measured {
  /** Makespan over the bound, seed by seed. */
  ours: number[];
  theirs: Partial<Record<keyof typeof orders, number[]>>;
  /** The larger of critical path and lock clique over work / slots; where it is at most 1, slots bind. */
  besideArea: number[];
}

function measureScenario({ slots, seeds, shape, against }: Scenario): Measured {
  const measured: Measured = { ours: [], theirs: Object.fromEntries(against.map((name) => [name, []])), besideArea: [] };
  for (let seed = 1; seed <= seeds; seed++) {
    const plan = createPlan(shape(seed), seed);
    const { criticalPath, area, clique } = boundsOf(plan, slots);
    const bound = Math.max(criticalPath, area, clique);
    measured.besideArea.push(Math.max(criticalPath, clique) / area);
    measured.ours.push(makespanOf(plan, createBoardChooser(plan, slots)) / bound);
    for (const name of against) measured.theirs[name]?.push(makespanOf(plan, createListChooser(plan, slots, orders[name])) / bound);
  }
  return measured;
}

const titles = { fifo: "FIFO", priority: "priority only", path: "critical path only" };

function rowsOf({ name, against }: Scenario, { ours, theirs }: Measured): Row[] {
  return [
    { what: `${name}: scheduler`, unit: "of the bound", values: ours },
    ...against.map((peer) => ({ what: `${name}: ${titles[peer]}`, unit: "of the bound", values: theirs[peer] ?? [] })),
  ];
}

function dayRows(measured: readonly DayFigures[]): Row[] {
  const row = (what: string, unit: string, value: (figures: DayFigures) => number): Row => ({ what, unit, values: measured.map(value) });
  return [
    row("day: slot time used while work was there", "%", ({ used }) => 100 * used),
    row("day: of it lost to starting sessions", "%", ({ starting }) => 100 * starting),
    row("day: of it empty though a task could start", "%", ({ empty }) => 100 * empty),
    row("day: sessions of all slots and hours", "%", ({ ofAllSlots }) => 100 * ofAllSlots),
    row("day: tasks merged", "", ({ merged }) => merged),
    row("day: attempts", "", ({ attempts }) => attempts),
    row("day: parked for the lead", "", ({ parked }) => parked),
    row("day: wait to land", "min", ({ meanWaitToLandMinutes }) => meanWaitToLandMinutes),
  ];
}

/** Where slots bind: our makespan over that of FIFO, and how close to binding the next bound is. */
function againstFifo(measured: readonly Measured[]): { ratio: number; beside: number }[] {
  return measured
    .flatMap(({ ours, theirs, besideArea }) => ratios(ours, theirs.fifo ?? []).map((ratio, i) => ({ ratio, beside: besideArea[i] ?? 0 })))
    .filter(({ beside }) => beside <= 1);
}

function goalsOf({ free, locked, small, few }: Record<"free" | "locked" | "small" | "few", Measured>, used: readonly number[]): Goal[] {
  return [
    atLeast("slot time used while work was there, %", 100 * median(used), 97),
    atMost("makespan / max(critical path, work / slots), no locks", median(free.ours), 1.05),
    atMost("1,000 tasks with locks, 32 slots / bound", median(locked.ours), 1.02),
    atMost("600-node graph with locks, 32 slots / bound", median(small.ours), 1.15),
    atMost("few modules, 128 slots / critical path only", median(ratios(few.ours, few.theirs.path ?? [])), 1),
    atMost("largest ratio to FIFO in an area-bound seed with locks", Math.max(...againstFifo([locked, small]).map(({ ratio }) => ratio)), 1),
  ];
}

function fifoNote(measured: readonly Measured[]): string {
  const seeds = againstFifo(measured);
  const behind = seeds
    .filter(({ ratio }) => ratio > 1)
    .map(({ ratio, beside }) => `${rounded(ratio)} where the next bound is ${rounded(beside)} of work / slots`);
  return `behind FIFO in ${behind.length} of ${seeds.length} area-bound seeds with locks${behind.length > 0 ? `: ${behind.join("; ")}` : ""}`;
}

async function measure(rounds: number, say: (line: string) => void): Promise<Outcome> {
  const scenarios = scenariosOf(rounds);
  const rows: Row[] = [];
  const figures: Record<string, number> = {};
  const run = (key: keyof typeof scenarios): Measured => {
    const scenario: Scenario = scenarios[key];
    say(`${scenario.name}: ${scenario.seeds} seeds`);
    const measured = measureScenario(scenario);
    rows.push(...rowsOf(scenario, measured));
    figures[key] = median(measured.ours);
    for (const peer of scenario.against) figures[`${key}-${peer}`] = median(measured.theirs[peer] ?? []);
    return measured;
  };
  const measured = {
    free: run("free"),
    classes: run("classes"),
    locked: run("locked"),
    small: run("small"),
    few: run("few"),
    guessed: run("guessed"),
    many: run("many"),
  };
  const count = Math.min(rounds, days);
  say(`a day of 32 slots: ${count} seeds`);
  const simulated = Array.from({ length: count }, (_, i) => simulateDay(i + 1));
  const used = simulated.map((figures) => figures.used);
  figures["dayUsedPercent"] = 100 * median(used);
  return {
    rows: [...dayRows(simulated), ...rows],
    figures,
    goals: goalsOf(measured, used),
    notes: [
      fifoNote([measured.locked, measured.small]),
      "the bound is max(critical path, work / slots, heaviest lock clique); every task goes through its whole life as facts of core, on simulated time",
      "in plans a merge takes no time and estimates are right unless said; the day has starts, collecting, gates, serial landings, failures, a lead and a node that falls out",
      "startable in the day: tasks that could run beside all others now, counted without the scheduler",
    ],
  };
}

export const utilisation: Benchmark = {
  name: "utilisation",
  tells: "a simulated day of 32 slots; makespans of simulated plans against their bounds, FIFO and priority only",
  rounds: 100,
  measure,
};
