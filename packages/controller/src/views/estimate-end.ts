import { isEnded, type Task, taskIdOf } from "@dispatch/core";
import { remainingPaths, type Snapshot } from "@dispatch/scheduler";

/**
 * When the work that can go on will have ended, in ms since the epoch: the larger of the longest chain and the
 * work spread over all slots, scaled by how long tasks took against their estimates so far. Null when nothing is open.
 */
export function estimateEnd(snapshot: Snapshot, tasks: readonly Task[], now: number): number | null {
  const stuck = stuckTasks(tasks);
  const open = tasks.filter((task) => !isEnded(task) && !stuck.has(task.id));
  if (open.length === 0) return null;
  const slots = Math.max(
    1,
    snapshot.nodes.reduce((sum, node) => sum + (node.status.kind === "up" ? node.slots : 0), 0),
  );
  const paths = remainingPaths(snapshot.world);
  const longest = Math.max(...open.map((task) => paths.get(task.id) ?? 0));
  const work = open.reduce((sum, task) => sum + task.spec.estimateMinutes, 0);
  return now + Math.max(longest, work / slots) * 60_000 * paceOf(snapshot, tasks);
}

/** Tasks that only the lead can move, and those that wait for them. */
function stuckTasks(tasks: readonly Task[]): ReadonlySet<string> {
  const stuck = new Set(tasks.filter((task) => task.state.kind === "parked" || task.state.kind === "cancelled").map((task) => task.id));
  for (let grew = true; grew; ) {
    grew = false;
    for (const task of tasks) {
      if (stuck.has(task.id) || !task.spec.dependsOn.some((id) => stuck.has(taskIdOf(task.project, id)))) continue;
      stuck.add(task.id);
      grew = true;
    }
  }
  return stuck;
}

/** Measured minutes per estimated minute of what has landed; 1 while nothing has. */
function paceOf(snapshot: Snapshot, tasks: readonly Task[]): number {
  let measured = 0;
  let estimated = 0;
  for (const task of tasks) {
    if (task.state.kind !== "merged") continue;
    const attempt = snapshot.world.attempts.get(task.state.attempt);
    if (attempt === undefined) continue;
    measured += (task.state.at - attempt.placedAt) / 60_000;
    estimated += task.spec.estimateMinutes;
  }
  return estimated === 0 ? 1 : measured / estimated;
}
