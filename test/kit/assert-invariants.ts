import { holdsLock, holdsSlot, isLive, lockedPaths, type NodeSnapshot, patternsOverlap, type World } from "@dispatch/core";

/**
 * Throws when the world breaks a law of docs/architecture.md. Called after every fact by the fake factory.
 * (1) one live attempt a task, no node over its slots, where one that is fenced keeps its slot; (2) locks of a project never
 * meet, save in `common` paths, which several may change at once; (4) discarded means collected.
 */
export function assertInvariants(world: World, nodes: readonly NodeSnapshot[], common: readonly string[] = []): void {
  const byTask = new Set<string>();
  const byNode = new Map<string, number>();
  for (const attempt of world.attempts.values()) {
    if (!holdsSlot(attempt)) continue;
    byNode.set(attempt.node, (byNode.get(attempt.node) ?? 0) + 1);
    if (!isLive(attempt)) continue;
    if (byTask.has(attempt.task)) throw new Error(`${attempt.task} has two live attempts`);
    byTask.add(attempt.task);
    if (world.tasks.get(attempt.task)?.state.tries !== attempt.n) throw new Error(`${attempt.id} is live and not the newest attempt`);
    if (world.nodes.get(attempt.node)?.reach.kind === "lost") throw new Error(`${attempt.id} is live on a lost node`);
  }
  for (const node of nodes) if ((byNode.get(node.id) ?? 0) > node.slots) throw new Error(`node ${node.id} is over its slots`);
  assertLocks(world, common);
  for (const attempt of world.attempts.values()) {
    const { state } = attempt;
    if (state.kind === "discarded" && state.outcome.kind === "succeeded" && state.tip === null)
      throw new Error(`${attempt.id} was discarded without its tip`);
  }
}

function assertLocks(world: World, common: readonly string[]): void {
  const holders = [...world.tasks.values()].filter(holdsLock);
  holders.forEach((one, i) => {
    for (const other of holders.slice(i + 1)) {
      if (one.project !== other.project) continue;
      for (const mine of lockedPaths(one.spec)) {
        for (const theirs of lockedPaths(other.spec)) {
          if (!common.includes(mine) && patternsOverlap(mine, theirs)) throw new Error(`${one.id} and ${other.id} both hold ${mine} / ${theirs}`);
        }
      }
    }
  });
}
