import { FactoryError, type StoredEvent } from "@dispatch/core";
import Database from "better-sqlite3";
import { classifySqliteError, requireVersion } from "./open-database.ts";
import { readStoredEvent } from "./stored-event.ts";

/**
 * All events of a ledger, in order. Writes nothing: it may be asked while a daemon works on the ledger, and of a copy.
 * Throws LEDGER_VERSION or LEDGER_CORRUPT.
 */
export function readLog(file: string): StoredEvent[] {
  let sqlite: Database.Database | undefined;
  try {
    sqlite = new Database(file, { readonly: true, fileMustExist: true });
    if (requireVersion(sqlite, file) === "new") return [];
    const rows = sqlite.prepare("SELECT seq, at, v, body FROM event ORDER BY seq").all();
    return (rows as { seq: number; at: number; v: number; body: string }[]).map(readStoredEvent);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw classifySqliteError(error, `reading the ledger ${file}`);
    throw new FactoryError("LEDGER_CORRUPT", `reading the ledger ${file}: an event is no JSON: ${error.message}`, {
      fault: "dependency",
      hint: "restore it from a backup; the work itself is in the hub repositories under refs/dispatch",
      cause: error,
    });
  } finally {
    sqlite?.close();
  }
}
