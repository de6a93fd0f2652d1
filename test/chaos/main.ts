import { parseArgs } from "node:util";
import { runChaos } from "./run-chaos.ts";

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "3" },
    tasks: { type: "string", default: "64" },
    verbose: { type: "boolean", default: false },
  },
});

function numberOf(name: "seed" | "minutes" | "tasks"): number {
  const value = Number(flags[name]);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} has to be a positive number; got ${flags[name]}\n`);
  process.exit(2);
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const [seed, minutes, tasks] = [numberOf("seed"), numberOf("minutes"), numberOf("tasks")];
const spanMs = minutes * 60_000;

const figures = await runChaos({
  seed,
  slots: 8,
  lostAfterMs: 25_000,
  tasks: { count: tasks, waves: Math.max(1, Math.min(Math.floor(tasks / 4), Math.round(minutes * 2))), leastSeconds: 1, mostSeconds: 20 },
  plan: { spanMs, count: Math.ceil(minutes * 12), leastMs: 1000, mostMs: Math.min(45_000, spanMs / 2) },
  settleMs: 10 * 60_000,
  say: flags.verbose ? say : () => {},
});
say(`seed ${seed}: ${JSON.stringify(figures)}`);
