import type { Attempt, AttemptId, NodeId, Task, TaskSpec, World } from "@dispatch/core";
import type { Session } from "./machine.ts";
import { entriesMeet } from "./paths.ts";
import type { PlannedProject } from "./plan.ts";
import type { Sim } from "./sim.ts";

/** The laws once more, written down apart from the code that is watched. */

/** From starting to merged, and while it is being cancelled, a task keeps its paths. */
const lockingStates: ReadonlySet<string> = new Set(["starting", "running", "collecting", "checking", "queued", "landing", "cancelling"]);
/** From placing until its session was seen to end, an attempt is the one at work on its task. */
const liveStates: ReadonlySet<string> = new Set(["starting", "running", "stopping"]);

export function keepsPaths(task: Task): boolean {
  return lockingStates.has(task.state.kind);
}

export function isAtWork(attempt: Attempt): boolean {
  return liveStates.has(attempt.state.kind);
}

/** Of an attempt that was fenced before it ended nobody knows whether its session still lives, until it was retired. */
export function takesSlot(attempt: Attempt): boolean {
  return isAtWork(attempt) || (attempt.state.kind === "fenced" && attempt.state.session === "unknown");
}

/** Whether anything may be placed on a node by what was decided about it. */
export function isOpenNode(world: Pick<World, "nodes">, node: NodeId): boolean {
  const record = world.nodes.get(node);
  return record === undefined || (record.placing.kind === "open" && record.reach.kind === "kept");
}

/** Why two tasks of a project may not be at work at once; undefined when they may. */
export function conflictOf(left: TaskSpec, right: TaskSpec, project: PlannedProject): string | undefined {
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (changesContract(one, project)) return `${one.id} changes the contract`;
    for (const mine of writes(one)) {
      for (const theirs of [...writes(other), ...other.reads])
        if (entriesMeet(mine, theirs)) return `${one.id} writes ${mine}, ${other.id} has ${theirs}`;
    }
  }
  return undefined;
}

export function changesContract(spec: TaskSpec, { contracts }: PlannedProject): boolean {
  return spec.type === "contract" || writes(spec).some((entry) => contracts.some((file) => entriesMeet(entry, file)));
}

function writes(spec: TaskSpec): readonly string[] {
  return [...spec.modifies, ...spec.creates, ...spec.deletes];
}

/** The first task that has to be merged (or, with `after`, to have ended) before this one starts. */
export function openDependency(world: World, task: Task): string | undefined {
  const kindOf = (specId: string) => world.tasks.get(`${task.project}/${specId}`)?.state.kind ?? "unknown";
  const needed = task.spec.dependsOn.find((specId) => kindOf(specId) !== "merged");
  if (needed !== undefined) return needed;
  return task.spec.after.find((specId) => !["merged", "parked", "cancelled"].includes(kindOf(specId)));
}

/** The session whose facts an attempt's reports are, wherever it is. */
export function reportingSession(sim: Sim, attempt: AttemptId): Session | undefined {
  let found: Session | undefined;
  for (const machine of sim.machines.values()) found = machine.sessions.get(attempt) ?? found;
  return found;
}
