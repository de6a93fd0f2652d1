export { holdFactory } from "./factory-lock.ts";
export { createSqliteLedger, foldEvents } from "./sqlite-ledger.ts";
