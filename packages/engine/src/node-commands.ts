import { type AttemptId, FactoryError, type FactoryEvent, isFencedWithNode, type NodeId, type NodeSnapshot, type World } from "@dispatch/core";
import { fencesOf } from "./judge-reach.ts";
import type { EnginePorts } from "./ports.ts";

/** What the lead may decide about machines. A node that is neither configured nor remembered is NOT_FOUND. */
export interface NodeCommands {
  /** Has a node take no new tasks; with `drain` because it is to become empty. What runs there goes on. */
  cordonNode(node: NodeId, by: string, drain: boolean): Promise<void>;
  uncordonNode(node: NodeId, by: string): Promise<void>;
  /**
   * Gives a node that is out of reach up, with everything on it that was never fetched; returns the attempts that were given up.
   * NOT_ALLOWED while it is up.
   */
  abandonNode(node: NodeId, by: string): Promise<readonly AttemptId[]>;
}

export function createNodeCommands(
  ports: Pick<EnginePorts, "nodes">,
  world: World,
  commit: (events: readonly FactoryEvent[]) => Promise<void>,
): NodeCommands {
  function requireNode(id: NodeId): NodeSnapshot | undefined {
    const node = ports.nodes.nodes().find((one) => one.id === id);
    if (node !== undefined || isRemembered(world, id)) return node;
    const known = ports.nodes.nodes().map((one) => one.id);
    throw new FactoryError("NOT_FOUND", `there is no node ${id}`, {
      fault: "user",
      hint: known.length === 0 ? "no node is configured; see nodes.json" : `the nodes are ${known.join(", ")}`,
    });
  }
  return {
    async cordonNode(node, by, drain) {
      requireNode(node);
      await commit([{ type: "node-cordoned", node, drain, by }]);
    },
    async uncordonNode(node, by) {
      requireNode(node);
      await commit([{ type: "node-uncordoned", node, by }]);
    },
    async abandonNode(id, by) {
      if (requireNode(id)?.status.kind === "up") {
        throw new FactoryError("NOT_ALLOWED", `node ${id} is up`, {
          fault: "user",
          hint: `nothing there needs to be given up: dispatch node drain ${id} empties it`,
        });
      }
      const { events, attempts } = abandonEvents(world, id, by);
      await commit(events);
      return attempts;
    },
  };
}

/** Whether something of a node that may not be configured any more is open: work, or a decision that can be taken back. */
function isRemembered(world: World, id: NodeId): boolean {
  const record = world.nodes.get(id);
  if (record !== undefined && (record.placing.kind !== "open" || record.reach.kind === "lost")) return true;
  for (const attempt of world.attempts.values()) if (attempt.node === id && attempt.state.kind !== "discarded") return true;
  return false;
}

/** The tasks of what was at work go on elsewhere before the rest is given up. */
function abandonEvents(world: World, node: NodeId, by: string): { events: FactoryEvent[]; attempts: AttemptId[] } {
  const left = [...world.attempts.values()].filter((attempt) => attempt.node === node && attempt.state.kind !== "discarded");
  const atWork = left.filter(isFencedWithNode);
  const because = `given up by ${by}`;
  const attempts = left.map(({ id }) => id);
  const events: FactoryEvent[] = [];
  if (atWork.length > 0) events.push({ type: "node-lost", node, because });
  events.push(...fencesOf(atWork, `its node ${node} was ${because}`));
  events.push(...attempts.map((attempt): FactoryEvent => ({ type: "attempt-abandoned", attempt, by })));
  return { events, attempts };
}
