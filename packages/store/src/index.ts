export { holdFactory } from "./factory-lock.ts";
export { foldEvents } from "./fold-events.ts";
export { readLog } from "./read-log.ts";
export { createSqliteLedger } from "./sqlite-ledger.ts";
