import { FactoryError } from "@dispatch/core";
import Database from "better-sqlite3";
import { createTables, ledgerVersion } from "./schema.ts";

/**
 * What an acknowledged commit survives. FULL: also a power failure, at one fsync a group.
 * NORMAL: the end of the process, not the end of the machine; only measurements and throw-away ledgers want it.
 */
export type Synchronous = "FULL" | "NORMAL";

/** Opens the ledger file, makes its tables when it is new, and refuses one of another version. */
export function openDatabase(file: string, synchronous: Synchronous): Database.Database {
  let sqlite: Database.Database | undefined;
  try {
    sqlite = new Database(file);
    sqlite.pragma("journal_mode = WAL");
    sqlite.pragma(`synchronous = ${synchronous}`);
    sqlite.pragma("busy_timeout = 2000");
    // A page that is changed often is copied into the file once in 16 MiB of log, not once in 4; the cache holds as much.
    sqlite.pragma("wal_autocheckpoint = 4000");
    sqlite.pragma("cache_size = -16000");
    checkTables(sqlite, file);
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw classifySqliteError(error, `opening the ledger ${file}`);
  }
}

/** Makes the tables of a new ledger; throws LEDGER_VERSION for one of another shape. */
function checkTables(sqlite: Database.Database, file: string): void {
  const isNew = requireVersion(sqlite, file) === "new";
  sqlite.transaction(() => {
    sqlite.exec(createTables);
    if (isNew) sqlite.pragma(`user_version = ${ledgerVersion}`);
  })();
}

/** Throws LEDGER_VERSION for a ledger of another shape than this program's. */
export function requireVersion(sqlite: Database.Database, file: string): "new" | "known" {
  const version = sqlite.pragma("user_version", { simple: true }) as number;
  const tables = sqlite.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table'").get() as { n: number };
  if (tables.n === 0) return "new";
  if (version === ledgerVersion) return "known";
  throw new FactoryError("LEDGER_VERSION", `the ledger ${file} has version ${version}; this program reads version ${ledgerVersion}`, {
    fault: "user",
    hint:
      version > ledgerVersion
        ? "it was written by a newer dispatch: update this one"
        : "run the dispatch that wrote it to the end of its work, or move the file away to start a new ledger",
    facts: { file, version, expected: ledgerVersion },
  });
}

/** What SQLite says of a full disk; SHMSIZE when there is no room for the index of the log, at opening. */
const outOfRoom: ReadonlySet<string> = new Set(["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE", "ENOSPC"]);

/** What a SQLite failure means to the factory. */
export function classifySqliteError(error: unknown, doing: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (outOfRoom.has(code)) {
    return new FactoryError("DISK_FULL", `${doing}: the disk is full or refuses writes`, {
      fault: "dependency",
      retry: "later",
      hint: "free space on the factory's disk, then start the daemon again; nothing that was acknowledged is lost",
      cause: error,
    });
  }
  if (code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "SQLITE_BUSY") {
    return new FactoryError("LEDGER_CONFLICT", `${doing}: another process writes this ledger`, {
      fault: "user",
      hint: "only one daemon may run on a factory; stop the other one (dispatch down), then start again",
      cause: error,
    });
  }
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB") {
    return new FactoryError("LEDGER_CORRUPT", `${doing}: the file is damaged or no ledger`, {
      fault: "dependency",
      hint: "restore it from a backup; the work itself is in the hub repositories under refs/dispatch",
      cause: error,
    });
  }
  if (code === "SQLITE_CANTOPEN" || code === "SQLITE_READONLY") {
    return new FactoryError("FACTORY_MISSING", `${doing}: the file cannot be opened for writing`, {
      fault: "user",
      hint: "check that the folder exists and belongs to you",
      cause: error,
    });
  }
  return error;
}
