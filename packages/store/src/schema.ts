import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Shape of the tables. A ledger with another one is refused, never guessed at; a table that came later is made where it is missing. */
export const ledgerVersion = 3;

/**
 * Version of what the state rows are computed from: raise it when a transition changes its meaning.
 * A ledger with older rows is folded again from its events when it is opened.
 */
export const projectionVersion = 4;

/** `projection`: the version above. `rows`: the position in the log at which the state rows and `effect` were written. */
export const meta = sqliteTable("meta", {
  key: text().primaryKey(),
  value: integer().notNull(),
});

/**
 * The log. The primary key is the fence: a second writer collides with it.
 * It has no second index: one would double the pages of a transition; what one task did is read from the whole log.
 */
export const event = sqliteTable("event", {
  seq: integer().primaryKey(),
  at: integer().notNull(),
  v: integer().notNull(),
  /** Task the event is about, directly or through its attempt. */
  task: text(),
  body: text().notNull(),
});

export const project = sqliteTable("project", { id: text().primaryKey(), body: text().notNull() });

export const task = sqliteTable("task", {
  id: text().primaryKey(),
  /** Position of the event that holds the spec as it is now. */
  card: integer().notNull(),
  plannedAt: integer("planned_at").notNull(),
  revision: integer().notNull(),
  state: text().notNull(),
});

export const attempt = sqliteTable("attempt", { id: text().primaryKey(), body: text().notNull() });

/** Machines about which something was decided. */
export const node = sqliteTable("node", { id: text().primaryKey(), body: text().notNull() });

/** Effects that are committed but not yet done, as of the rows. */
export const effect = sqliteTable("effect", { key: text().primaryKey(), seq: integer().notNull(), body: text().notNull() });

/** Effects that were done since the rows were written: the key, and the position in the log after which it was done. */
export const done = sqliteTable("done", { id: integer().primaryKey(), seq: integer().notNull(), key: text().notNull() });

/** The same tables as SQL; kept next to their drizzle definitions and compared by a test. */
export const createTables = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY NOT NULL, at INTEGER NOT NULL, v INTEGER NOT NULL, task TEXT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS project (id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS task (id TEXT PRIMARY KEY NOT NULL, card INTEGER NOT NULL, planned_at INTEGER NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempt (id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS node (id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effect (key TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS done (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, key TEXT NOT NULL);
`;
