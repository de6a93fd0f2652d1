import type BetterSqlite3 from "better-sqlite3";
import { asc, desc, eq, gt, sql } from "drizzle-orm";
import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import { prepareWrite } from "./prepare-write.ts";
import { attempt, done, effect, event, meta, node, project, task } from "./schema.ts";

export type Queries = ReturnType<typeof prepareQueries>;

/** Every query, prepared once: building one per call costs more than running it. */
export function prepareQueries(sqlite: BetterSqlite3.Database) {
  const db = drizzle(sqlite);
  return { ...prepareLogWrites(sqlite, db), ...prepareRowWrites(sqlite, db), ...prepareReads(db) };
}

const bound = sql.placeholder;

function prepareLogWrites(sqlite: BetterSqlite3.Database, db: BetterSQLite3Database) {
  return {
    insertEvent: prepareWrite<"seq" | "at" | "v" | "task" | "body">(
      sqlite,
      db.insert(event).values({ seq: bound("seq"), at: bound("at"), v: bound("v"), task: bound("task"), body: bound("body") }),
    ),
    insertEffect: prepareWrite<"key" | "seq" | "body">(
      sqlite,
      db
        .insert(effect)
        .values({ key: bound("key"), seq: bound("seq"), body: bound("body") })
        .onConflictDoNothing(),
    ),
    deleteEffect: prepareWrite<"key">(sqlite, db.delete(effect).where(eq(effect.key, bound("key")))),
    insertDone: prepareWrite<"seq" | "key">(sqlite, db.insert(done).values({ seq: bound("seq"), key: bound("key") })),
    forgetDone: prepareWrite<never>(sqlite, db.delete(done)),
    setMeta: prepareWrite<"key" | "value">(
      sqlite,
      db
        .insert(meta)
        .values({ key: bound("key"), value: bound("value") })
        .onConflictDoUpdate({ target: meta.key, set: { value: sql`excluded.value` } }),
    ),
  };
}

function prepareRowWrites(sqlite: BetterSqlite3.Database, db: BetterSQLite3Database) {
  return {
    upsertProject: prepareWrite<"id" | "body">(
      sqlite,
      db
        .insert(project)
        .values({ id: bound("id"), body: bound("body") })
        .onConflictDoUpdate({ target: project.id, set: { body: sql`excluded.body` } }),
    ),
    upsertTask: prepareWrite<"id" | "card" | "plannedAt" | "revision" | "state">(
      sqlite,
      db
        .insert(task)
        .values({ id: bound("id"), card: bound("card"), plannedAt: bound("plannedAt"), revision: bound("revision"), state: bound("state") })
        .onConflictDoUpdate({ target: task.id, set: { card: sql`excluded.card`, revision: sql`excluded.revision`, state: sql`excluded.state` } }),
    ),
    updateTaskState: prepareWrite<"id" | "state">(
      sqlite,
      db
        .update(task)
        .set({ state: sql`${bound("state")}` })
        .where(eq(task.id, bound("id"))),
    ),
    upsertNode: prepareWrite<"id" | "body">(
      sqlite,
      db
        .insert(node)
        .values({ id: bound("id"), body: bound("body") })
        .onConflictDoUpdate({ target: node.id, set: { body: sql`excluded.body` } }),
    ),
    upsertAttempt: prepareWrite<"id" | "body">(
      sqlite,
      db
        .insert(attempt)
        .values({ id: bound("id"), body: bound("body") })
        .onConflictDoUpdate({ target: attempt.id, set: { body: sql`excluded.body` } }),
    ),
  };
}

function prepareReads(db: BetterSQLite3Database) {
  const { seq, at, v, body } = event;
  const { id, plannedAt, revision, state } = task;
  return {
    allMeta: db.select().from(meta).prepare(),
    rows: db.select().from(meta).where(sql`${meta.key} = 'rows'`).prepare(),
    allDone: db.select().from(done).orderBy(asc(done.id)).prepare(),
    allProjects: db.select().from(project).prepare(),
    allTasks: db
      .select({ id, plannedAt, revision, state, seq, at, v, body })
      .from(task)
      .innerJoin(event, eq(event.seq, task.card))
      .orderBy(asc(task.plannedAt), asc(task.id))
      .prepare(),
    allNodes: db.select().from(node).prepare(),
    allAttempts: db.select().from(attempt).prepare(),
    allEffects: db.select().from(effect).orderBy(asc(effect.seq)).prepare(),
    lastSeq: db.select({ seq: event.seq }).from(event).orderBy(desc(event.seq)).limit(1).prepare(),
    eventsAfter: db
      .select()
      .from(event)
      .where(gt(event.seq, bound("after")))
      .orderBy(asc(event.seq))
      .limit(bound("limit"))
      .prepare(),
  };
}
