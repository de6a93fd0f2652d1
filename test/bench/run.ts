import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { type Benchmark, median, type Outcome, rounded } from "./benchmark.ts";

const benchmarks: Record<string, () => Promise<Benchmark>> = {
  ledger: async () => (await import("./ledger.ts")).ledger,
  skeleton: async () => (await import("./skeleton.ts")).skeleton,
  links: async () => (await import("./links.ts")).links,
  adopt: async () => (await import("./adopt.ts")).adopt,
  cli: async () => (await import("./cli.ts")).cli,
  scheduler: async () => (await import("./scheduler.ts")).scheduler,
  utilisation: async () => (await import("./utilisation.ts")).utilisation,
  "landing-sim": async () => (await import("./landing-sim.ts")).landingSim,
  landing: async () => (await import("./landing.ts")).landing,
  "landing-crash": async () => (await import("./landing-crash.ts")).landingCrash,
  lint: async () => (await import("./lint.ts")).lint,
  gates: async () => (await import("./gates.ts")).gates,
  "dispatch-latency": async () => (await import("./dispatch-latency.ts")).dispatchLatency,
  "detect-latency": async () => (await import("./detect-latency.ts")).detectLatency,
  "fleet-throughput": async () => (await import("./fleet-throughput.ts")).fleetThroughput,
};

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean" }, rounds: { type: "string" }, tasks: { type: "string" } },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function table(outcome: Outcome): string[] {
  const head = ["", "median", "min", "max", "rounds", ""];
  const body = outcome.rows.map(({ what, unit, values }) => [
    what,
    ...[median(values), Math.min(...values), Math.max(...values)].map((value) => String(rounded(value))),
    String(values.length),
    unit,
  ]);
  const lines = [head, ...body];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines.map((line) =>
    line
      .map((cell, column) => (column === 0 || column === 5 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function load(): string {
  return loadavg()
    .map((value) => value.toFixed(2))
    .join(" ");
}

function wholeNumber(flag: "rounds" | "tasks"): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${flag} has to be a whole number from 1; got ${text}`);
  return value;
}

async function run(name: string, make: () => Promise<Benchmark>): Promise<void> {
  const benchmark = await make();
  const rounds = wholeNumber("rounds") ?? benchmark.rounds;
  const tasks = wholeNumber("tasks");
  const before = load();
  const outcome = await benchmark.measure(rounds, say, tasks);
  say("");
  for (const line of table(outcome)) say(line);
  say("");
  for (const goal of outcome.goals) say(`${goal.met ? "met    " : "NOT MET"}  ${goal.name}: ${goal.value} (goal ${goal.goal})`);
  for (const note of outcome.notes) say(`note: ${note}`);
  say(`load average before ${before}, after ${load()}`);
  const figures = Object.fromEntries(Object.entries(outcome.figures).map(([key, value]) => [key, rounded(value)]));
  const machine = { cores: cpus().length, node: process.versions.node };
  say(JSON.stringify({ bench: name, figures, goals: outcome.goals, rounds, machine }));
}

const [name, ...rest] = positionals;
const make = name === undefined ? undefined : benchmarks[name];
if (flags.list === true) {
  for (const listed of Object.values(benchmarks)) {
    const { name: title, tells } = await listed();
    say(`${title.padEnd(18)}${tells}`);
  }
} else if (name === undefined || make === undefined || rest.length > 0) {
  process.stderr.write(`usage: npm run bench -- NAME [--rounds N] [--tasks N]   (--list names them: ${Object.keys(benchmarks).join(", ")})\n`);
  process.exitCode = 2;
} else {
  await run(name, make);
}
