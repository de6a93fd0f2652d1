import { engineMutants } from "./engine-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { nodeMutants } from "./node-mutants.ts";
import { schedulerMutants } from "./scheduler-mutants.ts";

/** All mutants. The simulation has to catch every one of them. */
export const mutants: readonly Mutant[] = [...engineMutants, ...nodeMutants, ...schedulerMutants];
