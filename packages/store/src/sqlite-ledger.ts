import type { Commit, FactoryEvent, Ledger } from "@dispatch/core";
import { createRowKeeper } from "./keep-rows.ts";
import { classifySqliteError, openDatabase, type Synchronous } from "./open-database.ts";
import { prepareQueries } from "./queries.ts";
import { readPending } from "./read-rows.ts";
import { readStoredEvent } from "./stored-event.ts";

interface Group {
  commits: Commit[];
  settled: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * The ledger in one SQLite file. Commits of one turn of the event loop are one transaction,
 * fsynced once; the promise of each settles after that.
 */
export function createSqliteLedger(file: string, options: { synchronous?: Synchronous } = {}): Ledger {
  const sqlite = openDatabase(file, options.synchronous ?? "FULL");
  const queries = prepareQueries(sqlite);
  const rows = createRowKeeper(sqlite, queries);
  const owners = new Map<string, string>();
  let group: Group | undefined;
  let broken: unknown;

  const writeGroup = sqlite.transaction((commits: readonly Commit[]) => {
    for (const commit of commits) {
      for (const row of commit.change.attempts) owners.set(row.id, row.task);
      for (const { seq, at, v, event } of commit.events) {
        queries.insertEvent.run({ seq, at, v, task: taskOf(event, owners), body: JSON.stringify(event) });
      }
      rows.note(commit);
    }
    rows.endGroup();
  });

  function flush(): void {
    const current = group;
    if (current === undefined) return;
    group = undefined;
    try {
      if (broken !== undefined) throw broken;
      rows.catchUp();
      writeGroup.immediate(current.commits);
      rows.settled();
      current.resolve();
    } catch (error) {
      broken = classifySqliteError(error, "writing the ledger");
      current.reject(broken);
    }
  }

  function newGroup(): Group {
    let resolve: () => void = () => {};
    let reject: (error: unknown) => void = () => {};
    const settled = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    setImmediate(flush);
    return { commits: [], settled, resolve, reject };
  }

  return {
    load() {
      rows.catchUp();
      if (broken === undefined) rows.write();
      const world = rows.read();
      for (const attempt of world.attempts.values()) owners.set(attempt.id, attempt.task);
      return { world, lastSeq: queries.lastSeq.get()?.seq ?? 0, pending: readPending(queries) };
    },
    append(commit) {
      if (broken !== undefined) return Promise.reject(broken);
      group ??= newGroup();
      group.commits.push(commit);
      return group.settled;
    },
    readEvents: (afterSeq, limit) => queries.eventsAfter.all({ after: afterSeq, limit }).map(readStoredEvent),
    async close() {
      const last = group?.settled;
      flush();
      try {
        await last;
        if (broken === undefined) rows.write();
      } finally {
        sqlite.close();
      }
    },
  };
}

function taskOf(fact: FactoryEvent, owners: ReadonlyMap<string, string>): string | null {
  if ("task" in fact) return fact.task;
  if ("attempt" in fact) return owners.get(fact.attempt) ?? null;
  return null;
}
