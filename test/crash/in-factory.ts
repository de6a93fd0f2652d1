import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { factoryPaths } from "@dispatch/protocol";
import { type FactorySpec, makeRealFactory, type RealFactory, type RealFactoryOptions } from "../kit/real-factory.ts";

/** Makes a factory for one act and ends it in any case; what goes wrong is told with the daemon's log. */
export async function inFactory(
  specs: readonly FactorySpec[],
  name: string,
  act: (factory: RealFactory) => Promise<void>,
  options: RealFactoryOptions = {},
): Promise<void> {
  const factory = makeRealFactory(specs, options);
  let failure: unknown;
  try {
    await act(factory);
  } catch (error) {
    failure = new Error(`${name}: ${error instanceof Error ? error.message : String(error)}\n${tailOfLog(factory)}`, { cause: error });
  }
  try {
    await factory.close();
  } catch (error) {
    failure ??= new Error(`${name}: after the end: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (failure !== undefined) throw failure;
}

/** The last lines of the daemon's log. */
export function tailOfLog(factory: RealFactory): string {
  const path = join(factory.dir, factoryPaths.daemonLog);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(-25).join("\n") : "no daemon wrote a log";
}
