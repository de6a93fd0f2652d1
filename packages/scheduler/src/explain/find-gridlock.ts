import { holdsLock, isEnded, type Oid, type Project, type ProjectId, type Task, type TaskId, taskIdOf } from "@dispatch/core";
import { createBoard } from "../board/board.ts";
import { createLockTable } from "../locks/lock-table.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Cause, createCauseFinder } from "./explain-cause.ts";

/**
 * How a project's work stands.
 *
 * - idle: nothing is left to do
 * - moving: something is placed, finishing or landing, and more can follow
 * - waiting-for-time: nothing moves now; a backoff ends at `until`
 * - finishing: sessions are under way, and after them nothing can follow without the lead
 * - waiting-for-lead: nothing moves until the lead acts
 * - gridlock: nothing can move, and no act of the lead is what it waits for: a cycle, or a defect
 */
export type Standing = { project: ProjectId; unfinished: number; underWay: number } & (
  | { kind: "idle" | "moving" }
  | { kind: "waiting-for-time"; until: number }
  | { kind: "finishing" | "waiting-for-lead" | "gridlock"; causes: readonly StuckCause[]; cycles: readonly (readonly TaskId[])[] }
);

/** A root cause and the unfinished tasks behind it. */
export interface StuckCause {
  cause: Cause;
  tasks: readonly TaskId[];
}

/** Whether no move of the factory's own (placing, finishing, landing, time) leads to a new placement or landing of the project. */
export function isAlarm(standing: Standing): boolean {
  return standing.kind === "finishing" || standing.kind === "waiting-for-lead" || standing.kind === "gridlock";
}

const noOid: Oid = "0".repeat(40);

/** How every project with tasks stands. `now` is in ms since the epoch. */
export function findGridlock(snapshot: Snapshot, now: number): Standing[] {
  const byProject = new Map<ProjectId, Task[]>();
  for (const task of snapshot.world.tasks.values()) {
    const known = byProject.get(task.project);
    if (known === undefined) byProject.set(task.project, [task]);
    else known.push(task);
  }
  const decides = once(() => createBoard(snapshot).decide(now).length > 0);
  const allStuck = once(() => !decides() && !leadsOn(whenSessionsEnd(snapshot, [...snapshot.world.tasks.values()]), now));
  const causes = once(() => createCauseFinder(snapshot, now));
  return [...byProject].map(([project, tasks]) => {
    const unfinished = tasks.filter((task) => !isEnded(task));
    const collect = snapshot.world.projects.get(project)?.collect.kind;
    const underWay = unfinished.filter(isUnderWay).length + (collect === "taking-in" || collect === "publishing" ? 1 : 0);
    const base = { project, unfinished: unfinished.length, underWay };
    if (unfinished.length === 0) return { ...base, kind: "idle" };
    if (willLand(snapshot, project, unfinished)) return { ...base, kind: "moving" };
    if (allStuck() || !leadsOn(whenSessionsEnd(snapshot, tasks), now)) return { ...base, ...stuck(snapshot, unfinished, underWay, causes()) };
    if (underWay > 0 || decides()) return { ...base, kind: "moving" };
    const until = firstExpiry(unfinished, now);
    const waits = until !== undefined && !leadsOn(whenSessionsEnd(snapshot, tasks), now, []);
    return waits ? { ...base, kind: "waiting-for-time", until } : { ...base, kind: "moving" };
  });
}

/** The plain case, without looking at the whole board: something lands now, or will when its session has ended. */
function willLand({ world, projects }: Snapshot, id: ProjectId, tasks: readonly Task[]): boolean {
  if (tasks.some((task) => task.state.kind === "landing")) return true;
  const lands = projects.get(id)?.landing === "continuous" && world.projects.get(id)?.landing.kind === "open";
  return lands && tasks.some((task) => holdsLock(task) && task.state.kind !== "cancelling");
}

/** Whether the scheduler would place or land something, now or when a backoff has ended. */
function leadsOn(snapshot: Snapshot, now: number, later: readonly number[] = expiries(snapshot, now)): boolean {
  const board = createBoard(snapshot);
  return [now, ...later].some((at) => board.decide(at).some((decision) => decision.decide === "place" || decision.decide === "form-car"));
}

function expiries(snapshot: Snapshot, now: number): number[] {
  const times = new Set<number>();
  for (const { state } of snapshot.world.tasks.values()) if (state.kind === "backoff" && state.until > now) times.add(state.until);
  return [...times].sort((a, b) => a - b);
}

function firstExpiry(tasks: readonly Task[], now: number): number | undefined {
  const times = tasks.flatMap(({ state }) => (state.kind === "backoff" && state.until > now ? [state.until] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * The world with only these tasks when every session of all projects has ended well and every collect is done with
 * origin: slots are free, locks are still held until landing. Whatever can be placed or landed before, can be then.
 */
function whenSessionsEnd(snapshot: Snapshot, tasks: readonly Task[]): Snapshot {
  const ended = new Map(tasks.map((task) => [task.id, sessionEnded(task)]));
  const ids = new Set(tasks.map((task) => task.project));
  const projects = [...snapshot.world.projects].filter(([id]) => ids.has(id)).map(([id, project]) => [id, afterOrigin(project, ended)] as const);
  return { ...snapshot, world: { projects: new Map(projects), tasks: ended, attempts: new Map(), nodes: snapshot.world.nodes } };
}

/** A collect goes on while one of its tasks may still land; else it publishes and is over. */
function afterOrigin(project: Project, tasks: ReadonlyMap<TaskId, Task>): Project {
  const { collect } = project;
  if (collect.kind === "idle") return project;
  const waits = collect.kind !== "publishing" && collect.tasks.some((id) => isLandable(tasks.get(id)));
  return { ...project, collect: waits ? { ...collect, kind: "landing" } : { kind: "idle", last: null } };
}

function isLandable(task: Task | undefined): boolean {
  return task?.state.kind === "queued" || task?.state.kind === "landing";
}

function sessionEnded(task: Task): Task {
  const { state } = task;
  if (state.kind === "cancelling") return { ...task, state: { ...state, kind: "cancelled" } };
  if (state.kind !== "starting" && state.kind !== "running" && state.kind !== "collecting" && state.kind !== "checking") return task;
  const { attempt, tries, limit, feedback } = state;
  return { ...task, state: { kind: "queued", attempt, tip: noOid, since: 0, tries, limit, feedback } };
}

function isUnderWay(task: Task): boolean {
  return holdsLock(task) && task.state.kind !== "queued";
}

function stuck(
  snapshot: Snapshot,
  unfinished: readonly Task[],
  underWay: number,
  causeOf: (task: Task) => Cause,
): Pick<Extract<Standing, { causes: unknown }>, "kind" | "causes" | "cycles"> {
  const groups = new Map<string, { cause: Cause; tasks: TaskId[] }>();
  for (const task of unfinished) {
    const cause = causeOf(task);
    const known = groups.get(cause.key);
    if (known === undefined) groups.set(cause.key, { cause, tasks: [task.id] });
    else known.tasks.push(task.id);
  }
  const causes = [...groups.values()].sort((a, b) => b.tasks.length - a.tasks.length || (a.cause.key < b.cause.key ? -1 : 1));
  const cycles = findCycles(snapshot, unfinished);
  if (underWay > 0) return { kind: "finishing", causes, cycles };
  return { kind: cycles.length > 0 || causes.some(({ cause }) => cause.needs !== "lead") ? "gridlock" : "waiting-for-lead", causes, cycles };
}

/** Circles of tasks of which each waits for the next: by dependencies, and for locks that are held. */
function findCycles(snapshot: Snapshot, tasks: readonly Task[]): TaskId[][] {
  const locks = createLockTable(snapshot.world, snapshot.projects);
  const ids = new Set(tasks.map((task) => task.id));
  const next = new Map<TaskId, TaskId[]>();
  for (const task of tasks) {
    if (task.state.kind !== "planned" && task.state.kind !== "backoff") continue;
    const waitsFor = [...task.spec.dependsOn, ...task.spec.after].map((specId) => taskIdOf(task.project, specId));
    const holder = locks.findConflict(task.spec)?.holder.id;
    next.set(
      task.id,
      (holder === undefined ? waitsFor : [...waitsFor, holder]).filter((id) => ids.has(id)),
    );
  }
  return components([...ids], next)
    .filter((group) => group.length > 1 || next.get(group[0] ?? "")?.includes(group[0] ?? ""))
    .map((group) => group.sort());
}

/** Strongly connected components (Tarjan), with its own stack: chains may be longer than the call stack. */
function components(nodes: readonly TaskId[], next: ReadonlyMap<TaskId, readonly TaskId[]>): TaskId[][] {
  const index = new Map<TaskId, number>();
  const low = new Map<TaskId, number>();
  const stack: TaskId[] = [];
  const onStack = new Set<TaskId>();
  const found: TaskId[][] = [];
  for (const start of nodes) {
    if (index.has(start)) continue;
    const frames: { id: TaskId; edge: number }[] = [];
    const open = (id: TaskId) => {
      index.set(id, index.size);
      low.set(id, index.size - 1);
      stack.push(id);
      onStack.add(id);
      frames.push({ id, edge: 0 });
    };
    open(start);
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const to = next.get(frame.id)?.[frame.edge++];
      if (to === undefined) {
        frames.pop();
        const above = frames.at(-1);
        if (above !== undefined) low.set(above.id, Math.min(low.get(above.id) ?? 0, low.get(frame.id) ?? 0));
        if (low.get(frame.id) === index.get(frame.id)) found.push(closeComponent(frame.id, stack, onStack));
      } else if (!index.has(to)) open(to);
      else if (onStack.has(to)) low.set(frame.id, Math.min(low.get(frame.id) ?? 0, index.get(to) ?? 0));
    }
  }
  return found;
}

function closeComponent(root: TaskId, stack: TaskId[], onStack: Set<TaskId>): TaskId[] {
  const group = stack.splice(stack.lastIndexOf(root));
  for (const id of group) onStack.delete(id);
  return group;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
