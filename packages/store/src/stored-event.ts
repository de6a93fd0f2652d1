import { eventVersion, FactoryError, type FactoryEvent, laterSpecFields, type StoredEvent } from "@dispatch/core";

/** An event as it was stored, completed when an older program wrote it. One of a version that this program does not know refuses to load. */
export function readStoredEvent(row: { seq: number; at: number; v: number; body: string }): StoredEvent {
  const event = JSON.parse(row.body) as FactoryEvent;
  const { seq, at } = row;
  if (row.v === eventVersion) return { seq, at, v: eventVersion, event };
  // Version 2 knew nothing of what is decided about nodes; what it knew is as it was.
  if (row.v === 1 || row.v === 2 || row.v === 3) return { seq, at, v: eventVersion, event: completeSpec(event) };
  throw new FactoryError("LEDGER_VERSION", `event ${seq} has version ${row.v}; this program reads versions 1 to ${eventVersion}`, {
    fault: "user",
    hint: "the ledger was written by a newer dispatch: update this one",
  });
}

/** Specs of version 1 knew neither resources nor where they came from; up to version 3 they kept nothing of what shows them. */
function completeSpec(event: FactoryEvent): FactoryEvent {
  if (event.type !== "task-planned" && event.type !== "spec-revised") return event;
  return { ...event, spec: { ...laterSpecFields, ...event.spec } };
}
