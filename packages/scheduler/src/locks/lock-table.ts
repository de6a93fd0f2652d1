import { holdsLock, type ProjectId, type Task, type TaskId, type TaskSpec, type World } from "@dispatch/core";
import { createLockIndex, type LockIndex } from "./lock-index.ts";
import { type ConflictKind, type LockPolicy, locksOf } from "./lock-set.ts";

/** One lock that stands in the way: who holds it, and the two entries that meet. */
export interface LockConflictOf {
  holder: Task;
  mine: string;
  theirs: string;
  kind: ConflictKind;
}

/** The locks of a whole world, for explanations: the same index that decisions use. */
export interface LockTable {
  /** The first holder, in order of holding, that keeps a spec from starting. */
  findConflict(spec: TaskSpec): LockConflictOf | undefined;
  /** All holders that do, in that order. */
  findConflicts(spec: TaskSpec): LockConflictOf[];
  hold(task: Task): void;
}

export function createLockTable(world: World, projects: ReadonlyMap<ProjectId, LockPolicy> = new Map()): LockTable {
  const indexes = new Map<ProjectId, LockIndex>();
  const holders = new Map<TaskId, Task>();

  const indexOf = (project: ProjectId): LockIndex => {
    const known = indexes.get(project) ?? createLockIndex();
    indexes.set(project, known);
    return known;
  };
  const locks = (spec: TaskSpec) => locksOf(spec, projects.get(spec.project));

  const table: LockTable = {
    findConflict: (spec) => table.findConflicts(spec)[0],
    findConflicts(spec) {
      return indexOf(spec.project)
        .findConflicts(locks(spec))
        .flatMap(({ holder, mine, theirs, kind }) => {
          const task = holders.get(holder);
          return task === undefined ? [] : [{ holder: task, mine, theirs, kind }];
        });
    },
    hold(task) {
      const attempt = "attempt" in task.state ? world.attempts.get(task.state.attempt) : undefined;
      holders.set(task.id, task);
      indexOf(task.project).hold(task.id, locks(task.spec), attempt?.placedAt ?? task.plannedAt);
    },
  };
  for (const task of world.tasks.values()) if (holdsLock(task)) table.hold(task);
  return table;
}
