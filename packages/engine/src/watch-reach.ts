import type { FactoryEvent, NodeId, NodeSnapshot, World } from "@dispatch/core";
import { heldAttempts, judgeReach } from "./judge-reach.ts";
import type { EnginePorts } from "./ports.ts";

/** Some clocks wrap longer times around. */
const longestWaitMs = 24 * 3_600_000;

/** Records which nodes are lost and which are back, when that changes and when a deadline is over. */
export interface ReachWatch {
  /** Carries no content; called when a node may have come up, gone down, come or gone. Returns whether one came up. */
  look(): boolean;
  close(): void;
}

/** Counts from its first look on: what was before the engine began, nobody saw. */
export function watchReach(
  ports: Pick<EnginePorts, "nodes" | "clock" | "log">,
  world: World,
  commit: (events: readonly FactoryEvent[]) => Promise<void>,
  onFatal: (error: unknown) => void,
): ReachWatch {
  const upSince = new Map<NodeId, number>();
  const unknownSince = new Map<NodeId, number>();
  let seen: string | undefined;
  let closed = false;
  let cancelTimer: () => void = () => {};

  /** Returns whether a node came up. */
  function takeIn(nodes: readonly NodeSnapshot[], now: number): boolean {
    let cameUp = false;
    for (const { id, status } of nodes) {
      if (status.kind === "down") upSince.delete(id);
      else if (!upSince.has(id)) {
        upSince.set(id, now);
        cameUp = true;
      }
    }
    const known = new Set(nodes.map(({ id }) => id));
    for (const id of upSince.keys()) if (!known.has(id)) upSince.delete(id);
    for (const id of unknownSince.keys()) if (known.has(id)) unknownSince.delete(id);
    for (const id of heldAttempts(world).keys()) if (!known.has(id) && !unknownSince.has(id)) unknownSince.set(id, now);
    return cameUp;
  }

  function judge(nodes: readonly NodeSnapshot[], now: number): void {
    cancelTimer();
    const { events, nextAt } = judgeReach({ world, nodes, upSince, unknownSince, now });
    if (nextAt !== undefined) {
      cancelTimer = ports.clock.after(Math.min(Math.max(1, nextAt - now), longestWaitMs), () => judge(ports.nodes.nodes(), ports.clock.now()));
    }
    if (events.length === 0) return;
    for (const event of events) if (event.type === "node-lost") ports.log.warn({ node: event.node, because: event.because }, "a node is lost");
    commit(events).catch(onFatal);
  }

  return {
    look() {
      const nodes = ports.nodes.nodes();
      const now = nodes.map(sightOf).join(" ");
      if (closed || now === seen) return false;
      seen = now;
      const at = ports.clock.now();
      const cameUp = takeIn(nodes, at);
      judge(nodes, at);
      return cameUp;
    },
    close() {
      closed = true;
      cancelTimer();
    },
  };
}

/** All that counts of a node; the same until a look at it is worth the while. */
function sightOf({ id, status, lostAfterMs }: NodeSnapshot): string {
  return `${id} ${status.kind === "up" ? "up" : status.since} ${lostAfterMs}`;
}
