import type { AttemptId, AttemptReport, FactoryEvent, NodeId, World } from "@dispatch/core";
import { type Attempt, effectDelayMs, isFactoryError, isLive } from "@dispatch/core";
import type { EnginePorts } from "./ports.ts";
import { watchReach } from "./watch-reach.ts";

type Ports = Pick<EnginePorts, "nodes" | "log">;

/**
 * Takes a node's report in when it is the next one of its attempt; asks again when one is missing.
 * Of an attempt that is over nothing is missing, whatever its node still says.
 */
export function reportAsEvents(ports: Ports, world: World, report: AttemptReport): FactoryEvent[] {
  const attempt = world.attempts.get(report.attempt);
  if (attempt === undefined || !isLive(attempt) || report.seq <= attempt.cursor) return [];
  if (report.seq > attempt.cursor + 1) {
    ports.log.warn({ attempt: report.attempt, seq: report.seq, cursor: attempt.cursor }, "a report is missing; asking the node again");
    ports.nodes.resync(report.node);
    return [];
  }
  const { attempt: id, seq, reportedAt, fact } = report;
  return [{ type: "wrapper-reported", attempt: id, seq, reportedAt, fact }];
}

/** Compares what a node knows with what it should know, every time it comes up: what it has forgotten will never report. */
export interface NodeWatch {
  /** Carries no content; called when a node may have come up, gone down, come or gone. Returns whether one came up. */
  look(): boolean;
  close(): void;
}

/** `isStarting` says of an attempt that its start is still to be performed, so that its node need not know it yet. */
export function createNodeWatch(
  ports: Pick<EnginePorts, "nodes" | "log" | "clock">,
  world: World,
  isStarting: (attempt: AttemptId) => boolean,
  commit: (events: readonly FactoryEvent[]) => Promise<void>,
  onFatal: (error: unknown) => void,
): NodeWatch {
  const reach = watchReach(ports, world, commit, onFatal);
  const up = new Set<NodeId>();
  const timers = new Map<NodeId, () => void>();
  let closed = false;

  async function compare(node: NodeId, failures: number): Promise<void> {
    // Those that were started before the question: one that is started after it cannot be in the answer.
    const expected = [...world.attempts.values()].filter(
      (attempt) => attempt.node === node && isLive(attempt) && (attempt.cursor > 0 || !isStarting(attempt.id)),
    );
    let known: ReadonlySet<AttemptId>;
    try {
      known = new Set(await ports.nodes.inventory(node));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      askLater(node, failures + 1);
      return;
    }
    if (closed) return;
    const strangers = [...known].filter((id) => !world.attempts.has(id));
    if (strangers.length > 0) ports.log.info({ node, attempts: strangers }, "the node holds attempts of others; they are left alone");
    await commit(expected.filter((attempt) => !known.has(attempt.id)).map(refuse));
  }

  function askLater(node: NodeId, failures: number): void {
    if (closed || !up.has(node)) return;
    timers.get(node)?.();
    timers.set(
      node,
      ports.clock.after(effectDelayMs(failures), () => {
        timers.delete(node);
        if (up.has(node)) compare(node, failures).catch(onFatal);
      }),
    );
  }

  return {
    look() {
      // That a node is back is recorded before anything else is done with it.
      const cameUp = reach.look();
      for (const { id, status } of ports.nodes.nodes()) {
        if (status.kind === "down") up.delete(id);
        else if (!closed && !up.has(id)) {
          up.add(id);
          compare(id, 0).catch(onFatal);
        }
      }
      return cameUp;
    },
    close() {
      closed = true;
      reach.close();
      for (const cancel of timers.values()) cancel();
    },
  };
}

function refuse({ id, node }: Attempt): FactoryEvent {
  return { type: "attempt-refused", attempt: id, because: `node ${node} does not know this attempt any more`, retry: "later" };
}
