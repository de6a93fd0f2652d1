import type { AttemptId, NodeSnapshot, World } from "@dispatch/core";

/**
 * What an engine that has nothing more to do leaves behind: attempts whose work is in the hub or whose tasks went on without
 * them, on nodes that are out of reach. Undefined while something else is unfinished.
 */
export function attemptsBehind(world: World, nodes: readonly NodeSnapshot[]): readonly AttemptId[] | undefined {
  const up = new Set(nodes.filter(({ status }) => status.kind === "up").map(({ id }) => id));
  const behind: AttemptId[] = [];
  for (const { id, node, state } of world.attempts.values()) {
    if (state.kind === "discarded") continue;
    if ((state.kind !== "fenced" && state.kind !== "collected") || up.has(node)) return undefined;
    behind.push(id);
  }
  for (const task of world.tasks.values()) if (task.state.kind === "landing" || task.state.kind === "checking") return undefined;
  return behind;
}
