import {
  type Attempt,
  type Change,
  evolve,
  FactoryError,
  type NodeRecord,
  type Project,
  type StoredEvent,
  type Task,
  type World,
} from "@dispatch/core";

/** A world that is still being put together. */
export interface OpenWorld extends World {
  projects: Map<string, Project>;
  tasks: Map<string, Task>;
  attempts: Map<string, Attempt>;
  nodes: Map<string, NodeRecord>;
}

export function openWorld(): OpenWorld {
  return { projects: new Map(), tasks: new Map(), attempts: new Map(), nodes: new Map() };
}

/** The world that a log of events adds up to. Throws LEDGER_CORRUPT when an event does not follow from those before it. */
export function foldEvents(events: Iterable<StoredEvent>): World {
  const world = openWorld();
  for (const stored of events) foldEvent(world, stored);
  return world;
}

/** Takes one event more into a world; returns what it changed, or undefined when it changed nothing. */
export function foldEvent(world: OpenWorld, stored: StoredEvent): Change | undefined {
  const evolution = evolve(world, stored.event, stored.at);
  if (evolution.outcome === "stale") return undefined;
  if (evolution.outcome === "illegal") {
    throw new FactoryError("LEDGER_CORRUPT", `event ${stored.seq} (${stored.event.type}) does not follow: ${evolution.because}`, {
      hint: "restore the ledger from a backup and report this, with the event log",
    });
  }
  const { change } = evolution;
  for (const row of change.projects) world.projects.set(row.id, row);
  for (const row of change.tasks) world.tasks.set(row.id, row);
  for (const row of change.attempts) world.attempts.set(row.id, row);
  for (const row of change.nodes) world.nodes.set(row.id, row);
  return change;
}
