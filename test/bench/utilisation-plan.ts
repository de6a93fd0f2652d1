import type { Priority } from "@dispatch/core";

/** One task of a simulated plan. Tasks stand in an order in which each comes after what it needs. */
export interface PlanTask {
  id: string;
  /** Place in the plan. */
  at: number;
  durationMs: number;
  estimateMinutes: number;
  priority: Priority;
  dependsOn: readonly PlanTask[];
  /** Files `module/file` and whole modules `module`. */
  paths: readonly string[];
}

export interface PlanShape {
  tasks: number;
  /** Each task needs 0 to 3 of the layer before. */
  layers: number;
  /** Modules and files in each, of which a task locks 1 to 3; null: every task has a file of its own. */
  locks: { modules: number; files: number } | null;
  /** Whether priorities differ; without, all are 2. */
  priorities: boolean;
  /** Estimates are wrong by a factor whose logarithm has this deviation. */
  estimateSigma: number;
}

/** Ten minutes is the session length that the performance design reckons with. */
const medianMinutes = 10;
/** One task in ten takes more than twice the median. */
const durationSigma = 0.6;
/** As in the performance design: one lock in twenty is a whole directory. */
const directoryShare = 0.05;

/** Numbers from 0 to below 1; equal seeds give equal rows. (mulberry32) */
export function createRandom(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A factor around 1 whose logarithm is normal with deviation `sigma`. */
export function spread(random: () => number, sigma: number): number {
  return Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

/** Whole milliseconds. */
export function minutes(count: number): number {
  return Math.round(count * 60_000);
}

/** 1 to 3 paths in random modules, one in twenty of them a whole module. */
export function somePaths(random: () => number, { modules, files }: { modules: number; files: number }): string[] {
  const paths = new Set<string>();
  const wanted = 1 + Math.floor(random() * 3);
  for (let i = 0; i < wanted; i++) {
    const module = `m${Math.floor(random() * modules)}`;
    paths.add(random() < directoryShare ? module : `${module}/f${Math.floor(random() * files)}.ts`);
  }
  return [...paths];
}

/** 0 to 3 different members of a layer. */
export function someOf<T>(random: () => number, layer: readonly T[]): T[] {
  const found = new Set<T>();
  for (let wanted = Math.floor(random() * 4); wanted > 0; wanted--) {
    const one = layer[Math.floor(random() * layer.length)];
    if (one !== undefined) found.add(one);
  }
  return [...found];
}

/** Eight tasks in ten are of priority 2, one is more and one less urgent. */
function somePriority(random: () => number): Priority {
  const drawn = random();
  return drawn < 0.1 ? 1 : drawn < 0.9 ? 2 : 3;
}

export function createPlan(shape: PlanShape, seed: number): PlanTask[] {
  const random = createRandom(seed);
  const plan: PlanTask[] = [];
  const perLayer = shape.tasks / shape.layers;
  for (let at = 0; at < shape.tasks; at++) {
    const layer = Math.floor(at / perLayer);
    const before = layer === 0 ? [] : plan.slice(Math.floor((layer - 1) * perLayer), Math.floor(layer * perLayer));
    const durationMs = minutes(medianMinutes * spread(random, durationSigma));
    plan.push({
      id: `S${String(at).padStart(4, "0")}`,
      at,
      durationMs,
      estimateMinutes: (durationMs / 60_000) * (shape.estimateSigma === 0 ? 1 : spread(random, shape.estimateSigma)),
      priority: shape.priorities ? somePriority(random) : 2,
      dependsOn: someOf(random, before),
      paths: shape.locks === null ? [`own/f${at}.ts`] : somePaths(random, shape.locks),
    });
  }
  return plan;
}
