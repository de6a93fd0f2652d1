import type { FactoryEvent, World } from "@dispatch/core";
import type { Board, Decision } from "@dispatch/scheduler";
import type { EnginePorts } from "./ports.ts";

/** Decides whenever something may have changed: at most once a turn of the event loop, and when time alone changes something. */
export interface DecideLoop {
  /** Carries no content; losing one costs only time. */
  wake(): void;
  start(): void;
  /** Places nothing any more; landing goes on. */
  drain(): void;
  /** Settles when no attempt is unfinished and nothing is being checked or landed. */
  whenQuiet(): Promise<void>;
  close(): void;
}

/** `board` has to be told every change of `world` as it is recorded. */
export function createDecideLoop(
  ports: Pick<EnginePorts, "clock" | "settings" | "nodes">,
  { world, board }: { world: World; board: Board },
  commit: (events: readonly FactoryEvent[]) => Promise<void>,
  onFatal: (error: unknown) => void,
): DecideLoop {
  let running = false;
  let draining = false;
  let pending = false;
  let cancelTimer: () => void = () => {};
  const quietWaiters = new Set<() => void>();

  function wake(): void {
    if (!running || pending) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      if (running) decideNow();
    });
  }

  function decideNow(): void {
    const now = ports.clock.now();
    board.setNodes(ports.nodes.nodes());
    board.setProjects(ports.settings.scheduling());
    const decisions = board.decide(now).filter((decision) => !draining || decision.decide !== "place");
    cancelTimer();
    const next = board.nextDecisionAt(now);
    if (next !== undefined) cancelTimer = ports.clock.after(Math.max(1, next - now), wake);
    if (decisions.length > 0) commit(decisions.map((decision) => asEvent(decision, world, ports))).catch(onFatal);
    else if (quietWaiters.size > 0 && isQuiet(world)) for (const waiter of quietWaiters) waiter();
  }

  return {
    wake,
    start() {
      running = true;
      wake();
    },
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
    close() {
      running = false;
      cancelTimer();
    },
  };
}

function isQuiet(world: World): boolean {
  for (const attempt of world.attempts.values()) if (attempt.state.kind !== "discarded") return false;
  for (const task of world.tasks.values()) if (task.state.kind === "landing" || task.state.kind === "checking") return false;
  return true;
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
