import { createBoard, type Decision } from "./board/board.ts";
import type { Snapshot } from "./snapshot.ts";

export type { Decision } from "./board/board.ts";

/**
 * Everything that should start now, from one reading of the facts. `now` is in ms since the epoch.
 * Deciding again after these decisions were recorded gives nothing new.
 */
export function decide(snapshot: Snapshot, now: number): Decision[] {
  return createBoard(snapshot).decide(now);
}

/** When a decision may change only because time has passed, in ms since the epoch; undefined when never. */
export function nextDecisionAt(snapshot: Snapshot, now: number): number | undefined {
  return createBoard(snapshot).nextDecisionAt(now);
}
