import type { FactorySpec } from "../kit/real-factory.ts";
import { type FleetOptions, makeRealFleet, type RealFleet } from "../kit/real-fleet.ts";
import { tailOfLog } from "./in-factory.ts";

/** Makes a factory with machines behind SSH for one act and ends it all in any case; what goes wrong is told with the daemon's log. */
export async function inFleet(specs: readonly FactorySpec[], options: FleetOptions, act: (fleet: RealFleet) => Promise<void>): Promise<void> {
  const fleet = await makeRealFleet(specs, options);
  let failure: unknown;
  try {
    await act(fleet);
  } catch (error) {
    failure = new Error(`${error instanceof Error ? error.message : String(error)}\n${tailOfLog(fleet.factory)}`, { cause: error });
  }
  try {
    await fleet.close();
  } catch (error) {
    failure ??= error;
  }
  if (failure !== undefined) throw failure;
}
