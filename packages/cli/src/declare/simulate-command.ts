import type { Command } from "commander";
import { examples, type Perform } from "./perform.ts";
import { wholeNumber } from "./project-commands.ts";

interface SimulateOptions {
  seeds?: number;
  from?: number;
  seed?: number;
  jobs?: number;
  mutants?: boolean;
}

/** The proof of the scheduler, from a checkout. */
export function declareSimulate(program: Command, perform: Perform): void {
  program
    .command("simulate")
    .summary("prove the scheduler on simulated factories")
    .description(
      "Plays whole simulated factories with everything going wrong, one from each seed, and checks the laws after every step. " +
        "A seed that breaks one is told as the smallest world that does, step by step. Needs a checkout of the repository.",
    )
    .option("--seeds <n>", "how many worlds; 300 when not said", wholeNumber)
    .option("--from <n>", "the first seed; 1 when not said", wholeNumber)
    .option("--seed <n>", "only this one, with every step when it breaks a law", wholeNumber)
    .option("--jobs <n>", "processes at once; 1 when not said", wholeNumber)
    .option("--mutants", "break the code on purpose, one defect at a time, and see that each is caught")
    .addHelpText("after", examples("simulate", "simulate --seeds 10000 --from 1 --jobs 2", "simulate --seed 4711", "simulate --mutants"))
    .action(({ seeds, from, seed, jobs, mutants = false }: SimulateOptions) =>
      perform(false, async (context) => (await import("../commands/simulate.ts")).simulate(context, { seeds, from, seed, jobs, mutants })),
    );
}
