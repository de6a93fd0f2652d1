import { type Commit, effectKey, type FactoryEvent } from "@dispatch/core";
import Database from "better-sqlite3";
import { createTables } from "../../packages/store/src/schema.ts";

/** One statement to run: its index and what is bound to it. */
export type Step = readonly [statement: number, ...values: unknown[]];

export const statements = [
  "DELETE FROM effect WHERE key = ?",
  "INSERT INTO event (seq, at, v, task, body) VALUES (?, ?, ?, ?, ?)",
  "INSERT INTO project (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
  `INSERT INTO task (id, card, planned_at, revision, state) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET card = excluded.card, revision = excluded.revision, state = excluded.state`,
  "UPDATE task SET state = ? WHERE id = ?",
  "INSERT INTO attempt (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
  "INSERT INTO effect (key, seq, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
];

/** The statements that the store runs for a commit of one event. */
export function stepsOf(commit: Commit): Step[] {
  const { events, change, done } = commit;
  const seq = events.at(-1)?.seq ?? 0;
  const plans = events[0]?.event.type === "task-planned";
  return [
    ...done.map((key): Step => [0, key]),
    ...events.map((stored): Step => [1, stored.seq, stored.at, stored.v, taskOf(stored.event, commit), JSON.stringify(stored.event)]),
    ...change.projects.map((row): Step => [2, row.id, JSON.stringify(row)]),
    ...change.tasks.map(({ id, plannedAt, revision, state }): Step => {
      return plans ? [3, id, seq, plannedAt, revision, JSON.stringify(state)] : [4, JSON.stringify(state), id];
    }),
    ...change.attempts.map((row): Step => [5, row.id, JSON.stringify(row)]),
    ...change.effects.map((row): Step => [6, effectKey(row), seq, JSON.stringify(row)]),
  ];
}

function taskOf(event: FactoryEvent, commit: Commit): string | null {
  if ("task" in event) return event.task;
  return "attempt" in event ? (commit.change.attempts[0]?.task ?? null) : null;
}

export interface RawLedger {
  /** Runs the statements of a group in one transaction. */
  write(group: readonly Step[]): void;
  close(): void;
}

/** The store's tables and statements with nothing around them. */
export function openRawLedger(file: string, synchronous: "FULL" | "NORMAL"): RawLedger {
  const sqlite = new Database(file);
  sqlite.pragma("journal_mode = WAL");
  sqlite.pragma(`synchronous = ${synchronous}`);
  sqlite.pragma("wal_autocheckpoint = 4000");
  sqlite.pragma("cache_size = -16000");
  sqlite.exec(createTables);
  const prepared = statements.map((sql) => sqlite.prepare(sql));
  const write = sqlite.transaction((group: readonly Step[]) => {
    for (const [index, ...values] of group) prepared[index]?.run(...values);
  });
  return { write: (group) => write.immediate(group), close: () => sqlite.close() };
}
