import { setImmediate } from "node:timers/promises";
import { FactoryError, type StoredEvent, type Task } from "@dispatch/core";

/** One text of a task's spec, as the log has it. */
export interface SpecRevision {
  /** From 1, as the ledger counts. */
  revision: number;
  text: string;
  digest: string;
  /** When it was taken in, ms since the epoch. */
  at: number;
  /** Null in logs from before it was kept. */
  by: string | null;
}

/**
 * Every revision of a task's spec, oldest first, from the event log: the ledger keeps only the newest at hand.
 * Reads in steps and lets other requests pass in between. `readEvents` gives the events after a position, a limited number.
 */
export async function readRevisions(readEvents: (after: number) => readonly StoredEvent[], task: Task): Promise<readonly SpecRevision[]> {
  const found: SpecRevision[] = [];
  let after = 0;
  while (found.length < task.revision) {
    const events = readEvents(after);
    const last = events.at(-1);
    if (last === undefined) break;
    after = last.seq;
    for (const { at, event } of events) {
      if ((event.type !== "task-planned" && event.type !== "spec-revised") || event.task !== task.id) continue;
      found.push({ revision: found.length + 1, text: event.text, digest: event.digest, at, by: event.by ?? null });
    }
    await setImmediate();
  }
  return found;
}

/** Throws NOT_FOUND when there is no such revision. */
export function pickRevision(task: Task, revisions: readonly SpecRevision[], wanted: number): SpecRevision {
  const found = revisions.find(({ revision }) => revision === wanted);
  if (found !== undefined) return found;
  throw new FactoryError("NOT_FOUND", `the spec of ${task.id} has no revision ${wanted}`, {
    fault: "user",
    hint: revisions.length === 1 ? "it has revision 1 alone" : `it has revisions 1 to ${revisions.length}`,
  });
}
