import { type Attempt, holdsSlot, isLive, type NodeId, type NodeRecord, type NodeSnapshot, newNode, noLimits, type World } from "@dispatch/core";
import type { NodeDescription } from "@dispatch/fleet";
import type { NodeStanding, NodesView, NodeView } from "@dispatch/protocol";
import type { Snapshot } from "@dispatch/scheduler";

/** What the pool tells of a machine beyond its snapshot; undefined for one that it does not have. */
export type Describe = (node: NodeId) => NodeDescription | undefined;

/** So long after the daemon began a machine that was not reached yet is said to be connecting, not down. */
const connectingMs = 15_000;

/** Every machine that is configured, and those that are not any more and of which something is left. `now` is in ms since the epoch. */
export function composeNodes({ world, nodes }: Pick<Snapshot, "world" | "nodes">, describe: Describe, now: number): Omit<NodesView, "problem"> {
  const attempts = attemptsByNode(world);
  const known = new Set(nodes.map(({ id }) => id));
  const remembered = [...new Set([...attempts.keys(), ...closedNodes(world)])].filter((id) => !known.has(id)).sort();
  const all = [...nodes, ...remembered.map((id) => goneNode(id, now))];
  const record = (id: NodeId): NodeRecord => world.nodes.get(id) ?? newNode(id);
  return { at: now, nodes: all.map((node) => nodeView(node, describe(node.id), record(node.id), attempts.get(node.id) ?? [], now)) };
}

/** Attempts that still have something to do on their machine. */
function attemptsByNode(world: World): ReadonlyMap<NodeId, readonly Attempt[]> {
  const byNode = new Map<NodeId, Attempt[]>();
  for (const attempt of world.attempts.values()) {
    if (attempt.state.kind === "discarded") continue;
    const others = byNode.get(attempt.node);
    if (others === undefined) byNode.set(attempt.node, [attempt]);
    else others.push(attempt);
  }
  return byNode;
}

function closedNodes({ nodes }: World): NodeId[] {
  return [...nodes.values()].filter(({ placing, reach }) => placing.kind !== "open" || reach.kind === "lost").map(({ id }) => id);
}

function goneNode(id: NodeId, now: number): NodeSnapshot {
  return {
    id,
    gateSlots: 0,
    slots: 0,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 0, memoryMb: 0, gpus: 0 },
    load: null,
    status: { kind: "down", because: "it is not in nodes.json any more", since: now },
    closed: { kind: "leaving", because: "it is not in nodes.json any more" },
    lostAfterMs: null,
    limits: noLimits,
  };
}

function nodeView(
  { status, ...node }: NodeSnapshot,
  machine: NodeDescription | undefined,
  { placing, reach }: NodeRecord,
  attempts: readonly Attempt[],
  now: number,
): NodeView {
  return {
    ...node,
    state: standingOf(status, reach, machine, now),
    resting: placing.kind === "open" ? null : { drain: placing.kind === "draining", by: placing.by, since: placing.at },
    link: linkOf(machine),
    used: attempts.filter(holdsSlot).length,
    sessions: attempts
      .filter(isLive)
      .map(({ id, task, placedAt, state, rounds }) => ({ task, attempt: id, since: placedAt, state: state.kind, round: rounds.length })),
    fenced: attempts.flatMap(({ id, task, endedAt, state }) =>
      state.kind === "fenced" ? [{ task, attempt: id, since: endedAt, because: state.because }] : [],
    ),
    unfetched: attempts.filter(({ state }) => state.kind === "ended" || state.kind === "collected").map(({ id }) => id),
    pulse: machine?.heartbeat ?? null,
    heardAt: machine?.heartbeatAt ?? null,
  };
}

function linkOf(machine: NodeDescription | undefined): NodeView["link"] {
  if (machine === undefined) return null;
  const { transport, target, hostKey, workDir, home, nodeVersion } = machine;
  return { transport, target, hostKey, workDir, home, nodeVersion };
}

function standingOf(status: NodeSnapshot["status"], reach: NodeRecord["reach"], machine: NodeDescription | undefined, now: number): NodeStanding {
  if (reach.kind === "lost") return { kind: "lost", since: reach.at, because: reach.because };
  if (status.kind === "up") return { kind: "up" };
  const neverUp = machine !== undefined && machine.home === null;
  return { kind: neverUp && now - status.since < connectingMs ? "connecting" : "down", since: status.since, because: status.because };
}
