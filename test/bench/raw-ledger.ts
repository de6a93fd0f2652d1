import type { Commit, FactoryEvent } from "@dispatch/core";
import Database from "better-sqlite3";
import type { Queries } from "../../packages/store/src/queries.ts";
import { createRowWriter } from "../../packages/store/src/row-writer.ts";
import { createTables } from "../../packages/store/src/schema.ts";

/** The store's statements, with nothing around them, and the order in which values are bound. */
const statements = {
  insertEvent: ["INSERT INTO event (seq, at, v, task, body) VALUES (?, ?, ?, ?, ?)", "seq", "at", "v", "task", "body"],
  insertDone: ["INSERT INTO done (seq, key) VALUES (?, ?)", "seq", "key"],
  deleteEffect: ["DELETE FROM effect WHERE key = ?", "key"],
  upsertProject: ["INSERT INTO project (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body", "id", "body"],
  upsertTask: [
    `INSERT INTO task (id, card, planned_at, revision, state) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET card = excluded.card, revision = excluded.revision, state = excluded.state`,
    "id",
    "card",
    "plannedAt",
    "revision",
    "state",
  ],
  updateTaskState: ["UPDATE task SET state = ? WHERE id = ?", "state", "id"],
  upsertAttempt: ["INSERT INTO attempt (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body", "id", "body"],
  insertEffect: ["INSERT INTO effect (key, seq, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", "key", "seq", "body"],
  forgetDone: ["DELETE FROM done"],
  setMeta: ["INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", "key", "value"],
} as const satisfies Partial<Record<keyof Queries, readonly [string, ...string[]]>>;

type Name = keyof typeof statements;

/** One statement to run and what is bound to it. An object stands for its JSON text, which is made when it is bound. */
export type Step = readonly [Name, ...(string | number | null | object)[]];

const eventsBehind = 2048;

/** What the store runs for these groups: the same statements with the same values, group by group. */
export function stepsOfGroups(groups: readonly (readonly Commit[])[]): Step[][] {
  let open: Step[] = [];
  const record = (name: Name) => ({
    run(values: Readonly<Record<string, string | number | null>>) {
      const [, ...names] = statements[name];
      open.push([name, ...names.map((key) => values[key] ?? null)]);
    },
  });
  const queries = Object.fromEntries(Object.keys(statements).map((name) => [name, record(name as Name)])) as unknown as Queries;
  const writer = createRowWriter(queries, new Set());
  let rows = 0;
  return groups.map((group) => {
    open = [];
    let seq = 0;
    for (const { events, done, change } of group) {
      for (const { seq: at, at: time, v, event } of events) {
        queries.insertEvent.run({ seq: at, at: time, v, task: taskOf(event, change.attempts[0]?.task), body: JSON.stringify(event) });
        seq = at;
      }
      for (const key of done) queries.insertDone.run({ seq: seq - 1, key });
      writer.note(done, events, change);
    }
    if (seq - rows >= eventsBehind) {
      writer.write();
      writer.settled();
      queries.forgetDone.run({});
      queries.setMeta.run({ key: "rows", value: seq });
      queries.setMeta.run({ key: "projection", value: 1 });
      rows = seq;
    }
    return open;
  });
}

/** The same steps with the texts of the rows still to be made. */
export function withTextsToMake(groups: readonly (readonly Step[])[]): Step[][] {
  const asObject = (value: Step[1]) => (typeof value === "string" && value.startsWith("{") ? (JSON.parse(value) as object) : (value ?? null));
  return groups.map((group) => group.map(([name, ...values]): Step => [name, ...values.map(asObject)]));
}

function taskOf(event: FactoryEvent, owner: string | undefined): string | null {
  return "task" in event ? event.task : (owner ?? null);
}

export interface RawLedger {
  /** Runs the statements of a group in one transaction. */
  write(group: readonly Step[]): void;
  close(): void;
}

/** The store's tables, settings and statements with nothing around them. */
export function openRawLedger(file: string, synchronous: "FULL" | "NORMAL"): RawLedger {
  const sqlite = new Database(file);
  sqlite.pragma("journal_mode = WAL");
  sqlite.pragma(`synchronous = ${synchronous}`);
  sqlite.pragma("wal_autocheckpoint = 4000");
  sqlite.pragma("cache_size = -16000");
  sqlite.exec(createTables);
  const prepared = new Map<Name, Database.Statement>();
  for (const [name, [sql]] of Object.entries(statements)) prepared.set(name as Name, sqlite.prepare(sql));
  const write = sqlite.transaction((group: readonly Step[]) => {
    for (const [name, ...values] of group) {
      prepared.get(name)?.run(...values.map((value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : value)));
    }
  });
  return { write: (group) => write.immediate(group), close: () => sqlite.close() };
}
