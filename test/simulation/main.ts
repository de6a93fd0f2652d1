import { type ChildProcess, fork } from "node:child_process";
import { parseArgs } from "node:util";
import { huntMutant, seedRange, tellHunt } from "./hunt-mutants.ts";
import { bundleProgram, openProgram } from "./load-program.ts";
import { mutants } from "./mutants/index.ts";
import type { Outcome } from "./program.ts";

/**
 * Plays seeds and says what came of them.
 *
 *   --seeds N    how many (300)
 *   --from N     the first (1)
 *   --seed N     only this one; when it breaks a law, the smallest world that does, step by step
 *   --jobs N     processes (1)
 *   --mutants    every mutant instead, each until a seed catches it
 */
const options = parseArgs({
  options: {
    seeds: { type: "string", default: "300" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    jobs: { type: "string", default: "1" },
    mutants: { type: "boolean", default: false },
    child: { type: "boolean", default: false },
  },
}).values;

const line = (text: string): void => void process.stdout.write(`${text}\n`);
const tally: Record<string, number> = {};
const total = { worlds: 0, steps: 0, facts: 0, merged: 0, attempts: 0, lives: 0, simulatedMs: 0 };
const failed = new Map<number, string>();
const beganAt = performance.now();

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`--${name} takes a whole number from 1 on, not ${JSON.stringify(text)}\n`);
  process.exit(2);
}

function take(
  seed: number,
  outcome: Pick<Outcome, "violation" | "tally" | "steps" | "facts" | "merged" | "attempts" | "lives" | "simulatedMs">,
): void {
  total.worlds += 1;
  for (const [what, count] of Object.entries(outcome.tally)) tally[what] = (tally[what] ?? 0) + count;
  for (const key of ["steps", "facts", "merged", "attempts", "lives", "simulatedMs"] as const) total[key] += outcome[key];
  if (outcome.violation !== undefined) {
    failed.set(seed, outcome.violation.law);
    line(`seed ${seed} breaks "${outcome.violation.law}": ${outcome.violation.text.split("\n")[0]}`);
  } else if (total.worlds % 100 === 0) line(summary());
}

function summary(): string {
  const seconds = (performance.now() - beganAt) / 1000;
  const days = total.simulatedMs / 86_400_000;
  return `${total.worlds} worlds in ${seconds.toFixed(1)} s: ${days.toFixed(1)} simulated days, ${total.steps} steps, ${total.facts} facts, ${total.attempts} attempts, ${total.merged} merged, ${total.lives - total.worlds} crashes of the controller, ${failed.size} broke a law`;
}

async function explain(seed: number): Promise<void> {
  const program = openProgram(await bundleProgram());
  for (const text of await program.explainSeed(seed)) line(text);
  line(`replay: npx tsx --conditions=@dispatch/source test/simulation/main.ts --seed ${seed}`);
}

async function huntAll(from: number, count: number): Promise<void> {
  let free = 0;
  for (const mutant of mutants) {
    const hunt = await huntMutant(mutant, seedRange(from, count));
    if (hunt.caught === undefined) free += 1;
    line(tellHunt(hunt));
  }
  line(`${mutants.length - free} of ${mutants.length} mutants were caught within ${count} seeds`);
  process.exitCode = free === 0 ? 0 : 1;
}

/** One process of several: plays what it is told, until the parent goes away. */
async function serve(): Promise<void> {
  const program = openProgram(await bundleProgram());
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit(0));
  process.on("message", (seed: number) => {
    void program.playSeed(seed).then((outcome) => process.send?.({ seed, outcome: { ...outcome, trace: [] } }));
  });
  process.send?.("ready");
}

async function playInChildren(seeds: Iterator<number>, jobs: number): Promise<void> {
  await Promise.all(
    Array.from({ length: jobs }, () => {
      const child: ChildProcess = fork(import.meta.filename, ["--child"]);
      return new Promise<void>((done, reject) => {
        child.once("exit", (code) => (code === 0 ? done() : reject(new Error(`a process of the simulation ended with ${code}`))));
        child.on("message", (message: "ready" | { seed: number; outcome: Outcome }) => {
          if (message !== "ready") take(message.seed, message.outcome);
          const next = seeds.next();
          if (next.done === true) child.disconnect();
          else child.send(next.value);
        });
      });
    }),
  );
}

async function playAll(from: number, count: number, jobs: number): Promise<void> {
  process.once("SIGINT", () => {
    line(`stopped. ${summary()}`);
    process.exit(130);
  });
  const seeds = seedRange(from, count);
  if (jobs > 1) await playInChildren(seeds, jobs);
  else {
    const program = openProgram(await bundleProgram());
    for (const seed of seeds) take(seed, await program.playSeed(seed));
  }
  line(summary());
  line(
    Object.entries(tally)
      .map(([what, count]) => `${what} ${count}`)
      .join(", "),
  );
  const [first] = [...failed.keys()].sort((a, b) => a - b);
  if (first === undefined) return;
  process.exitCode = 1;
  line(`seeds that broke a law: ${[...failed].map(([seed, law]) => `${seed} (${law})`).join(", ")}`);
  await explain(first);
}

const from = wholeNumber("from", options.from);
const count = wholeNumber("seeds", options.seeds);
if (options.child) await serve();
else if (options.seed !== undefined) await explain(wholeNumber("seed", options.seed));
else if (options.mutants) await huntAll(from, count);
else await playAll(from, count, wholeNumber("jobs", options.jobs));
