import { bundleProgram, openProgram } from "./load-program.ts";
import type { Mutant } from "./mutants/mutant.ts";

/** How a mutant fared: the first seed that caught it with the law it broke, or none. */
export interface Hunt {
  mutant: Mutant;
  caught: { seed: number; law: string } | undefined;
  tried: number;
}

/** Plays seeds, in this order, on a mutant until a law is broken. */
export async function huntMutant(mutant: Mutant, seeds: Iterable<number>): Promise<Hunt> {
  const program = openProgram(await bundleProgram(mutant));
  let tried = 0;
  for (const seed of seeds) {
    tried += 1;
    const { violation } = await program.playSeed(seed);
    if (violation !== undefined) return { mutant, caught: { seed, law: violation.law }, tried };
  }
  return { mutant, caught: undefined, tried };
}

export function tellHunt({ mutant, caught, tried }: Hunt): string {
  if (caught === undefined) return `NOT CAUGHT in ${tried} seeds: ${mutant.name}`;
  return `seed ${String(caught.seed).padStart(4)}  ${caught.law.padEnd(20)}  ${mutant.name}`;
}

export function* seedRange(from: number, count: number): Generator<number> {
  for (let seed = from; seed < from + count; seed++) yield seed;
}
