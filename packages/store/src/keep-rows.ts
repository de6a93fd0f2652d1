import { type Commit, noChange, type StoredEvent, type World } from "@dispatch/core";
import type BetterSqlite3 from "better-sqlite3";
import { foldEvent, openWorld } from "./fold-events.ts";
import type { Queries } from "./queries.ts";
import { readPending, readRows } from "./read-rows.ts";
import { renewEffects } from "./renew-effects.ts";
import { createRowWriter } from "./row-writer.ts";
import { projectionVersion } from "./schema.ts";
import { readStoredEvent } from "./stored-event.ts";

/** After so many events the rows are written with the next group. So many are folded again at most when a ledger is opened. */
const eventsBehind = 2048;

/**
 * The rows: a cache of what the log adds up to, so that opening a ledger does not read all of it.
 *
 * 1. A transition writes its event and the keys of the effects that are done, nothing else; the rows follow in bulk.
 * 2. `rows` in meta is the position up to which they are written. Opening folds what came after it.
 * 3. Effects are events' consequences too: those after `rows` are derived again, less the ones that are done.
 */
export interface RowKeeper {
  /** Brings the rows up to the log; does nothing when they are. Call it before anything is noted. */
  catchUp(): void;
  /** A commit that is being written, in the transaction of its group. */
  note(commit: Commit): void;
  /** The end of that transaction: writes the rows when the log is far ahead. */
  endGroup(): void;
  /** When that transaction is on disk. */
  settled(): void;
  /** Writes what is still to be written, unless another process has gone on with the ledger. */
  write(): void;
  read(): World;
}

export function createRowKeeper(sqlite: BetterSqlite3.Database, queries: Queries): RowKeeper {
  const stored = new Set<string>();
  const writer = createRowWriter(queries, stored);
  let caughtUp = false;
  let rows = 0;
  let lastSeq = 0;
  let behind = false;

  function catchUp(): void {
    if (caughtUp) return;
    const meta = new Map(queries.allMeta.all().map((row) => [row.key, row.value]));
    rows = meta.get("rows") ?? 0;
    lastSeq = queries.lastSeq.get()?.seq ?? 0;
    const current = meta.get("projection") === projectionVersion;
    if (!current) renewEffects(sqlite);
    for (const { key } of readPending(queries)) stored.add(key);
    if (!current || rows < lastSeq || queries.allDone.all().length > 0) {
      foldTail(current);
      sqlite.transaction(() => {
        if (!current) sqlite.exec("DELETE FROM project; DELETE FROM task; DELETE FROM attempt; DELETE FROM node;");
        writeNow();
      })();
      writer.settled();
    }
    caughtUp = true;
  }

  /** Notes what the rows lack. Rows of older rules are made anew from the first event; effects up to `rows` are as they were. */
  function foldTail(current: boolean): void {
    const world = current ? readRows(queries) : openWorld();
    const done = queries.allDone.all();
    let next = 0;
    const doneBefore = (seq: number): string[] => {
      const keys: string[] = [];
      for (let mark = done[next]; mark !== undefined && mark.seq < seq; mark = done[++next]) keys.push(mark.key);
      return keys;
    };
    for (const event of readEvents(queries, current ? rows : 0)) {
      const change = foldEvent(world, event) ?? noChange;
      writer.note(doneBefore(event.seq), [event], event.seq > rows ? change : { ...change, effects: [] });
    }
    writer.note(doneBefore(Number.POSITIVE_INFINITY), [], noChange);
  }

  function writeNow(): void {
    writer.write();
    queries.forgetDone.run({});
    queries.setMeta.run({ key: "rows", value: lastSeq });
    queries.setMeta.run({ key: "projection", value: projectionVersion });
    rows = lastSeq;
    behind = false;
  }

  /** Rows are written over only where we left them. The log has a fence of its own. */
  function isAlone(): boolean {
    return (queries.rows.get()?.value ?? 0) === rows && (queries.lastSeq.get()?.seq ?? 0) === lastSeq;
  }

  return {
    catchUp,
    note({ events, done, change }) {
      const position = (events[0]?.seq ?? lastSeq + 1) - 1;
      for (const key of done) queries.insertDone.run({ seq: position, key });
      lastSeq = events.at(-1)?.seq ?? lastSeq;
      writer.note(done, events, change);
      behind = true;
    },
    endGroup() {
      if (lastSeq - rows >= eventsBehind && isAlone()) writeNow();
    },
    settled() {
      if (!behind) writer.settled();
    },
    write() {
      if (!behind || !isAlone()) return;
      sqlite.transaction(writeNow)();
      writer.settled();
    },
    read: () => readRows(queries),
  };
}

function* readEvents(queries: Queries, from: number): Generator<StoredEvent> {
  let after = from;
  for (;;) {
    const page = queries.eventsAfter.all({ after, limit: 1000 });
    for (const row of page) yield readStoredEvent(row);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}
