import {
  type Attempt,
  type Change,
  type Commit,
  type Effect,
  effectKey,
  emptyWorld,
  evolve,
  FactoryError,
  type FactoryEvent,
  type Ledger,
  type PendingEffect,
  type Project,
  type StoredEvent,
  splitTaskId,
  type Task,
  type TaskState,
  type World,
} from "@dispatch/core";
import type BetterSqlite3 from "better-sqlite3";
import { classifySqliteError, openDatabase, type Synchronous } from "./open-database.ts";
import { prepareQueries, type Queries } from "./queries.ts";
import { projectionVersion } from "./schema.ts";
import { readStoredEvent } from "./stored-event.ts";

/** The event that holds a task's spec as it is now: where it is in the log. */
type Cards = Map<string, number>;

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
  const owners = new Map<string, string>();
  let group: Group | undefined;
  let broken: unknown;

  const writeGroup = sqlite.transaction((commits: readonly Commit[]) => {
    for (const commit of commits) writeCommit(queries, commit, owners);
  });

  function flush(): void {
    const current = group;
    if (current === undefined) return;
    group = undefined;
    try {
      if (broken !== undefined) throw broken;
      writeGroup.immediate(current.commits);
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
      if (queries.projection.get()?.value !== projectionVersion) rebuildRows(sqlite, queries);
      const world = readWorld(queries, owners);
      return { world, lastSeq: queries.lastSeq.get()?.seq ?? 0, pending: readPending(queries) };
    },
    append(commit) {
      if (broken !== undefined) return Promise.reject(broken);
      group ??= newGroup();
      group.commits.push(commit);
      return group.settled;
    },
    readEvents: (afterSeq, limit) => queries.eventsAfter.all({ after: afterSeq, limit }).map(readStoredEvent),
    readTaskEvents: (id) => queries.eventsOfTask.all({ task: id }).map(readStoredEvent),
    async close() {
      const last = group?.settled;
      flush();
      await last;
      sqlite.close();
    },
  };
}

function writeCommit(queries: Queries, commit: Commit, owners: Map<string, string>): void {
  for (const key of commit.done) queries.deleteEffect.run({ key });
  for (const row of commit.change.attempts) owners.set(row.id, row.task);
  const cards: Cards = new Map();
  for (const stored of commit.events) {
    const { seq, at, v, event } = stored;
    queries.insertEvent.run({ seq, at, v, task: taskOf(event, owners), body: JSON.stringify(event) });
    noteCard(cards, stored);
  }
  writeChange(queries, commit.change, commit.events.at(-1)?.seq ?? 0, cards);
}

function noteCard(cards: Cards, { seq, event }: StoredEvent): void {
  if (event.type === "task-planned" || event.type === "spec-revised") cards.set(event.task, seq);
}

/** `cards` names the tasks whose spec is new; of all others only the state is written. */
function writeChange(queries: Queries, change: Change, seq: number, cards: Cards): void {
  for (const row of change.projects) queries.upsertProject.run({ id: row.id, body: JSON.stringify(row) });
  for (const { id, plannedAt, revision, state } of change.tasks) {
    const card = cards.get(id);
    if (card === undefined) queries.updateTaskState.run({ id, state: JSON.stringify(state) });
    else queries.upsertTask.run({ id, card, plannedAt, revision, state: JSON.stringify(state) });
  }
  for (const row of change.attempts) queries.upsertAttempt.run({ id: row.id, body: JSON.stringify(row) });
  for (const row of change.effects) queries.insertEffect.run({ key: effectKey(row), seq, body: JSON.stringify(row) });
}

function taskOf(fact: FactoryEvent, owners: ReadonlyMap<string, string>): string | null {
  if ("task" in fact) return fact.task;
  if ("attempt" in fact) return owners.get(fact.attempt) ?? null;
  return null;
}

function readWorld(queries: Queries, owners: Map<string, string>): World {
  const projects = new Map<string, Project>();
  const tasks = new Map<string, Task>();
  const attempts = new Map<string, Attempt>();
  for (const row of queries.allProjects.all()) projects.set(row.id, JSON.parse(row.body) as Project);
  for (const row of queries.allTasks.all()) tasks.set(row.id, readTask(row));
  for (const row of queries.allAttempts.all()) {
    const found = JSON.parse(row.body) as Attempt;
    owners.set(found.id, found.task);
    attempts.set(found.id, found);
  }
  return { projects, tasks, attempts };
}

function readTask(row: ReturnType<Queries["allTasks"]["all"]>[number]): Task {
  const { event } = readStoredEvent(row);
  if (event.type !== "task-planned" && event.type !== "spec-revised") {
    throw new FactoryError("LEDGER_CORRUPT", `event ${row.seq} should hold the spec of ${row.id} but is ${event.type}`, {
      hint: "restore the ledger from a backup and report this, with the event log",
    });
  }
  const { spec, digest, text, path } = event;
  const { id, plannedAt, revision } = row;
  return { id, project: splitTaskId(id).project, spec, digest, text, path, revision, plannedAt, state: JSON.parse(row.state) as TaskState };
}

function readPending(queries: Queries): PendingEffect[] {
  return queries.allEffects.all().map((row) => ({ key: row.key, effect: JSON.parse(row.body) as Effect }));
}

/** Folds the whole log again. Effects are not derived again: the outbox keeps what is still to be done. */
function rebuildRows(sqlite: BetterSqlite3.Database, queries: Queries): void {
  sqlite.transaction(() => {
    sqlite.exec("DELETE FROM project; DELETE FROM task; DELETE FROM attempt;");
    const cards: Cards = new Map();
    const world = foldEvents(notingCards(readAll(queries), cards));
    const { projects, tasks, attempts } = world;
    writeChange(queries, { projects: [...projects.values()], tasks: [...tasks.values()], attempts: [...attempts.values()], effects: [] }, 0, cards);
    queries.setMeta.run({ key: "projection", value: projectionVersion });
  })();
}

function* notingCards(events: Iterable<StoredEvent>, cards: Cards): Generator<StoredEvent> {
  for (const stored of events) {
    noteCard(cards, stored);
    yield stored;
  }
}

function* readAll(queries: Queries): Generator<StoredEvent> {
  let after = 0;
  for (;;) {
    const page = queries.eventsAfter.all({ after, limit: 1000 });
    for (const row of page) yield readStoredEvent(row);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

/** The world that a log of events adds up to. Throws LEDGER_CORRUPT when an event does not follow from those before it. */
export function foldEvents(events: Iterable<StoredEvent>): World {
  const empty = emptyWorld();
  const projects = new Map(empty.projects);
  const tasks = new Map(empty.tasks);
  const attempts = new Map(empty.attempts);
  const world: World = { projects, tasks, attempts };
  for (const stored of events) {
    const evolution = evolve(world, stored.event, stored.at);
    if (evolution.outcome === "stale") continue;
    if (evolution.outcome === "illegal") {
      throw new FactoryError("LEDGER_CORRUPT", `event ${stored.seq} (${stored.event.type}) does not follow: ${evolution.because}`, {
        hint: "restore the ledger from a backup and report this, with the event log",
      });
    }
    for (const row of evolution.change.projects) projects.set(row.id, row);
    for (const row of evolution.change.tasks) tasks.set(row.id, row);
    for (const row of evolution.change.attempts) attempts.set(row.id, row);
  }
  return world;
}
