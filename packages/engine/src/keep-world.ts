import { type Change, type Commit, eventVersion, evolve, type FactoryEvent, type StoredEvent, type World } from "@dispatch/core";
import type { EnginePorts } from "./ports.ts";

/** What became of recorded events. */
export interface Recorded {
  stored: readonly StoredEvent[];
  change: Change;
  /** Settles when all of it is on disk. */
  durable: Promise<void>;
}

/** The world in memory, and the one way to change it: by recording facts. */
export interface WorldKeeper {
  readonly world: World;
  /**
   * Applies facts in order and hands them to the ledger's group of this turn. Stale facts are left out.
   * A fact that cannot follow is a defect and throws before anything of the call is applied or stored.
   */
  record(events: readonly FactoryEvent[], done?: readonly string[]): Recorded;
}

/** `start` is what the ledger held when it was opened. `onChange` is told of every change before anybody else can see it. */
export function keepWorld(
  ports: Pick<EnginePorts, "ledger" | "clock" | "log" | "at">,
  start: { world: World; lastSeq: number },
  onChange: (change: Change) => void = () => {},
): WorldKeeper {
  const projects = new Map(start.world.projects);
  const tasks = new Map(start.world.tasks);
  const attempts = new Map(start.world.attempts);
  const nodes = new Map(start.world.nodes);
  const world: World = { projects, tasks, attempts, nodes };
  let lastSeq = start.lastSeq;

  /** Puts a change into the maps; returns how to take it out again, where it may come to that. */
  function apply(change: Change, mayUndo: boolean): (() => void) | undefined {
    const before = mayUndo
      ? [remember(projects, change.projects), remember(tasks, change.tasks), remember(attempts, change.attempts), remember(nodes, change.nodes)]
      : undefined;
    for (const row of change.projects) projects.set(row.id, row);
    for (const row of change.tasks) tasks.set(row.id, row);
    for (const row of change.attempts) attempts.set(row.id, row);
    for (const row of change.nodes) nodes.set(row.id, row);
    return before === undefined
      ? undefined
      : () => {
          for (const restore of before) restore();
        };
  }

  return {
    world,
    record(events, done = []) {
      const at = ports.clock.now();
      const stored: StoredEvent[] = [];
      const changes: Change[] = [];
      const before = lastSeq;
      const undo: (() => void)[] = [];
      for (const event of events) {
        const evolution = evolve(world, event, at);
        if (evolution.outcome === "stale") {
          ports.log.debug({ type: event.type, because: evolution.because }, "stale fact ignored");
          continue;
        }
        if (evolution.outcome === "illegal") {
          for (const restore of undo.reverse()) restore();
          lastSeq = before;
          throw new Error(`${event.type} cannot follow: ${evolution.because}`);
        }
        lastSeq += 1;
        stored.push({ seq: lastSeq, at, v: eventVersion, event });
        changes.push(evolution.change);
        const restore = apply(evolution.change, events.length > 1);
        if (restore !== undefined) undo.push(restore);
      }
      const change = mergeChanges(changes);
      onChange(change);
      if (stored.length === 0 && done.length === 0) return { stored, change, durable: Promise.resolve() };
      const commit: Commit = { events: stored, change, done };
      ports.at("commit:before");
      const durable = ports.ledger.append(commit).then(() => ports.at("commit:after"));
      return { stored, change, durable };
    },
  };
}

/** How a map's rows are put back as they are now. */
function remember<T extends { id: string }>(map: Map<string, T>, rows: readonly T[]): () => void {
  const old = rows.map((row): [string, T | undefined] => [row.id, map.get(row.id)]);
  return () => {
    for (const [id, row] of old) {
      if (row === undefined) map.delete(id);
      else map.set(id, row);
    }
  };
}

/** Several changes as one: of each entity the last state counts. */
function mergeChanges(changes: readonly Change[]): Change {
  const only = changes[0];
  if (changes.length === 1 && only !== undefined) return only;
  const latest = <T extends { id: string }>(lists: readonly (readonly T[])[]): T[] => [...new Map(lists.flat().map((row) => [row.id, row])).values()];
  return {
    projects: latest(changes.map((change) => change.projects)),
    tasks: latest(changes.map((change) => change.tasks)),
    attempts: latest(changes.map((change) => change.attempts)),
    nodes: latest(changes.map((change) => change.nodes)),
    effects: changes.flatMap((change) => change.effects),
  };
}
