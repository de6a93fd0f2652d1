import type { AttemptReport, Effect, FactoryEvent, StoredEvent, World } from "@dispatch/core";
import { type Decision, decide, nextDecisionAt, type Snapshot } from "@dispatch/scheduler";
import { type Commands, createCommands } from "./commands.ts";
import { keepWorld } from "./keep-world.ts";
import { checkResult, collectAttempt, discardWorkspace, startAttempt, stopAttempt } from "./perform-attempt.ts";
import { advanceMain, buildCandidate, publishMain, takeInOrigin, verifyCandidate } from "./perform-landing.ts";
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
  /** Performs what was left undone, compares with the nodes, and begins to decide. */
  start(): Promise<void>;
  /** Something may have changed: decide again soon. Carries no content; losing one costs only time. */
  wake(): void;
  /** Starts no attempts any more; landing and collecting go on. */
  drain(): void;
  /** Settles when no attempt holds a slot and nothing is under way. */
  whenQuiet(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The loop of the factory: facts in, decisions out, effects after they are durable.
 *
 * 1. The world changes only by recording facts.
 * 2. An effect starts only after the transaction with its cause is on disk.
 * 3. Whatever cannot be written stops the engine (`onFatal`); nothing unwritten was ever acted on.
 */
export function createEngine(ports: EnginePorts, onFatal: (error: unknown) => void): Engine {
  const loaded = ports.ledger.load();
  const keeper = keepWorld(ports, loaded);
  const { world } = keeper;
  const listeners = new Set<(events: readonly StoredEvent[]) => void>();
  let started = false;
  let draining = false;
  let closed = false;
  let wakePending = false;
  let cancelTimer: () => void = () => {};
  const quietWaiters = new Set<() => void>();

  async function commit(events: readonly FactoryEvent[], done: readonly string[] = []): Promise<void> {
    const recorded = keeper.record(events, done);
    await recorded.durable;
    runner.start(recorded.change.effects);
    if (recorded.stored.length > 0) for (const listener of listeners) listener(recorded.stored);
    wake();
  }

  const runner = createEffectRunner(
    ports,
    (effect) => perform(ports, world, effect),
    (events, key) => commit(events, [key]),
    fatal,
  );

  function fatal(error: unknown): void {
    if (closed) return;
    ports.log.error({ error }, "the engine stops: a fact could not be recorded");
    onFatal(error);
  }

  function snapshot(): Snapshot {
    return { world, nodes: ports.nodes.nodes(), landing: ports.settings.landing() };
  }

  function wake(): void {
    if (!started || closed || wakePending) return;
    wakePending = true;
    setImmediate(() => {
      wakePending = false;
      if (!closed) decideNow();
    });
  }

  function decideNow(): void {
    const now = ports.clock.now();
    const seen = snapshot();
    const decisions = decide(seen, now).filter((decision) => !draining || decision.decide !== "place");
    cancelTimer();
    const next = nextDecisionAt(seen, now);
    if (next !== undefined) cancelTimer = ports.clock.after(Math.max(1, next - now), wake);
    if (decisions.length > 0) commit(decisions.map((decision) => asEvent(decision, world, ports))).catch(fatal);
    else if (isQuiet()) for (const waiter of quietWaiters) waiter();
  }

  function isQuiet(): boolean {
    for (const attempt of world.attempts.values()) if (attempt.state.kind !== "discarded") return false;
    for (const task of world.tasks.values()) if (task.state.kind === "landing" || task.state.kind === "checking") return false;
    return true;
  }

  function onReport(report: AttemptReport): void {
    const attempt = world.attempts.get(report.attempt);
    if (attempt === undefined) return;
    if (report.seq > attempt.cursor + 1) {
      ports.log.warn({ attempt: report.attempt, seq: report.seq, cursor: attempt.cursor }, "a report is missing; asking the node again");
      ports.nodes.resync(report.node);
      return;
    }
    if (report.seq <= attempt.cursor) return;
    const { attempt: id, seq, reportedAt, fact } = report;
    commit([{ type: "wrapper-reported", attempt: id, seq, reportedAt, fact }]).catch(fatal);
  }

  /** An attempt that its node has never heard of, and that nobody is about to start, will never report. */
  async function reconcileNode(node: string, pendingStarts: ReadonlySet<string>): Promise<void> {
    const known = new Set(await ports.nodes.inventory(node));
    for (const attempt of world.attempts.values()) {
      if (attempt.node !== node || known.has(attempt.id) || pendingStarts.has(attempt.id)) continue;
      if (attempt.state.kind === "running" || attempt.state.kind === "starting" || attempt.state.kind === "stopping") {
        await commit([{ type: "attempt-refused", attempt: attempt.id, because: `node ${node} does not know this attempt any more`, retry: "later" }]);
      }
    }
  }

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
      ports.nodes.onReport(onReport);
      ports.nodes.onChange(() => {
        runner.retryNow();
        wake();
      });
      const pendingStarts = new Set(loaded.pending.flatMap(({ effect }) => (effect.do === "start-attempt" ? [effect.attempt] : [])));
      for (const node of ports.nodes.nodes()) {
        if (node.status.kind !== "up") continue;
        ports.nodes.resync(node.id);
        await reconcileNode(node.id, pendingStarts);
      }
      runner.start(loaded.pending.map((pending) => pending.effect));
      wake();
    },
    wake,
    drain() {
      draining = true;
      wake();
    },
    whenQuiet() {
      return new Promise((resolve) => {
        quietWaiters.add(resolve);
        wake();
      });
    },
    async close() {
      closed = true;
      cancelTimer();
      await runner.close();
    },
  };
}

function asEvent(decision: Decision, world: World, ports: Pick<EnginePorts, "settings">): FactoryEvent {
  switch (decision.decide) {
    case "place": {
      const task = world.tasks.get(decision.task);
      const executor = task === undefined ? undefined : ports.settings.executorOf(task.spec);
      const { task: id, attempt, n, node, base } = decision;
      return { type: "task-placed", task: id, attempt, n, node, base, executor: executor?.name ?? task?.spec.executor ?? "unknown" };
    }
    case "land":
      return { type: "landing-planned", task: decision.task, onto: decision.onto };
    case "publish":
      return { type: "publishing-planned", project: decision.project };
  }
}

function perform(ports: EnginePorts, world: World, effect: Effect): Promise<FactoryEvent[]> {
  switch (effect.do) {
    case "start-attempt":
      return startAttempt(ports, world, effect.attempt);
    case "stop-attempt":
      return stopAttempt(ports, world, effect.attempt, effect.because);
    case "collect-attempt":
      return collectAttempt(ports, world, effect.attempt);
    case "check-result":
      return checkResult(ports, world, effect.attempt);
    case "discard-workspace":
      return discardWorkspace(ports, world, effect.attempt);
    case "build-candidate":
      return buildCandidate(ports, world, effect);
    case "verify-candidate":
      return verifyCandidate(ports, world, effect);
    case "advance-main":
      return advanceMain(ports, world, effect);
    case "take-in-origin":
      return takeInOrigin(ports, world, effect.project);
    case "publish-main":
      return publishMain(ports, world, effect.project);
  }
}
