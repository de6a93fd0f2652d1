import { isDeepStrictEqual } from "node:util";
import type { NodeId } from "@dispatch/core";
import type { NodeConfig } from "./node-config.ts";

/** What has to be done to come from one list of nodes to another. */
export interface ConfigChanges {
  /** Not there before. */
  added: readonly NodeConfig[];
  /** Reached as before; the rest of it is new. */
  adjusted: readonly NodeConfig[];
  /** Reached in another way, or at another place, than before. */
  moved: readonly NodeConfig[];
  removed: readonly NodeId[];
}

/** Compares nodes by id; what is equal is in none of the lists. Pure. */
export function compareConfigs(before: ReadonlyMap<NodeId, NodeConfig>, after: readonly NodeConfig[]): ConfigChanges {
  const added: NodeConfig[] = [];
  const adjusted: NodeConfig[] = [];
  const moved: NodeConfig[] = [];
  for (const config of after) {
    const known = before.get(config.id);
    if (known === undefined) added.push(config);
    else if (!isDeepStrictEqual(wayOf(known), wayOf(config))) moved.push(config);
    else if (!isDeepStrictEqual(known, config)) adjusted.push(config);
  }
  const kept = new Set(after.map(({ id }) => id));
  return { added, adjusted, moved, removed: [...before.keys()].filter((id) => !kept.has(id)) };
}

function wayOf(config: NodeConfig): unknown {
  return "ssh" in config ? config.ssh : config.home;
}
