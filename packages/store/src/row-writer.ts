import { type Attempt, type Change, type Effect, effectKey, type NodeRecord, type Project, type StoredEvent, type Task } from "@dispatch/core";
import type { Queries } from "./queries.ts";

/** Rows that the log is ahead of. Whatever changed several times since the last `write` is written once. */
export interface RowWriter {
  /** What one commit did: first its effects that are done, then its events and what they changed. */
  note(done: readonly string[], events: readonly StoredEvent[], change: Change): void;
  /** Writes the rows; call it inside a transaction. Call `settled` when that is committed. */
  write(): void;
  settled(): void;
}

/** `stored` are the keys of the effects that have a row; it is kept up to date. */
export function createRowWriter(queries: Queries, stored: Set<string>): RowWriter {
  const projects = new Map<string, Project>();
  const tasks = new Map<string, Task>();
  const attempts = new Map<string, Attempt>();
  const nodes = new Map<string, NodeRecord>();
  /** Tasks whose spec is new since, with the position of the event that holds it. */
  const cards = new Map<string, number>();
  const added = new Map<string, { seq: number; effect: Effect }>();
  const deleted = new Set<string>();

  function writeTask({ id, plannedAt, revision, state }: Task): void {
    const card = cards.get(id);
    if (card === undefined) queries.updateTaskState.run({ id, state: JSON.stringify(state) });
    else queries.upsertTask.run({ id, card, plannedAt, revision, state: JSON.stringify(state) });
  }

  return {
    note(done, events, change) {
      for (const key of done) {
        added.delete(key);
        if (stored.has(key)) deleted.add(key);
      }
      for (const { seq, event } of events) if (event.type === "task-planned" || event.type === "spec-revised") cards.set(event.task, seq);
      for (const row of change.projects) projects.set(row.id, row);
      for (const row of change.tasks) tasks.set(row.id, row);
      for (const row of change.attempts) attempts.set(row.id, row);
      for (const row of change.nodes) nodes.set(row.id, row);
      const seq = events.at(-1)?.seq ?? 0;
      for (const effect of change.effects) {
        const key = effectKey(effect);
        if (!added.has(key)) added.set(key, { seq, effect });
      }
    },
    write() {
      for (const key of deleted) queries.deleteEffect.run({ key });
      for (const row of projects.values()) queries.upsertProject.run({ id: row.id, body: JSON.stringify(row) });
      for (const row of tasks.values()) writeTask(row);
      for (const row of attempts.values()) queries.upsertAttempt.run({ id: row.id, body: JSON.stringify(row) });
      for (const row of nodes.values()) queries.upsertNode.run({ id: row.id, body: JSON.stringify(row) });
      for (const [key, { seq, effect }] of added) queries.insertEffect.run({ key, seq, body: JSON.stringify(effect) });
    },
    settled() {
      for (const key of deleted) stored.delete(key);
      for (const key of added.keys()) stored.add(key);
      for (const noted of [projects, tasks, attempts, nodes, cards, added, deleted]) noted.clear();
    },
  };
}
