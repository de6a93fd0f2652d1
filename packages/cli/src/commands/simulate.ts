import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { FactoryError } from "@dispatch/core";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";

export interface SimulateInput {
  seeds: number | undefined;
  from: number | undefined;
  seed: number | undefined;
  jobs: number | undefined;
  mutants: boolean;
}

const program = "test/simulation/main.ts";

/** `dispatch simulate`: runs the simulation of the checkout that this program belongs to; its exit code is ours. */
export async function simulate(context: CommandContext, { mutants, ...numbers }: SimulateInput): Promise<number> {
  const checkout = findCheckout(dirname(context.mainFile));
  if (checkout === undefined) {
    throw new FactoryError("NOT_FOUND", `no folder above ${context.mainFile} has test/simulation: this dispatch was installed without its tests`, {
      fault: "user",
      hint: "run it from a checkout of the repository: npm run dispatch -- simulate",
    });
  }
  const given = Object.entries(numbers).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
  const args = [findTsx(checkout), "--conditions=@dispatch/source", program, ...given, ...(mutants ? ["--mutants"] : [])];
  return await runInside(checkout, args);
}

function findCheckout(folder: string): string | undefined {
  if (existsSync(join(folder, program))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : findCheckout(above);
}

function findTsx(checkout: string): string {
  try {
    return createRequire(join(checkout, "package.json")).resolve("tsx/cli");
  } catch (cause) {
    throw new FactoryError("TOOL_MISSING", "tsx, which runs the simulation, is not installed", {
      fault: "user",
      hint: `npm install in ${checkout}`,
      cause,
    });
  }
}

/** Ctrl-C reaches the program as well, which then says what was done; we end when it has. */
function runInside(cwd: string, args: readonly string[]): Promise<number> {
  const wait = (): void => {};
  process.on("SIGINT", wait);
  return new Promise<number>((settle, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: "inherit" });
    child.once("error", reject);
    child.once("close", (code, signal) => settle(signal === null ? (code ?? exitCodes.failed) : exitCodes.interrupted));
  }).finally(() => process.off("SIGINT", wait));
}
