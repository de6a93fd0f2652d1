import { noChange, type StoredEvent } from "@dispatch/core";
import { createSqliteLedger, foldEvents } from "@dispatch/store";
import Database from "better-sqlite3";
import { milliseconds } from "./benchmark.ts";
import { ended, landed, payloadOf, placed, projectStarted } from "./ledger-facts.ts";
import { keeperOn } from "./ledger-lanes.ts";

const tasks = 10_000;

/**
 * A log of 100,001 events (10,000 tasks from planned to merged): folding it, opening a ledger whose rows
 * are of another version (fold and write the rows), opening it again, and reading its rows (a task's with the event that holds its spec) with noChange around.
 */
export async function rebuildTimes(file: string): Promise<{ rebuildMs: number; foldMs: number; loadMs: number; rowsMs: number }> {
  const events = await writeLog(file);
  const foldMs = await milliseconds(() => foldEvents(events));
  const rebuildMs = await timeLoad(file);
  const loadMs = await timeLoad(file);
  const sqlite = new Database(file, { readonly: true });
  const rowsMs = await milliseconds(() => {
    for (const table of ["project", "attempt", "effect"]) sqlite.prepare(`SELECT * FROM ${table}`).all();
    sqlite.prepare("SELECT * FROM task JOIN event ON event.seq = task.card").all();
  });
  sqlite.close();
  return { rebuildMs, foldMs, loadMs, rowsMs };
}

async function writeLog(file: string): Promise<StoredEvent[]> {
  const ledger = createSqliteLedger(file, { synchronous: "NORMAL" });
  const keeper = keeperOn(ledger);
  const events: StoredEvent[] = [...keeper.record([projectStarted]).stored];
  for (let i = 0; i < tasks; i++) {
    const { task } = payloadOf(i);
    const facts = [payloadOf(i), placed(task), ended(task), ...landed(task).map((step) => step.event)];
    events.push(...keeper.record(facts).stored);
  }
  await ledger.append({ events: [], change: noChange, done: [] });
  await ledger.close();
  if (events.length !== tasks * 10 + 1) throw new Error(`the log has ${events.length} events`);
  forgetRows(file);
  return events;
}

/** As after an update of the program that computes the rows anew. */
function forgetRows(file: string): void {
  const sqlite = new Database(file);
  sqlite.prepare("UPDATE meta SET value = 0 WHERE key = 'projection'").run();
  sqlite.close();
}

async function timeLoad(file: string): Promise<number> {
  let found = 0;
  const ms = await milliseconds(async () => {
    const ledger = createSqliteLedger(file);
    found = ledger.load().world.tasks.size;
    await ledger.close();
  });
  if (found !== tasks) throw new Error(`${found} tasks were loaded`);
  return ms;
}
