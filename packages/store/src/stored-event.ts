import { FactoryError, type FactoryEvent, type StoredEvent } from "@dispatch/core";

/** An event as it was stored. One of a version that this program does not know refuses to load. */
export function readStoredEvent(row: { seq: number; at: number; v: number; body: string }): StoredEvent {
  if (row.v !== 1) {
    throw new FactoryError("LEDGER_VERSION", `event ${row.seq} has version ${row.v}; this program reads version 1`, {
      fault: "user",
      hint: "the ledger was written by a newer dispatch: update this one",
    });
  }
  return { seq: row.seq, at: row.at, v: 1, event: JSON.parse(row.body) as FactoryEvent };
}
