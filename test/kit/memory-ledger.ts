import {
  type Change,
  type Commit,
  effectKey,
  emptyWorld,
  type Ledger,
  type PendingEffect,
  type StoredEvent,
  type World,
  withChange,
} from "@dispatch/core";

/** A ledger in memory with the grouping of the real one; a new one can be opened on what an old one wrote. */
export interface MemoryLedger extends Ledger {
  /** Makes every later append fail with this error. */
  breakWith(error: unknown): void;
  readonly events: readonly StoredEvent[];
  /** A new one on what this one wrote, as after a restart. */
  reopen(): MemoryLedger;
}

interface Stored {
  events: StoredEvent[];
  world: World;
  pending: Map<string, PendingEffect>;
}

export function createMemoryLedger(stored: Stored = { events: [], world: emptyWorld(), pending: new Map() }): MemoryLedger {
  let broken: unknown;
  let group: { commits: Commit[]; settled: Promise<void> } | undefined;
  const write = ({ events, change, done }: Commit): void => {
    stored.events.push(...events);
    stored.world = withChange(stored.world, structuredClone(change) as Change);
    for (const effect of change.effects) stored.pending.set(effectKey(effect), { key: effectKey(effect), effect });
    for (const key of done) stored.pending.delete(key);
  };
  return {
    get events() {
      return stored.events;
    },
    load: () => ({ world: stored.world, lastSeq: stored.events.at(-1)?.seq ?? 0, pending: [...stored.pending.values()] }),
    append(commit) {
      if (broken !== undefined) return Promise.reject(broken);
      if (group === undefined) {
        const commits: Commit[] = [];
        const settled = new Promise<void>((resolve, reject) => {
          setImmediate(() => {
            group = undefined;
            if (broken !== undefined) return reject(broken);
            for (const one of commits) write(one);
            resolve();
          });
        });
        group = { commits, settled };
      }
      group.commits.push(commit);
      return group.settled;
    },
    readEvents: (after, limit) => stored.events.filter((event) => event.seq > after).slice(0, limit),
    close: () => Promise.resolve(),
    breakWith(error) {
      broken = error;
    },
    reopen: () => createMemoryLedger(stored),
  };
}
