import type { HostMethods } from "@dispatch/protocol";
import { requireHome } from "../host.ts";
import type { PulseKeeper } from "../pulse/keep-pulse.ts";
import { type TidyParts, tidyNode } from "./tidy-node.ts";

type Tidy = (order: HostMethods["tidy"]["params"]) => Promise<HostMethods["tidy"]["result"]>;

/** One tidying after the other, however often it is asked for; what it measures is what the heartbeats tell from then on. */
export function createTidier(parts: TidyParts, pulse: PulseKeeper): Tidy {
  let last: Promise<unknown> = Promise.resolve();
  return (order) => {
    const mine = last.then(async () => {
      requireHome(parts.host);
      const result = await tidyNode(parts, order);
      pulse.sawUsage(result.usage);
      return result;
    });
    last = mine.catch(() => undefined);
    return mine;
  };
}
