import type { Effect } from "../effect.ts";
import type { StoredEvent } from "../event.ts";
import type { Change, World } from "../world.ts";

/** What one decision adds to the ledger. All of it becomes durable in one transaction, or none. */
export interface Commit {
  events: readonly StoredEvent[];
  change: Change;
  /** Keys of effects that are done. */
  done: readonly string[];
}

/** A durable effect that is still to be performed. */
export interface PendingEffect {
  key: string;
  effect: Effect;
}

/** The facts, kept. One writer. */
export interface Ledger {
  /** The world as it was when the last commit became durable, and what is still to be done. */
  load(): { world: World; lastSeq: number; pending: readonly PendingEffect[] };
  /**
   * Adds a commit to the group that is written at the end of this turn of the event loop.
   * The promise settles when it is on disk; it rejects with LEDGER_CONFLICT or DISK_FULL,
   * after which the ledger accepts nothing more.
   */
  append(commit: Commit): Promise<void>;
  /** Events after a position, in order, at most `limit`. */
  readEvents(afterSeq: number, limit: number): readonly StoredEvent[];
  close(): Promise<void>;
}
