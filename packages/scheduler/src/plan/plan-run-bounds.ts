import { coversPath, isGlob, type Task, type TaskId, taskIdOf } from "@dispatch/core";
import { type LockPolicy, locksOf } from "../locks/lock-set.ts";

/** Minutes a task's session is expected to take. */
export type MinutesOf = (task: Task) => number;

export interface CriticalPath {
  /** In the order in which they have to be done. */
  tasks: readonly TaskId[];
  minutes: number;
}

/** The longest chain of dependencies among the tasks, which must have no cycle. */
export function criticalPath(tasks: readonly Task[], minutesOf: MinutesOf): CriticalPath {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const best = new Map<TaskId, { minutes: number; before: TaskId | undefined }>();
  for (const task of inOrder(tasks)) {
    let before: { id: TaskId; minutes: number } | undefined;
    for (const id of predecessors(task)) {
      const known = byId.has(id) ? best.get(id) : undefined;
      if (known !== undefined && (before === undefined || known.minutes > before.minutes)) before = { id, minutes: known.minutes };
    }
    best.set(task.id, { minutes: (before?.minutes ?? 0) + minutesOf(task), before: before?.id });
  }
  let end: TaskId | undefined;
  for (const [id, { minutes }] of best) if (end === undefined || minutes > (best.get(end)?.minutes ?? 0)) end = id;
  const chain: TaskId[] = [];
  const minutes = end === undefined ? 0 : (best.get(end)?.minutes ?? 0);
  for (let id = end; id !== undefined; id = best.get(id)?.before) chain.push(id);
  return { tasks: chain.reverse(), minutes };
}

/** Tasks so that each comes after those it waits for; members of a cycle are left out. */
export function inOrder(tasks: readonly Task[]): Task[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const open = new Map<TaskId, number>();
  const dependants = new Map<TaskId, Task[]>();
  for (const task of tasks) {
    const before = predecessors(task).filter((id) => byId.has(id));
    open.set(task.id, before.length);
    for (const id of before) dependants.set(id, [...(dependants.get(id) ?? []), task]);
  }
  const ordered = tasks.filter((task) => open.get(task.id) === 0);
  for (const task of ordered) {
    for (const next of dependants.get(task.id) ?? []) {
      const left = (open.get(next.id) ?? 0) - 1;
      open.set(next.id, left);
      if (left === 0) ordered.push(next);
    }
  }
  return ordered;
}

export function predecessors(task: Task): TaskId[] {
  return [...new Set([...task.spec.dependsOn, ...task.spec.after])].map((specId) => taskIdOf(task.project, specId));
}

/** An entry that several tasks want for themselves: they run one after the other, in whatever order. */
export interface LockChain {
  entry: string;
  tasks: readonly Task[];
  minutes: number;
}

/** Every entry that more than one task covers, heaviest first. All tasks of a chain exclude each other. */
export function lockChains(tasks: readonly Task[], policy: LockPolicy | undefined, minutesOf: MinutesOf): LockChain[] {
  const plain = new Map<string, Task[]>();
  const globs = new Map<string, Task[]>();
  for (const task of tasks) {
    for (const { pattern: entry, exclusive } of locksOf(task.spec, policy).entries) {
      if (!exclusive) continue;
      const index = isGlob(entry) ? globs : plain;
      const known = index.get(entry);
      if (known === undefined) index.set(entry, [task]);
      else known.push(task);
    }
  }
  const chains: LockChain[] = [];
  for (const [entry, own] of plain) {
    const members = new Set([...own, ...foldersOf(entry).flatMap((folder) => plain.get(folder) ?? [])]);
    for (const [glob, others] of globs) if (coversPath(glob, entry)) for (const other of others) members.add(other);
    chains.push(chainOf(entry, [...members], minutesOf));
  }
  for (const [entry, own] of globs) {
    const fixed = fixedFolder(entry);
    const above = fixed === "" ? [] : [fixed, ...foldersOf(fixed)].flatMap((folder) => plain.get(folder) ?? []);
    chains.push(chainOf(entry, [...new Set([...own, ...above])], minutesOf));
  }
  return withoutShadows(chains.filter((chain) => chain.tasks.length > 1).sort((a, b) => b.minutes - a.minutes || (a.entry < b.entry ? -1 : 1)));
}

/** Of entries that the same tasks want, the first one tells all. */
function withoutShadows(chains: readonly LockChain[]): LockChain[] {
  const seen = new Set<string>();
  return chains.filter((chain) => {
    const key = chain.tasks
      .map((task) => task.id)
      .sort()
      .join(" ");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function chainOf(entry: string, tasks: readonly Task[], minutesOf: MinutesOf): LockChain {
  return { entry, tasks, minutes: tasks.reduce((sum, task) => sum + minutesOf(task), 0) };
}

/** `a/b/c` lies below `a/b` and `a`. */
function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** The folder in which everything lies that a glob could match. */
function fixedFolder(glob: string): string {
  const parts = glob.split("/");
  return parts.slice(0, parts.findIndex(isGlob)).join("/");
}
