import { asc, desc, eq, gt, sql } from "drizzle-orm";
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { attempt, effect, event, meta, project, task } from "./schema.ts";

export type Queries = ReturnType<typeof prepareQueries>;

/** Every query of the hot path, prepared once: building one per call costs more than running it. */
export function prepareQueries(db: BetterSQLite3Database) {
  const bound = sql.placeholder;
  return {
    insertEvent: db
      .insert(event)
      .values({ seq: bound("seq"), at: bound("at"), v: bound("v"), task: bound("task"), body: bound("body") })
      .prepare(),
    upsertProject: db
      .insert(project)
      .values({ id: bound("id"), body: bound("body") })
      .onConflictDoUpdate({ target: project.id, set: { body: sql`excluded.body` } })
      .prepare(),
    upsertTask: db
      .insert(task)
      .values({ id: bound("id"), card: bound("card"), plannedAt: bound("plannedAt"), revision: bound("revision"), state: bound("state") })
      .onConflictDoUpdate({ target: task.id, set: { card: sql`excluded.card`, revision: sql`excluded.revision`, state: sql`excluded.state` } })
      .prepare(),
    updateTaskState: db
      .update(task)
      .set({ state: sql`${bound("state")}` })
      .where(eq(task.id, bound("id")))
      .prepare(),
    upsertAttempt: db
      .insert(attempt)
      .values({ id: bound("id"), body: bound("body") })
      .onConflictDoUpdate({ target: attempt.id, set: { body: sql`excluded.body` } })
      .prepare(),
    insertEffect: db
      .insert(effect)
      .values({ key: bound("key"), seq: bound("seq"), body: bound("body") })
      .onConflictDoNothing()
      .prepare(),
    deleteEffect: db
      .delete(effect)
      .where(eq(effect.key, bound("key")))
      .prepare(),
    setMeta: db
      .insert(meta)
      .values({ key: bound("key"), value: bound("value") })
      .onConflictDoUpdate({ target: meta.key, set: { value: sql`excluded.value` } })
      .prepare(),
    allProjects: db.select().from(project).prepare(),
    allTasks: db
      .select({ id: task.id, plannedAt: task.plannedAt, revision: task.revision, state: task.state, seq: event.seq, at: event.at, v: event.v, body: event.body })
      .from(task)
      .innerJoin(event, eq(event.seq, task.card))
      .orderBy(asc(task.plannedAt), asc(task.id))
      .prepare(),
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
    eventsOfTask: db
      .select()
      .from(event)
      .where(eq(event.task, bound("task")))
      .orderBy(asc(event.seq))
      .prepare(),
  };
}
