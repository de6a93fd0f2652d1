import { FactoryError } from "@dispatch/core";
import Database from "better-sqlite3";
import { classifySqliteError } from "./open-database.ts";

/**
 * Holds a factory for this process. The lock is the operating system's lock on a small SQLite file:
 * it vanishes with the process, also after kill -9, so there is never a stale one.
 * Throws DAEMON_RUNNING when another process holds it.
 */
export function holdFactory(file: string): { release(): void } {
  let sqlite: Database.Database;
  try {
    sqlite = new Database(file, { timeout: 0 });
  } catch (error) {
    throw classifySqliteError(error, `opening the lock ${file}`);
  }
  try {
    sqlite.pragma("journal_mode = DELETE");
    sqlite.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    sqlite.close();
    if (error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY")) {
      throw new FactoryError("DAEMON_RUNNING", "a daemon is already running on this factory", {
        fault: "user",
        hint: "use it (dispatch status), or stop it first (dispatch down)",
        cause: error,
      });
    }
    throw classifySqliteError(error, `locking ${file}`);
  }
  return {
    release() {
      sqlite.exec("ROLLBACK");
      sqlite.close();
    },
  };
}
