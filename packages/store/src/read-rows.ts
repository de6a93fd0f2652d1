import {
  type Attempt,
  type Effect,
  FactoryError,
  type NodeRecord,
  type PendingEffect,
  type Project,
  splitTaskId,
  type Task,
  type TaskState,
} from "@dispatch/core";
import { type OpenWorld, openWorld } from "./fold-events.ts";
import type { Queries } from "./queries.ts";
import { readStoredEvent } from "./stored-event.ts";

/** The world as its rows have it: as it was after the event at which the rows were written. */
export function readRows(queries: Queries): OpenWorld {
  const world = openWorld();
  for (const row of queries.allProjects.all()) world.projects.set(row.id, JSON.parse(row.body) as Project);
  for (const row of queries.allTasks.all()) world.tasks.set(row.id, readTask(row));
  for (const row of queries.allAttempts.all()) world.attempts.set(row.id, JSON.parse(row.body) as Attempt);
  for (const row of queries.allNodes.all()) world.nodes.set(row.id, JSON.parse(row.body) as NodeRecord);
  return world;
}

export function readPending(queries: Queries): PendingEffect[] {
  return queries.allEffects.all().map((row) => ({ key: row.key, effect: JSON.parse(row.body) as Effect }));
}

function readTask(row: ReturnType<Queries["allTasks"]["all"]>[number]): Task {
  const { event } = readStoredEvent(row);
  if (event.type !== "task-planned" && event.type !== "spec-revised") {
    throw new FactoryError("LEDGER_CORRUPT", `event ${row.seq} should hold the spec of ${row.id} but is ${event.type}`, {
      hint: "restore the ledger from a backup and report this, with the event log",
    });
  }
  const { spec, digest, text, path } = event;
  const { id, plannedAt, revision } = row;
  return { id, project: splitTaskId(id).project, spec, digest, text, path, revision, plannedAt, state: JSON.parse(row.state) as TaskState };
}
