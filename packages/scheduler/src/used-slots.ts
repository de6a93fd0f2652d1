import { holdsSlot, type NodeId, type World } from "@dispatch/core";

/** Slots in use on every node. One is taken from placing until its session was seen to end. */
export function usedSlots(world: World): ReadonlyMap<NodeId, number> {
  const used = new Map<NodeId, number>();
  for (const attempt of world.attempts.values()) if (holdsSlot(attempt)) used.set(attempt.node, (used.get(attempt.node) ?? 0) + 1);
  return used;
}
