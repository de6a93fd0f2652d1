/** One row of the table: what was measured, once a round. */
export interface Row {
  what: string;
  unit: string;
  values: readonly number[];
}

export interface Goal {
  name: string;
  value: number;
  /** As the issue or performance.md states it. */
  goal: string;
  met: boolean;
}

export interface Outcome {
  rows: readonly Row[];
  /** Medians by name, for machines. */
  figures: Readonly<Record<string, number>>;
  goals: readonly Goal[];
  /** What a reader has to know beside the numbers. */
  notes: readonly string[];
}

export interface Benchmark {
  name: string;
  /** One line for `--list`. */
  tells: string;
  /** Rounds when the command line names none. */
  rounds: number;
  /** `tasks`: fewer of what is counted in tasks than usual; benchmarks that count nothing else take no notice. */
  measure(rounds: number, say: (line: string) => void, tasks?: number): Promise<Outcome>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** A number with three significant digits, or all digits before the point. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

export function atMost(name: string, value: number, limit: number): Goal {
  return { name, value: rounded(value), goal: `<= ${limit}`, met: value <= limit };
}

export function atLeast(name: string, value: number, limit: number): Goal {
  return { name, value: rounded(value), goal: `>= ${limit}`, met: value >= limit };
}

/** The ratio of two measurements of the same round, round by round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
}

/** Milliseconds that something takes. */
export async function milliseconds(work: () => unknown): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}
