import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventVersion, noChange, type StoredEvent } from "@dispatch/core";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aSpec, planned } from "../../../test/kit/build-facts.ts";
import { readLog } from "./read-log.ts";
import { createSqliteLedger } from "./sqlite-ledger.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dispatch-log-"));
  file = join(folder, "ledger.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event = (seq: number): StoredEvent => ({ seq, at: seq, v: eventVersion, event: planned(aSpec("S01-a")) });

async function write(...seqs: number[]): Promise<ReturnType<typeof createSqliteLedger>> {
  const ledger = createSqliteLedger(file);
  ledger.load();
  await ledger.append({ events: seqs.map(event), change: noChange, done: [] });
  return ledger;
}

test("all events are read while the ledger is open elsewhere, and the writer is not disturbed", async () => {
  const ledger = await write(1, 2);
  expect(readLog(file)).toEqual([event(1), event(2)]);
  await ledger.append({ events: [event(3)], change: noChange, done: [] });
  expect(readLog(file).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  await ledger.close();
  expect(readLog(file)).toHaveLength(3);
});

test("damaged rows do not matter; a damaged event, another version or another file does", async () => {
  await (await write(1)).close();
  const sqlite = new Database(file);
  sqlite.exec("DROP TABLE task");
  expect(readLog(file)).toHaveLength(1);
  sqlite.exec("UPDATE event SET body = '{'");
  expect(() => readLog(file)).toThrowError(expect.objectContaining({ code: "LEDGER_CORRUPT" }));
  sqlite.pragma("user_version = 99");
  expect(() => readLog(file)).toThrowError(expect.objectContaining({ code: "LEDGER_VERSION" }));
  sqlite.close();
  writeFileSync(file, "this is not a database, but it is long enough to be read as one".repeat(50));
  expect(() => readLog(file)).toThrowError(expect.objectContaining({ code: "LEDGER_CORRUPT" }));
});
