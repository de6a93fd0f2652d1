import type { AttemptId, FactoryEvent, World } from "@dispatch/core";
import type { Board, Decision } from "@dispatch/scheduler";
import type { EnginePorts } from "./ports.ts";
import { attemptsBehind } from "./stay-behind.ts";

/** Decides whenever something may have changed: at most once a turn of the event loop, and when time alone changes something. */
export interface DecideLoop {
  /** Carries no content; losing one costs only time. */
  wake(): void;
  start(): void;
  /** Places nothing any more; landing goes on. */
  drain(): void;
  /** Settles when there is nothing more to do, with the attempts that wait for their node to be back. */
  whenQuiet(): Promise<readonly AttemptId[]>;
  close(): void;
}

/** `board` has to be told every change of `world` as it is recorded. */
export function createDecideLoop(
  ports: Pick<EnginePorts, "clock" | "settings" | "nodes" | "log">,
  { world, board }: { world: World; board: Board },
  commit: (events: readonly FactoryEvent[]) => Promise<void>,
  onFatal: (error: unknown) => void,
): DecideLoop {
  let running = false;
  let draining = false;
  let pending = false;
  let cancelTimer: () => void = () => {};
  const quietWaiters = new Set<(behind: readonly AttemptId[]) => void>();

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
    else tellQuiet();
  }

  function tellQuiet(): void {
    if (quietWaiters.size === 0) return;
    const behind = attemptsBehind(world, ports.nodes.nodes());
    if (behind === undefined) return;
    if (behind.length > 0) ports.log.info({ attempts: behind }, "attempts stay behind on nodes out of reach; they are taken up at the next start");
    for (const waiter of quietWaiters) waiter(behind);
    quietWaiters.clear();
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

function asEvent(decision: Decision, world: World, ports: Pick<EnginePorts, "settings">): FactoryEvent {
  switch (decision.decide) {
    case "place": {
      const task = world.tasks.get(decision.task);
      const executor = task === undefined ? undefined : ports.settings.executorOf(task.spec);
      const { task: id, attempt, n, node, base } = decision;
      return { type: "task-placed", task: id, attempt, n, node, base, executor: executor?.name ?? task?.spec.executor ?? "unknown" };
    }
    case "form-car": {
      const { project, car, kind, members, ahead } = decision;
      return { type: "car-planned", project, car, kind, members, ahead };
    }
    case "publish":
      return { type: "publishing-planned", project: decision.project };
  }
}
