import { holdsLock, lockedPaths, type ProjectId, patternsOverlap, type Task, type TaskSpec, type World } from "@dispatch/core";

/** One lock that stands in the way: who holds it, and the two entries that meet. */
export interface LockConflict {
  holder: Task;
  mine: string;
  theirs: string;
}

/** The paths that tasks between starting and merged keep from all others of their project. */
export interface LockTable {
  /** The first holder, in order of holding, that keeps a spec from starting. */
  findConflict(spec: TaskSpec): LockConflict | undefined;
  hold(task: Task): void;
}

export function createLockTable(world: World): LockTable {
  const held = new Map<ProjectId, Task[]>();
  const table: LockTable = {
    findConflict(spec) {
      const holders = held.get(spec.project);
      if (holders === undefined) return undefined;
      const wanted = lockedPaths(spec);
      for (const holder of holders) {
        const meeting = firstOverlap(wanted, lockedPaths(holder.spec));
        if (meeting !== undefined) return { holder, ...meeting };
      }
      return undefined;
    },
    hold(task) {
      const holders = held.get(task.project);
      if (holders === undefined) held.set(task.project, [task]);
      else holders.push(task);
    },
  };
  for (const task of world.tasks.values()) if (holdsLock(task)) table.hold(task);
  return table;
}

function firstOverlap(wanted: readonly string[], taken: readonly string[]): { mine: string; theirs: string } | undefined {
  for (const mine of wanted) {
    for (const theirs of taken) if (patternsOverlap(mine, theirs)) return { mine, theirs };
  }
  return undefined;
}
