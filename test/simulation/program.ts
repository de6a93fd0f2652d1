import { drawPlan } from "./draw-plan.ts";
import type { Plan } from "./plan.ts";
import { shrinkPlan } from "./shrink.ts";
import { type Host, type Outcome, simulate } from "./simulate.ts";
import { tellPlan } from "./tell-plan.ts";

/** What the loader hands in: the event loop, which belongs to the simulation while one runs. */
declare const simulationHost: Host;

export type { Outcome, Plan };

/** Plays the world of a seed. The same seed gives the same steps, to the byte. */
export function playSeed(seed: number, tracing = false): Promise<Outcome> {
  return simulate(drawPlan(seed), simulationHost, tracing);
}

/** A failing seed in a few words: the smallest world that breaks the same law, and every step in it. */
export async function explainSeed(seed: number): Promise<readonly string[]> {
  const plan = drawPlan(seed);
  const first = await simulate(plan, simulationHost, false);
  if (first.violation === undefined) return [`seed ${seed} breaks no law`];
  const { law } = first.violation;
  const small = await shrinkPlan(plan, async (smaller) => (await simulate(smaller, simulationHost, false)).violation?.law === law);
  const last = await simulate(small, simulationHost, true);
  const lines = [...tellPlan(small), "", ...tellSteps(last.trace), ""];
  return [...lines, `law broken: ${law}`, last.violation?.text ?? first.violation.text];
}

const shownSteps = 1000;

/** Numbered; of a trace that is too long to read, the beginning and the end. */
function tellSteps(trace: readonly string[]): string[] {
  const lines = trace.map((line, i) => `${String(i + 1).padStart(5)} ${line}`);
  if (lines.length <= shownSteps) return lines;
  const half = shownSteps / 2;
  return [...lines.slice(0, half), `      (${lines.length - shownSteps} steps are left out)`, ...lines.slice(-half)];
}
