import { FactoryError, type NodeId, type NodePool, type NodeSnapshot } from "@dispatch/core";

/** One gate run's place: a kept worktree of the project on a node. */
export interface GateSlot {
  node: NodeId;
  /** Which of the node's worktrees of the project, from 0. */
  bay: number;
}

/** Where gate runs take place: as many at once as the nodes that are up allow, the others in the order in which they asked. */
export interface GateSlots {
  /** Runs `act` in a slot as soon as there is one. Throws NODE_UNREACHABLE while no node is up. */
  run<T>(id: string, act: (slot: GateSlot) => Promise<T>): Promise<T>;
  /** The node on which a run is under way. */
  nodeOf(id: string): NodeId | undefined;
  /** More may be free now. */
  look(): void;
}

interface Waiting {
  start(slot: GateSlot): void;
  fail(error: FactoryError): void;
}

export function createGateSlots(nodes: NodePool["nodes"]): GateSlots {
  const busy = new Map<symbol, GateSlot & { run: string }>();
  const waiting: Waiting[] = [];

  function look(): void {
    while (waiting.length > 0) {
      const slot = freeSlot(nodes(), [...busy.values()]);
      if (slot === undefined) return;
      if (slot === "no-node") {
        for (const { fail } of waiting.splice(0)) fail(noNode());
        return;
      }
      waiting.shift()?.start(slot);
    }
  }

  return {
    async run(id, act) {
      // The same run may be asked for twice at once.
      const key = Symbol(id);
      const slot = await new Promise<GateSlot>((resolve, reject) => {
        waiting.push({
          start(found) {
            busy.set(key, { ...found, run: id });
            resolve(found);
          },
          fail: reject,
        });
        look();
      });
      try {
        return await act(slot);
      } finally {
        busy.delete(key);
        look();
      }
    },
    nodeOf: (id) => [...busy.values()].find(({ run }) => run === id)?.node,
    look,
  };
}

/**
 * The least used of the slots that are free: first on nodes that take tasks, then on the others, since what is done has to land also
 * when no other one is there. Undefined: all are taken.
 */
export function freeSlot(nodes: readonly NodeSnapshot[], busy: readonly GateSlot[]): GateSlot | "no-node" | undefined {
  const up = nodes.filter(({ status }) => status.kind === "up");
  if (up.length === 0) return "no-node";
  const open = up.filter(({ closed, gateSlots }) => closed === null && gateSlots > 0);
  const usable = open.length > 0 ? open : up;
  let best: { slot: GateSlot; load: number } | undefined;
  for (const { id, gateSlots, lowPriority } of usable) {
    const taken = busy.filter(({ node }) => node === id).map(({ bay }) => bay);
    const bays = Math.max(1, gateSlots);
    if (taken.length >= bays) continue;
    const bay = Array.from({ length: bays }, (_, n) => n).find((n) => !taken.includes(n)) ?? 0;
    const load = taken.length / bays + (lowPriority ? 1 : 0);
    if (best === undefined || load < best.load) best = { slot: { node: id, bay }, load };
  }
  return best?.slot;
}

function noNode(): FactoryError {
  return new FactoryError("NODE_UNREACHABLE", "no node is up to run the tests on", {
    fault: "dependency",
    retry: "later",
    hint: "see dispatch status for the nodes",
  });
}
