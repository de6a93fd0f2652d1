import type { ProjectId } from "@dispatch/core";

/** Keeps house-keeping of a project's repository away from work in it. Work never waits longer than house-keeping takes to give up. */
export interface ProjectTurns {
  /** Any number of them at once. House-keeping that is under way is told to give up, and waited for. */
  work<T>(project: ProjectId, act: () => Promise<T>): Promise<T>;
  /** Only while nothing else is at work there; undefined: something was. */
  keepHouse<T>(project: ProjectId, act: (giveUp: AbortSignal) => Promise<T>): Promise<T | undefined>;
}

export function createProjectTurns(): ProjectTurns {
  const working = new Map<ProjectId, number>();
  const keeping = new Map<ProjectId, { settled: Promise<unknown>; giveUp: AbortController }>();
  const count = (project: ProjectId, change: number): void => {
    const now = (working.get(project) ?? 0) + change;
    if (now === 0) working.delete(project);
    else working.set(project, now);
  };
  return {
    async work(project, act) {
      count(project, 1);
      try {
        const keeper = keeping.get(project);
        keeper?.giveUp.abort();
        await keeper?.settled;
        return await act();
      } finally {
        count(project, -1);
      }
    },
    async keepHouse(project, act) {
      if (working.has(project) || keeping.has(project)) return undefined;
      const giveUp = new AbortController();
      // Not before this call is known to the others.
      const mine = Promise.resolve().then(() => act(giveUp.signal));
      const settled = mine.then(
        () => undefined,
        () => undefined,
      );
      keeping.set(project, { settled, giveUp });
      try {
        return await mine;
      } finally {
        keeping.delete(project);
      }
    },
  };
}
