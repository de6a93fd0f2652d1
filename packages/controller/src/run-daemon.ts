import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCode, isFactoryError } from "@dispatch/core";
import { createEngine, type Engine } from "@dispatch/engine";
import { createLocalNodePool } from "@dispatch/fleet";
import { createRepositories } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { createSqliteLedger, holdFactory } from "@dispatch/store";
import { loadFactory } from "./config/load-factory.ts";
import { createSettings } from "./config/settings.ts";
import { readCrashPoint } from "./crash-point.ts";
import { createFactoryService } from "./factory-service.ts";
import { createApp } from "./http/create-app.ts";
import { openDoors } from "./http/open-doors.ts";
import { openLog } from "./open-log.ts";
import { systemClock } from "./system-clock.ts";
import { version } from "./version.ts";

export interface DaemonOptions {
  /** Says one line to a person. */
  say(line: string): void;
}

/**
 * Runs the daemon of a factory until a signal, a `down` or a fatal error; returns the exit code.
 * Everything is opened in order and released in reverse. Sessions of agents outlive it.
 */
export async function runDaemon(factory: string, options: DaemonOptions): Promise<number> {
  const releases: (() => unknown)[] = [];
  try {
    return await serve(factory, options, (release) => releases.push(release));
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

async function serve(factory: string, options: DaemonOptions, onRelease: (release: () => unknown) => void): Promise<number> {
  const config = await loadFactory(factory);
  process.chdir(config.dir);
  await mkdir(factoryPaths.state, { recursive: true, mode: 0o700 });
  const held = holdFactory(factoryPaths.lock);
  onRelease(() => held.release());
  const log = openLog(factoryPaths.daemonLog);
  onRelease(() => log.close());
  const ledger = createSqliteLedger(factoryPaths.ledger);
  onRelease(() => ledger.close().catch((error: unknown) => log.error({ error }, "closing the ledger failed")));
  const repositories = createRepositories({ hubDir: join(config.dir, factoryPaths.hubs) });
  const settings = createSettings(config, repositories);
  const ending = createEnding();
  let engine: Engine | undefined;
  const nodes = createLocalNodePool({
    nodes: config.nodes.nodes.map((node) => ({
      id: node.name,
      slots: node.slots,
      lowPriority: node.low_priority,
      home: node.work_dir ?? join(config.dir, factoryPaths.localNode, node.name),
    })),
    workerBundle: fileURLToPath(import.meta.resolve("@dispatch/worker/bundle")),
    cursors: () => cursorsOf(engine),
    log,
    clock: systemClock,
  });
  engine = createEngine(
    { ledger, nodes, repositories, settings, clock: systemClock, log, at: readCrashPoint(process.env["DISPATCH_CRASH_AT"]) },
    (error) => ending.end({ fatal: error }),
  );
  await nodes.open();
  onRelease(() => nodes.close());
  await openHubs(engine, settings, repositories, log);
  await engine.start();
  const running = engine;
  onRelease(() => running.close());

  let draining = false;
  let lastSeq = ledger.load().lastSeq;
  running.subscribe((events) => {
    lastSeq = events.at(-1)?.seq ?? lastSeq;
  });
  const startedAt = Date.now();
  const service = createFactoryService({
    engine: running,
    settings,
    sessions: {
      tail: (node, attempt, file, round, from) => nodes.tail(node, attempt, file, from, round),
      attachCommand: (node, attempt) => nodes.attachCommand(node, attempt),
    },
    feed: { dir: config.dir, world: running.world, commands: running.commands, settings, repositories },
    hubOf: (project) => join(config.dir, factoryPaths.hubs, `${project}.git`),
    now: () => Date.now(),
    lastSeq: () => lastSeq,
    draining: () => draining,
  });
  const app = createApp({
    service,
    health: () => ({ version, pid: process.pid, factory: config.dir, startedAt }),
    readEvents: (after) => ledger.readEvents(after, 1000),
    subscribe: (listener) => running.subscribe(listener),
    down(mode) {
      if (mode === "leave") return ending.end({ mode });
      draining = true;
      running.drain();
      const stopped = mode === "stop" ? running.commands.stopAttempts("the daemon is going down") : Promise.resolve([]);
      stopped
        .then(() => running.whenQuiet())
        .then(
          () => ending.end({ mode }),
          (error: unknown) => ending.end({ fatal: error }),
        );
    },
    onError: (error) => log.error({ error }, "a request failed unexpectedly"),
  });
  const doors = await openDoors(app, config.factory.daemon.port);
  onRelease(() => doors.close());
  log.info({ pid: process.pid, url: doors.url, factory: config.dir }, "daemon is up");
  options.say(`dispatch is up on ${doors.url} (token in ${factoryPaths.door}); factory ${config.dir}`);
  const end = await ending.ended;
  return report(end, running, options, log);
}

type End = { mode: string } | { signal: string } | { fatal: unknown };

function createEnding(): { ended: Promise<End>; end(how: End): void } {
  let end: (how: End) => void = () => {};
  const ended = new Promise<End>((resolve) => {
    end = resolve;
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => end({ signal }));
  return { ended, end };
}

function report(end: End, engine: Engine, options: DaemonOptions, log: ReturnType<typeof openLog>): number {
  if ("fatal" in end) {
    log.error({ error: end.fatal }, "the daemon stops");
    const error = end.fatal;
    options.say(`dispatch stops: ${error instanceof Error ? error.message : String(error)}`);
    if (isFactoryError(error) && error.hint !== undefined) options.say(`  try: ${error.hint}`);
    return 1;
  }
  const live = engine.snapshot().world.attempts;
  const going = [...live.values()].filter((attempt) => attempt.endedAt === 0).length;
  log.info({ ...end, sessions: going }, "the daemon ends");
  options.say(
    going === 0
      ? "dispatch is down; no session was running"
      : `dispatch is down; ${going} session${going === 1 ? " goes" : "s go"} on and will be taken over at the next start`,
  );
  return 0;
}

function cursorsOf(engine: Engine | undefined): Record<string, number> {
  const cursors: Record<string, number> = {};
  for (const attempt of engine?.world.attempts.values() ?? []) {
    if (attempt.state.kind !== "discarded") cursors[attempt.id] = attempt.cursor;
  }
  return cursors;
}

/** Repairs what a crash left in the hubs. A hub that cannot be opened is reported; its project's effects will say so too. */
async function openHubs(
  engine: Engine,
  settings: ReturnType<typeof createSettings>,
  repositories: ReturnType<typeof createRepositories>,
  log: ReturnType<typeof openLog>,
): Promise<void> {
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
