import { join } from "node:path";
import { isFactoryError } from "@dispatch/core";
import { factoryPaths, version } from "@dispatch/protocol";
import { classifySystemError } from "./classify-system-error.ts";
import { createFactoryService } from "./factory-service.ts";
import { type ForecastKeeper, keepForecast } from "./forecast/keep-forecast.ts";
import { createApp } from "./http/create-app.ts";
import { openDoors } from "./http/open-doors.ts";
import { keepSignals } from "./keep-signals.ts";
import { type OpenFactory, openFactory } from "./open-factory.ts";
import { systemClock } from "./system-clock.ts";
import { composeStandings } from "./views/compose-why.ts";
import { watchStanding } from "./watch-standing.ts";

export interface DaemonOptions {
  /** Says one line to a person. */
  say(line: string): void;
}

/** How a daemon came to its end. */
type End = { mode: "leave" | "drain" | "stop" } | { signal: string } | { fatal: unknown };

interface Ending {
  ended: Promise<End>;
  end(how: End): void;
}

/**
 * Runs the daemon of a factory until a signal, a `down` or a fatal error; returns the exit code.
 * Everything is opened in order and released in reverse. Sessions of agents outlive it.
 */
export async function runDaemon(factory: string, options: DaemonOptions): Promise<number> {
  const releases: (() => unknown)[] = [];
  const ending = listenForEnd();
  const onRelease = (release: () => unknown): void => {
    releases.push(release);
  };
  try {
    const open = await openFactory(factory, onRelease, (error) => ending.end({ fatal: error }));
    const draining = { now: false };
    const forecast = keepForecast({
      ...open,
      world: open.engine.world,
      policyOf(project) {
        const { shared = [], generated = [] } = open.settings.scheduling().get(project) ?? {};
        return { shared, generated: generated.flatMap(({ paths }) => paths) };
      },
      subscribe: (listener) => open.engine.subscribe(listener),
      clock: systemClock,
    });
    onRelease(() => forecast.close());
    const doors = await openDoors(appOf(open, forecast, ending, draining), open.config.factory.daemon.port);
    onRelease(() => doors.close());
    onRelease(watchFactory(open));
    open.log.info({ pid: process.pid, url: doors.url, factory: open.config.dir }, "daemon is up");
    options.say(`dispatch is up on ${doors.url} (token in ${factoryPaths.door}); factory ${open.config.dir}`);
    return sayEnd(await ending.ended, open, options);
  } catch (error) {
    throw classifySystemError(error);
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

function appOf(open: OpenFactory, forecast: ForecastKeeper, ending: Ending, draining: { now: boolean }): ReturnType<typeof createApp> {
  const { config, engine, ledger, nodes, repositories, settings, nodesFile, log } = open;
  const startedAt = Date.now();
  let lastSeq = ledger.load().lastSeq;
  engine.subscribe((events) => {
    lastSeq = events.at(-1)?.seq ?? lastSeq;
  });
  const service = createFactoryService({
    engine,
    settings,
    sessions: {
      tail: (node, attempt, file, round, from) => nodes.tail(node, attempt, file, from, round),
      attachCommand: (node, attempt) => nodes.attachCommand(node, attempt),
    },
    signals: keepSignals(
      lastSeq,
      (after) => ledger.readEvents(after, 1000),
      (listener) => engine.subscribe(listener),
    ),
    forecast,
    feed: { dir: config.dir, world: engine.world, commands: engine.commands, settings, repositories, nodes, log, now: () => Date.now() },
    describeNode: (node) => nodes.describe(node),
    nodesFile,
    hubOf: (project) => join(config.dir, factoryPaths.hubs, `${project}.git`),
    readEvents: (after) => ledger.readEvents(after, 1000),
    now: () => Date.now(),
    lastSeq: () => lastSeq,
    draining: () => draining.now,
  });
  return createApp({
    service,
    health: () => ({ version, pid: process.pid, factory: config.dir, startedAt }),
    readEvents: (after) => ledger.readEvents(after, 1000),
    subscribe: (listener) => engine.subscribe(listener),
    down(mode) {
      if (mode === "leave") {
        // The answer goes out first; the doors close with the daemon.
        setImmediate(() => ending.end({ mode }));
        return;
      }
      draining.now = true;
      engine.drain();
      const stopped = mode === "stop" ? engine.commands.stopAttempts("the daemon is going down") : Promise.resolve([]);
      stopped
        .then(() => engine.whenQuiet())
        .then(
          () => ending.end({ mode }),
          (error: unknown) => ending.end({ fatal: error }),
        );
    },
    onError: (error) => log.error({ error }, "a request failed unexpectedly"),
  });
}

/** Puts into the log what keeps a project from going on. */
function watchFactory({ engine, log }: OpenFactory): () => void {
  return watchStanding({
    standings: () => composeStandings(engine.snapshot(), Date.now()),
    subscribe: (listener) => engine.subscribe(listener),
    log,
  });
}

function listenForEnd(): Ending {
  let end: (how: End) => void = () => {};
  const ended = new Promise<End>((resolve) => {
    end = resolve;
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => end({ signal }));
  return { ended, end };
}

function sayEnd(end: End, open: OpenFactory, options: DaemonOptions): number {
  if ("fatal" in end) {
    const { fatal } = end;
    open.log.error({ error: fatal }, "the daemon stops");
    options.say(`dispatch stops: ${fatal instanceof Error ? fatal.message : String(fatal)}`);
    if (isFactoryError(fatal) && fatal.hint !== undefined) options.say(`  try: ${fatal.hint}`);
    return 1;
  }
  const going = [...open.engine.world.attempts.values()].filter((attempt) => attempt.endedAt === 0).length;
  open.log.info({ ...end, sessions: going }, "the daemon ends");
  const sessions = going === 1 ? "1 session goes" : `${going} sessions go`;
  options.say(going === 0 ? "dispatch is down; no session was running" : `dispatch is down; ${sessions} on and will be taken over at the next start`);
  return 0;
}
