import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCode, type Ledger } from "@dispatch/core";
import { createEngine, type Engine } from "@dispatch/engine";
import { type ConnectedNodePool, createNodePool, type NodeConfig, plainConfig } from "@dispatch/fleet";
import { createRepositories } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { createSqliteLedger, holdFactory } from "@dispatch/store";
import { type FactoryConfig, loadFactory } from "./config/load-factory.ts";
import { configuredCapacity, nodeOffer } from "./config/node-offers.ts";
import { readEnvironment } from "./config/read-environment.ts";
import { createSettings, type LiveSettings } from "./config/settings.ts";
import { readCrashPoint } from "./crash-point.ts";
import { openLog } from "./open-log.ts";
import { systemClock } from "./system-clock.ts";

/** A factory with everything it works with open and its engine running. */
export interface OpenFactory {
  config: FactoryConfig;
  engine: Engine;
  ledger: Ledger;
  nodes: ConnectedNodePool;
  repositories: ReturnType<typeof createRepositories>;
  settings: LiveSettings;
  log: ReturnType<typeof openLog>;
}

/**
 * Opens a factory in order: lock, log, ledger, nodes, hubs, engine. Each step's release is handed to `onRelease`.
 * The process stands in the factory folder afterwards. Throws DAEMON_RUNNING when another process holds it.
 */
export async function openFactory(dir: string, onRelease: (release: () => unknown) => void, onFatal: (error: unknown) => void): Promise<OpenFactory> {
  const config = await loadFactory(dir);
  process.chdir(config.dir);
  await mkdir(factoryPaths.state, { recursive: true, mode: 0o700 });
  const held = holdFactory(factoryPaths.lock);
  onRelease(() => held.release());
  const log = openLog(factoryPaths.daemonLog);
  onRelease(() => log.close());
  const ledger = createSqliteLedger(factoryPaths.ledger);
  onRelease(() => ledger.close().catch((error: unknown) => log.error({ error }, "closing the ledger failed")));
  let engine: Engine | undefined;
  const nodes = openNodes(config, log, () => cursorsOf(engine));
  const repositories = createRepositories({ hubDir: join(config.dir, factoryPaths.hubs), dial: nodes.dialRepository });
  const settings = createSettings(config, repositories);
  engine = createEngine({ ledger, nodes, repositories, settings, clock: systemClock, log, at: readCrashPoint(readEnvironment().crashAt) }, onFatal);
  const running = engine;
  await nodes.open();
  onRelease(() => nodes.close());
  await openHubs({ engine, settings, repositories, log });
  await engine.start();
  onRelease(() => running.close());
  return { config, engine, ledger, nodes, repositories, settings, log };
}

function openNodes(config: FactoryConfig, log: OpenFactory["log"], cursors: () => Record<string, number>): ConnectedNodePool {
  const { sshConfig, all } = readEnvironment();
  return createNodePool({
    nodes: config.nodes.nodes.map((node) => nodeConfig(config, node)),
    workerBundle: fileURLToPath(import.meta.resolve("@dispatch/worker/bundle")),
    cursors,
    log,
    clock: systemClock,
    ssh: { knownHostsDir: join(config.dir, factoryPaths.knownHosts), env: all, ...(sshConfig === undefined ? {} : { configFile: sshConfig }) },
  });
}

function nodeConfig(config: FactoryConfig, node: FactoryConfig["nodes"]["nodes"][number]): NodeConfig {
  const { name: id, labels, executors } = nodeOffer(node);
  const common = {
    id,
    slots: node.slots,
    lowPriority: node.low_priority,
    labels,
    executors,
    capacity: configuredCapacity(node),
    ...plainConfig,
    lostAfterMs: node.ssh_target === undefined ? null : 10 * 60_000,
  };
  if (node.ssh_target === undefined) return { ...common, home: node.work_dir ?? join(config.dir, factoryPaths.localNode, node.name) };
  const transport = node.transport === "ssh2" || node.transport === "openssh" ? node.transport : "auto";
  return {
    ...common,
    ssh: { target: node.ssh_target, transport, hostKey: node.host_key ?? null, workDir: node.work_dir ?? "~/.dispatch" },
  };
}

/** Last report taken in of every attempt that is not over. */
function cursorsOf(engine: Engine | undefined): Record<string, number> {
  const cursors: Record<string, number> = {};
  for (const attempt of engine?.world.attempts.values() ?? []) {
    if (attempt.state.kind !== "discarded") cursors[attempt.id] = attempt.cursor;
  }
  return cursors;
}

/** Repairs what a crash left in the hubs. One that cannot be opened is logged; the effects of its project will say so too. */
async function openHubs({ engine, settings, repositories, log }: Pick<OpenFactory, "engine" | "settings" | "repositories" | "log">): Promise<void> {
  for (const project of engine.world.projects.keys()) {
    const source = settings.sourceOf(project);
    if (source === undefined) continue;
    try {
      await repositories.openHub(source);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      log.warn({ project, error }, "the hub could not be opened");
    }
  }
}
