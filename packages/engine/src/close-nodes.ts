import type { NodeClosure, NodePool, NodeRecord, NodeSnapshot, World } from "@dispatch/core";

/** Why a node takes no new tasks by what was decided about it; null when nothing was. That it is lost says more than that it is to rest. */
export function closureOf({ placing, reach }: NodeRecord): NodeClosure | null {
  if (reach.kind === "lost") return { kind: "lost", because: reach.because };
  switch (placing.kind) {
    case "open":
      return null;
    case "cordoned":
      return { kind: "cordoned", because: `cordoned by ${placing.by}` };
    case "draining":
      return { kind: "draining", because: `drained by ${placing.by}` };
  }
}

/**
 * The pool, with what was decided about its nodes in their snapshots. A decision wins over what the pool itself holds
 * against a node: pressure passes by itself, and what somebody decided does not. A snapshot stays the same object until
 * it or its node's record is another one.
 */
export function withClosures(pool: NodePool, world: Pick<World, "nodes">): NodePool {
  const closed = new WeakMap<NodeSnapshot, { record: NodeRecord; node: NodeSnapshot }>();
  function close(node: NodeSnapshot): NodeSnapshot {
    const record = world.nodes.get(node.id);
    const closure = record === undefined ? null : closureOf(record);
    if (record === undefined || closure === null) return node;
    const known = closed.get(node);
    if (known?.record === record) return known.node;
    const next = { ...node, closed: closure };
    closed.set(node, { record, node: next });
    return next;
  }
  return { ...pool, nodes: () => pool.nodes().map(close) };
}
