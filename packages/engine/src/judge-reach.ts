import { type Attempt, type FactoryEvent, isFencedWithNode, type NodeId, type NodeSnapshot, type World } from "@dispatch/core";

/** For a node that nobody configures any more and that still holds attempts, in ms. */
const unknownLostAfterMs = 10 * 60_000;

/** What can be seen of the nodes, and since when. All times in ms since the epoch. */
export interface Sight {
  world: Pick<World, "attempts" | "nodes">;
  nodes: readonly NodeSnapshot[];
  /** Of nodes that are up; one that is missing came up just now. */
  upSince: ReadonlyMap<NodeId, number>;
  /** Since when nodes that are not configured, and hold attempts, are looked at. */
  unknownSince: ReadonlyMap<NodeId, number>;
  now: number;
}

export interface ReachVerdict {
  /** To be recorded in one commit: the loss of a node comes with the fences of its attempts. */
  events: readonly FactoryEvent[];
  /** When the next node is lost if nothing changes; undefined when none will be. */
  nextAt: number | undefined;
}

/**
 * Which nodes are lost, and which are back. A node is lost when it was down for its deadline while one other node was up the
 * whole time: where nothing can be reached the fault may be ours, and there is nowhere to go on.
 */
export function judgeReach({ world, nodes, upSince, unknownSince, now }: Sight): ReachVerdict {
  const events: FactoryEvent[] = [];
  let nextAt: number | undefined;
  const held = heldAttempts(world);
  const witnesses = nodes.flatMap(({ id, status }) => (status.kind === "up" ? [{ id, since: upSince.get(id) ?? now }] : []));

  /** Since when the other node is up that is up for the longest time. */
  function upLongest(except: NodeId): number | undefined {
    const others = witnesses.filter(({ id }) => id !== except);
    return others.length === 0 ? undefined : Math.min(...others.map(({ since }) => since));
  }

  function judge(node: NodeId, down: { since: number; because: string }, lostAfterMs: number | null): void {
    const attempts = held.get(node) ?? [];
    const reach = world.nodes.get(node)?.reach;
    if (reach?.kind === "lost") {
      events.push(...fencesOf(attempts, reach.because));
      return;
    }
    const witness = upLongest(node);
    if (lostAfterMs === null || witness === undefined) return;
    const dueAt = Math.max(down.since, witness) + lostAfterMs;
    if (dueAt > now) {
      nextAt = Math.min(nextAt ?? dueAt, dueAt);
      return;
    }
    const because = `out of reach for ${inWords(now - down.since)}: ${down.because}`;
    events.push({ type: "node-lost", node, because }, ...fencesOf(attempts, `its node ${node} is lost, ${because}`));
  }

  for (const { id, status, lostAfterMs } of nodes) {
    if (status.kind === "down") judge(id, status, lostAfterMs);
    else if (world.nodes.get(id)?.reach.kind === "lost") events.push({ type: "node-returned", node: id });
  }
  for (const [id, since] of unknownSince) if (held.has(id)) judge(id, { since, because: "it is not configured" }, unknownLostAfterMs);
  return { events, nextAt };
}

/** By node, the attempts that are lost with it. */
export function heldAttempts({ attempts }: Pick<World, "attempts">): ReadonlyMap<NodeId, readonly Attempt[]> {
  const held = new Map<NodeId, Attempt[]>();
  for (const attempt of attempts.values()) {
    if (!isFencedWithNode(attempt)) continue;
    const others = held.get(attempt.node);
    if (others === undefined) held.set(attempt.node, [attempt]);
    else others.push(attempt);
  }
  return held;
}

export function fencesOf(attempts: readonly Attempt[], because: string): FactoryEvent[] {
  return attempts.map(({ id }) => ({ type: "attempt-fenced", attempt: id, because }));
}

function inWords(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
