import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { errorCode, type Ledger } from "@dispatch/core";
import { createEngine, type Engine } from "@dispatch/engine";
import { type ConnectedNodePool, createNodePool } from "@dispatch/fleet";
import { createRepositories } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { createSqliteLedger, holdFactory } from "@dispatch/store";
import { type FactoryConfig, loadFactory } from "./config/load-factory.ts";
import { nodeConfigs, tidyPolicy } from "./config/node-configs.ts";
import { readEnvironment } from "./config/read-environment.ts";
import { createSettings, type LiveSettings, salvageKeepMs } from "./config/settings.ts";
import { readCrashPoint } from "./crash-point.ts";
import { keepNodesTidy } from "./keep-nodes-tidy.ts";
import { openLog } from "./open-log.ts";
import { keepHubs } from "./retention/keep-hubs.ts";
import { systemClock } from "./system-clock.ts";
import { type NodesFile, watchNodesFile } from "./watch-nodes-file.ts";

const openPatienceMs = 2000;

/** A factory with everything it works with open and its engine running. */
export interface OpenFactory {
  config: FactoryConfig;
  engine: Engine;
  ledger: Ledger;
  nodes: ConnectedNodePool;
  repositories: ReturnType<typeof createRepositories>;
  settings: LiveSettings;
  nodesFile: NodesFile;
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
  const nodes = openNodes(config, log, () => engine);
  const repositories = createRepositories({ hubDir: join(config.dir, factoryPaths.hubs), dial: nodes.dialRepository });
  const settings = createSettings(config, repositories);
  engine = createEngine({ ledger, nodes, repositories, settings, clock: systemClock, log, at: readCrashPoint(readEnvironment().crashAt) }, onFatal);
  const running = engine;
  onRelease(() => nodes.close());
  await Promise.all([openNodesThatAnswer(nodes), openHubs({ engine, settings, repositories, log })]);
  await engine.start();
  onRelease(() => running.close());
  const nodesFile = followNodesFile({ config, nodes, settings, log });
  onRelease(() => nodesFile.close());
  onRelease(tidyNodes({ engine, nodes, settings, log }));
  onRelease(
    keepHubs({
      hubs: repositories,
      world: () => running.world,
      readEvents: (after) => ledger.readEvents(after, 1000),
      keepMsOf: (project) => salvageKeepMs(settings.current(), project),
      clock: systemClock,
      log,
    }),
  );
  return { config, engine, ledger, nodes, repositories, settings, nodesFile, log };
}

/** Does not wait for one that hangs: what comes up later is taken up then. */
async function openNodesThatAnswer(nodes: ConnectedNodePool): Promise<void> {
  const patience = new AbortController();
  await Promise.race([nodes.open(), pause(openPatienceMs, undefined, { signal: patience.signal, ref: false }).catch(() => undefined)]);
  patience.abort();
}

function followNodesFile({ config, nodes, settings, log }: Pick<OpenFactory, "config" | "nodes" | "settings" | "log">): NodesFile {
  return watchNodesFile({
    dir: config.dir,
    nodes: config.nodes,
    take(found) {
      settings.takeNodes(found);
      nodes.configure(nodeConfigs({ dir: config.dir, nodes: found }));
    },
    log,
  });
}

function tidyNodes({ engine, nodes, settings, log }: Pick<OpenFactory, "engine" | "nodes" | "settings" | "log">): () => void {
  return keepNodesTidy({
    nodes,
    world: () => engine.world,
    projects: () => Object.keys(settings.current().factory.projects),
    policyOf(id) {
      const node = settings.current().nodes.nodes.find(({ name }) => name === id);
      return node === undefined ? undefined : tidyPolicy(node);
    },
    clock: systemClock,
    log,
  });
}

function openNodes(config: FactoryConfig, log: OpenFactory["log"], engine: () => Engine | undefined): ConnectedNodePool {
  const { sshConfig, all } = readEnvironment();
  return createNodePool({
    nodes: nodeConfigs(config),
    workerBundle: fileURLToPath(import.meta.resolve("@dispatch/worker/bundle")),
    cursors: () => cursorsOf(engine()),
    attemptsOn: (node) => attemptsOn(engine(), node),
    log,
    clock: systemClock,
    ssh: { knownHostsDir: join(config.dir, factoryPaths.knownHosts), env: all, ...(sshConfig === undefined ? {} : { configFile: sshConfig }) },
  });
}

/** Last report taken in of every attempt that is not over. A fenced one is not heard any more, and must not begin now if it never did. */
function cursorsOf(engine: Engine | undefined): Record<string, number> {
  const cursors: Record<string, number> = {};
  for (const attempt of engine?.world.attempts.values() ?? []) {
    if (attempt.state.kind !== "discarded" && attempt.state.kind !== "fenced") cursors[attempt.id] = attempt.cursor;
  }
  return cursors;
}

/** Attempts of a node that are not over. Before there is an engine nobody knows, so that no node may be let go. */
function attemptsOn(engine: Engine | undefined, node: string): number {
  if (engine === undefined) return Number.POSITIVE_INFINITY;
  let count = 0;
  for (const attempt of engine.world.attempts.values()) if (attempt.node === node && attempt.state.kind !== "discarded") count++;
  return count;
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
