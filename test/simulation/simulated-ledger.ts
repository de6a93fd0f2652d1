import {
  type Attempt,
  type AttemptId,
  type Commit,
  effectKey,
  FactoryError,
  type Ledger,
  type NodeRecord,
  type PendingEffect,
  type Project,
  type StoredEvent,
  type Task,
} from "@dispatch/core";
import type { Life } from "./life.ts";
import type { Timeline } from "./timeline.ts";

/** What was durable when the last process died, and the ledgers that processes open on it. */
export interface SimulatedLedger {
  readonly events: readonly StoredEvent[];
  readonly projects: ReadonlyMap<string, Project>;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly attempts: ReadonlyMap<AttemptId, Attempt>;
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  readonly pending: ReadonlyMap<string, PendingEffect>;
  /** Facts that processes handed in, durable or not. */
  recorded(): number;
  /** Something was handed in that is not durable yet. */
  unwritten(): boolean;
  /** No room on the disk: the next group fails, and the process with it. */
  full: boolean;
  open(life: Life): Ledger;
}

/** Group commit as the real ledger has it: what was handed in during a turn is written at its end, whole or not at all. */
export function createSimulatedLedger(timeline: Timeline): SimulatedLedger {
  const events: StoredEvent[] = [];
  const projects = new Map<string, Project>();
  const tasks = new Map<string, Task>();
  const attempts = new Map<string, Attempt>();
  const nodes = new Map<string, NodeRecord>();
  const pending = new Map<string, PendingEffect>();
  let recorded = 0;
  let written = 0;

  function write({ events: added, change, done }: Commit): void {
    for (const event of added) {
      if (event.seq !== events.length + 1) throw new Error(`fact ${event.seq} was written after ${events.length}`);
      events.push(event);
    }
    for (const row of change.projects) projects.set(row.id, row);
    for (const row of change.tasks) tasks.set(row.id, row);
    for (const row of change.attempts) attempts.set(row.id, row);
    for (const row of change.nodes) nodes.set(row.id, row);
    for (const effect of change.effects) {
      const key = effectKey(effect);
      if (!pending.has(key)) pending.set(key, { key, effect });
    }
    for (const key of done) pending.delete(key);
  }

  const ledger: SimulatedLedger = {
    events,
    projects,
    tasks,
    attempts,
    nodes,
    pending,
    recorded: () => recorded,
    unwritten: () => written < recorded,
    full: false,
    open(life) {
      // What a dead process handed in is gone.
      written = recorded;
      let group: Commit[] | undefined;
      let settled: Promise<void> = Promise.resolve();
      let broken: FactoryError | undefined;
      return {
        load: () => ({
          // In which order rows are read is nobody's promise.
          world: { projects: reversed(projects), tasks: reversed(tasks), attempts: reversed(attempts), nodes: reversed(nodes) },
          lastSeq: events.length,
          pending: [...pending.values()],
        }),
        append(commit) {
          if (broken !== undefined) return Promise.reject(broken);
          if (!life.alive) return new Promise(() => {});
          recorded += 1;
          if (group !== undefined) {
            group.push(commit);
            return settled;
          }
          const commits = [commit];
          group = commits;
          settled = new Promise((resolve, reject) => {
            timeline.atTurnEnd("the ledger writes what was recorded in this turn", () => {
              group = undefined;
              if (ledger.full) {
                broken = new FactoryError("DISK_FULL", "no room for the ledger", { retry: "later" });
                reject(broken);
                return;
              }
              for (const one of commits) write(one);
              written += commits.length;
              resolve();
            });
          });
          return settled;
        },
        readEvents: (after, limit) => events.slice(after, after + limit),
        close: () => Promise.resolve(),
      };
    },
  };
  return ledger;
}

function reversed<T>(rows: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...rows].reverse());
}
