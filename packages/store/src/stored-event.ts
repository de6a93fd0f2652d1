import {
  type Candidate,
  type CarId,
  type CommandResult,
  eventVersion,
  FactoryError,
  type FactoryEvent,
  type Finding,
  laterSpecFields,
  type Oid,
  type ProjectId,
  type StoredEvent,
  splitTaskId,
  type TaskId,
} from "@dispatch/core";

/** An event as it was stored, completed when an older program wrote it. One of a version that this program does not know refuses to load. */
export function readStoredEvent(row: { seq: number; at: number; v: number; body: string }): StoredEvent {
  const event = JSON.parse(row.body) as FactoryEvent;
  const { seq, at } = row;
  if (row.v === eventVersion) return { seq, at, v: eventVersion, event };
  // Version 2 knew nothing of what is decided about nodes; what it knew is as it was.
  if (row.v === 1 || row.v === 2 || row.v === 3) return { seq, at, v: eventVersion, event: completeSpec(asCar(event)) };
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

/** Until version 3 each branch landed by itself, one at a time. */
type LandingByItself =
  | { type: "landing-planned"; task: TaskId }
  | { type: "candidate-built"; task: TaskId; candidate: Candidate; notes?: readonly Finding[] }
  | { type: "candidate-verified"; task: TaskId; candidate: Candidate; verify: readonly CommandResult[] }
  | { type: "landing-deferred"; task: TaskId; because: string; main: Oid };

/** The same as a car of one branch, named for its task. */
function asCar(stored: FactoryEvent | LandingByItself): FactoryEvent {
  if (stored.type === "landing-planned") return { type: "car-planned", ...carOf(stored.task), kind: "car", members: [stored.task], ahead: [] };
  if (stored.type === "candidate-built") {
    const { task, candidate, notes } = stored;
    return { type: "car-built", ...carOf(task), members: [task], candidate, ...(notes === undefined ? {} : { notes }) };
  }
  if (stored.type === "candidate-verified") {
    const { task, candidate, verify } = stored;
    return { type: "car-passed", ...carOf(task), candidate, run: task, gateHash: "", verify };
  }
  if (stored.type === "landing-deferred") return { type: "car-dropped", ...carOf(stored.task), because: stored.because, main: stored.main };
  return stored;
}

function carOf(task: TaskId): { project: ProjectId; car: CarId } {
  return { project: splitTaskId(task).project, car: task };
}
