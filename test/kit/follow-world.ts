import { emptyWorld, evolve, type StoredEvent, type Task, type World, withChange } from "@dispatch/core";

/** What a factory told of itself over all the lives of its daemon. */
export interface FollowedWorld {
  world(): World;
  lastSeq(): number;
  events(): readonly StoredEvent[];
  task(specId: string): Task | undefined;
  take(stored: StoredEvent): void;
  /** Settles with the first answer that is not undefined or false; asked after every fact. Rejects when `given up` does. */
  until<T>(what: string, ask: () => T, giveUp: Promise<never>, deadlineMs?: number): Promise<Exclude<T, undefined | false>>;
}

/** Folds the facts that the daemon sends. One that was sent and is not stored after a crash would come again here as another fact. */
export function followWorld(project: string): FollowedWorld {
  let world = emptyWorld();
  let lastSeq = 0;
  const events: StoredEvent[] = [];
  const askers = new Set<() => void>();
  return {
    world: () => world,
    lastSeq: () => lastSeq,
    events: () => events,
    task: (specId) => world.tasks.get(`${project}/${specId}`),
    take(stored) {
      if (stored.seq !== lastSeq + 1) throw new Error(`fact ${stored.seq} came after ${lastSeq}`);
      lastSeq = stored.seq;
      events.push(stored);
      const evolution = evolve(world, stored.event, stored.at);
      if (evolution.outcome !== "moved") throw new Error(`${stored.event.type} does not follow: ${evolution.because}`);
      world = withChange(world, evolution.change);
      for (const ask of askers) ask();
    },
    async until(what, ask, giveUp, deadlineMs = 60_000) {
      let timer: NodeJS.Timeout | undefined;
      let asker = (): void => {};
      const answered = new Promise<never>((resolve, reject) => {
        asker = () => {
          const answer = ask();
          if (answer !== undefined && answer !== false) resolve(answer as never);
        };
        timer = setTimeout(() => reject(new Error(`waited in vain for ${what}; ${tellTasks(world)}`)), deadlineMs);
      });
      askers.add(asker);
      asker();
      try {
        return await Promise.race([answered, giveUp]);
      } finally {
        clearTimeout(timer);
        askers.delete(asker);
      }
    },
  };
}

function tellTasks(world: World): string {
  const tasks = [...world.tasks.values()].map((task) => `${task.spec.id} ${JSON.stringify(task.state).slice(0, 300)}`);
  const projects = [...world.projects.values()].map((one) => `collect ${JSON.stringify(one.collect)}, landing ${JSON.stringify(one.landing)}`);
  return [...tasks, ...projects].join("; ");
}
