import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FactoryError, isFactoryError } from "@dispatch/core";
import { type Connection, type NodeConfig, type Reach, reachLocal, reachSsh, type SshAccess } from "@dispatch/fleet";
import { factoryPaths } from "@dispatch/protocol";
import type { FactoryConfig } from "../config/load-factory.ts";
import { nodeConfigs } from "../config/node-configs.ts";
import { readEnvironment } from "../config/read-environment.ts";
import { noSuchNode } from "./edit-nodes-file.ts";

export type NodeEntry = FactoryConfig["nodes"]["nodes"][number];

/** A configured node and the ways to it. */
export interface ReachedNode {
  entry: NodeEntry;
  config: NodeConfig;
  reach: Reach;
  /** Undefined for a node that is this machine. */
  access: SshAccess | undefined;
}

function workerBundle(): string {
  return fileURLToPath(import.meta.resolve("@dispatch/worker/bundle"));
}

/** How an entry of nodes.json is reached, with the user's SSH configuration and agent as a daemon would use them. */
export function reachNode(dir: string, entry: NodeEntry): ReachedNode {
  const [config] = nodeConfigs({ dir, nodes: { nodes: [entry] } });
  if (config === undefined) throw noSuchNode(entry.name, []);
  if (!("ssh" in config)) {
    const home = isAbsolute(config.home) ? config.home : join(dir, config.home);
    return { entry, config, reach: reachLocal({ ...config, home }, workerBundle()), access: undefined };
  }
  const { sshConfig, all } = readEnvironment();
  const access: SshAccess = {
    node: config.id,
    target: config.ssh.target,
    hostKey: config.ssh.hostKey ?? undefined,
    configFile: sshConfig,
    knownHostsDir: join(dir, factoryPaths.knownHosts),
    env: all,
  };
  return { entry, config, reach: reachSsh(config, access, workerBundle()), access };
}

export function findNode({ dir, nodes }: FactoryConfig, name: string): ReachedNode {
  const entry = nodes.nodes.find((node) => node.name === name);
  if (entry === undefined)
    throw noSuchNode(
      name,
      nodes.nodes.map((node) => node.name),
    );
  return reachNode(dir, entry);
}

/** A connection that stands already, or one by the first way that succeeds. A key that is not the accepted one ends the search: no other way makes it right. */
export async function connectNode(reach: Pick<Reach, "existing" | "transports">): Promise<Connection> {
  const existing = await reach.existing();
  if (existing !== undefined) return existing;
  const failures: unknown[] = [];
  for (const transport of await reach.transports()) {
    try {
      return await transport.connect();
    } catch (error) {
      if (isFactoryError(error) && "presented" in error.facts) throw error;
      failures.push(error);
    }
  }
  throw failures[0] ?? new FactoryError("NODE_UNREACHABLE", "there is no way to connect");
}
