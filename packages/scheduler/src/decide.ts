import { type Placement, placeTasks } from "./place-tasks.ts";
import { type LandingDecision, planLandings } from "./plan-landings.ts";
import type { Snapshot } from "./snapshot.ts";

export type Decision = Placement | LandingDecision;

/**
 * Everything that should start now, from one reading of the facts. `now` is in ms since the epoch.
 * Deciding again after these decisions were recorded gives nothing new.
 */
export function decide(snapshot: Snapshot, now: number): Decision[] {
  return [...planLandings(snapshot), ...placeTasks(snapshot, now)];
}

/** When a decision may change only because time has passed, in ms since the epoch; undefined when never. */
export function nextDecisionAt(snapshot: Snapshot, now: number): number | undefined {
  let next: number | undefined;
  for (const task of snapshot.world.tasks.values()) {
    if (task.state.kind !== "backoff" || task.state.until <= now) continue;
    if (next === undefined || task.state.until < next) next = task.state.until;
  }
  return next;
}
