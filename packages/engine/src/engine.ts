import { type AttemptId, effectKey, type FactoryEvent, type StoredEvent, type World } from "@dispatch/core";
import { createBoard, type Snapshot } from "@dispatch/scheduler";
import { withClosures } from "./close-nodes.ts";
import { type Commands, createCommands } from "./commands.ts";
import { createDecideLoop } from "./decide-loop.ts";
import { createGateSlots } from "./gate-slots.ts";
import { keepWorld } from "./keep-world.ts";
import { createNodeWatch, reportAsEvents } from "./observe-nodes.ts";
import { openOutbox } from "./open-outbox.ts";
import { createPerformer } from "./perform-effect.ts";
import type { EnginePorts } from "./ports.ts";
import { createEffectRunner, type Trouble } from "./run-effects.ts";

export interface Engine {
  readonly world: World;
  readonly commands: Commands;
  /** What decisions are made from, for explanations. */
  snapshot(): Snapshot;
  troubles(): readonly Trouble[];
  /** Calls back with facts after they became durable. Returns how to stop that. */
  subscribe(listener: (events: readonly StoredEvent[]) => void): () => void;
  /** Performs what was left undone, compares with the nodes that are up, and begins to decide. */
  start(): Promise<void>;
  /** Places nothing any more; landing and collecting go on. */
  drain(): void;
  /**
   * Settles when no attempt is unfinished and nothing is being checked or landed. Attempts that only wait for their node to be
   * back are not waited for: they are returned, and taken up at the next start.
   */
  whenQuiet(): Promise<readonly AttemptId[]>;
  close(): Promise<void>;
}

/**
 * The loop of the factory: facts in, decisions out, effects after they are durable.
 *
 * 1. The world changes only by recording facts.
 * 2. An effect starts only after the transaction with its cause is on disk.
 * 3. Whatever cannot be written stops the engine (`onFatal`); nothing unwritten was ever acted on.
 */
export function createEngine(given: EnginePorts, onFatal: (error: unknown) => void): Engine {
  const loaded = given.ledger.load();
  const keeper = keepWorld(given, loaded, (change) => {
    board.update(change);
    outbox.announce(change.effects);
  });
  const { world } = keeper;
  const ports: EnginePorts = { ...given, nodes: withClosures(given.nodes, world) };
  const listeners = new Set<(events: readonly StoredEvent[]) => void>();
  let closed = false;

  async function commit(events: readonly FactoryEvent[], done: readonly string[] = []): Promise<void> {
    const recorded = keeper.record(events, done);
    try {
      await recorded.durable;
    } catch (error) {
      // The world in memory is ahead of the facts now: whoever asked is told, and nothing is decided from it any more.
      fatal(error);
      throw error;
    }
    outbox.release(recorded);
    if (recorded.stored.length > 0) for (const listener of listeners) listener(recorded.stored);
    loop.wake();
  }

  const finish = (events: readonly FactoryEvent[], key: string): Promise<void> => commit(events, [key]);

  function stop(): void {
    closed = true;
    loop.close();
    watch.close();
  }

  function fatal(error: unknown): void {
    if (closed) return;
    stop();
    ports.log.error({ error }, "the engine stops: a fact could not be recorded");
    onFatal(error);
  }

  const snapshot = (): Snapshot => ({ world, nodes: ports.nodes.nodes(), projects: ports.settings.scheduling() });
  const gateSlots = createGateSlots(() => ports.nodes.nodes());
  const runner = createEffectRunner(ports, createPerformer({ ...ports, gateSlots }, world), finish, fatal);
  const outbox = openOutbox(() => ports.nodes.nodes(), world, runner);
  const board = createBoard(snapshot());
  const loop = createDecideLoop(ports, { world, board }, commit, fatal);
  const watch = createNodeWatch(ports, world, (attempt) => outbox.isUndone(effectKey({ do: "start-attempt", attempt })), commit, fatal);
  let started = false;

  function lookAtNodes(): void {
    if (watch.look()) runner.retryNow();
    outbox.look();
    gateSlots.look();
    loop.wake();
  }

  takeReports(ports, world, (events) => void commit(events).catch(fatal));
  ports.nodes.onChange(() => (started ? lookAtNodes() : undefined));

  return {
    world,
    commands: createCommands(ports, world, commit),
    snapshot,
    troubles: () => runner.troubles(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      started = true;
      outbox.start(loaded.pending.map(({ effect }) => effect));
      lookAtNodes();
      loop.start();
    },
    drain: () => loop.drain(),
    whenQuiet: () => loop.whenQuiet(),
    async close() {
      stop();
      await runner.close();
    },
  };
}

function takeReports(ports: EnginePorts, world: World, record: (events: readonly FactoryEvent[]) => void): void {
  ports.nodes.onReport((report) => {
    const events = reportAsEvents(ports, world, report);
    if (events.length > 0) record(events);
  });
}
