import { isEnded, type Task } from "@dispatch/core";
import type { CauseRow, StandingRow, WhyAllView, WhyView } from "@dispatch/protocol";
import { type Cause, createCauseFinder, findGridlock, isOpen, type Snapshot, type Standing, usedSlots } from "@dispatch/scheduler";
import { expectedStart } from "./estimate-end.ts";
import { explainText } from "./explain-text.ts";

/** Why a task is where it is, down to the root of what it waits for. `now` is in ms since the epoch. */
export function composeWhy(snapshot: Snapshot, task: Task, beside: Pick<WhyView, "troubles" | "forecast">, now: number): WhyView {
  const findCause = createCauseFinder(snapshot, now);
  const cause = findCause(task);
  const first = cause.chain[0]?.explanation ?? cause.explanation;
  const behind = unfinishedOf(snapshot, task.project).filter((other) => other.id === task.id || findCause(other).key === cause.key);
  return {
    task: task.id,
    state: task.state.kind,
    ...explainText(task, first, now),
    explanation: first,
    chain: cause.chain.flatMap((link) => {
      const linked = snapshot.world.tasks.get(link.task);
      return linked === undefined ? [] : [{ task: link.task, because: explainText(linked, link.explanation, now).because }];
    }),
    root: causeRow(snapshot, cause, isEnded(task) ? [] : behind, now),
    expectedStart: task.state.kind === "planned" || task.state.kind === "backoff" ? expectedStart(snapshot, task, now) : null,
    ...beside,
  };
}

/** Every unfinished task by its root cause, the cause with most tasks first. */
export function composeWhyAll(snapshot: Snapshot, now: number, project?: string): WhyAllView {
  const findCause = createCauseFinder(snapshot, now);
  const groups = new Map<string, { cause: Cause; tasks: Task[] }>();
  const unfinished = unfinishedOf(snapshot, project);
  for (const task of unfinished) {
    const cause = findCause(task);
    const known = groups.get(cause.key);
    if (known === undefined) groups.set(cause.key, { cause, tasks: [task] });
    else known.tasks.push(task);
  }
  const causes = [...groups.values()]
    .map(({ cause, tasks }) => causeRow(snapshot, cause, tasks, now))
    .sort((a, b) => b.tasks.length - a.tasks.length || (a.task < b.task ? -1 : 1));
  return { at: now, unfinished: unfinished.length, causes, standings: composeStandings(snapshot, now, project) };
}

/** Whether each project moves, and what holds those that do not. */
export function composeStandings(snapshot: Snapshot, now: number, project?: string): StandingRow[] {
  return findGridlock(snapshot, now)
    .filter((standing) => project === undefined || standing.project === project)
    .map((standing) => standingRow(snapshot, standing, now));
}

function standingRow(snapshot: Snapshot, standing: Standing, now: number): StandingRow {
  const { project, kind, unfinished, underWay } = standing;
  const base = { project, kind, unfinished, underWay, until: standing.kind === "waiting-for-time" ? standing.until : null };
  if (!("causes" in standing)) return { ...base, causes: [], cycles: [] };
  const causes = standing.causes.map(({ cause, tasks }) =>
    causeRow(
      snapshot,
      cause,
      tasks.flatMap((id) => snapshot.world.tasks.get(id) ?? []),
      now,
    ),
  );
  return { ...base, causes, cycles: standing.cycles };
}

function causeRow(snapshot: Snapshot, cause: Cause, tasks: readonly Task[], now: number): CauseRow {
  const { project, task: id, needs } = cause;
  const row = { project, task: id, needs, tasks: tasks.map((task) => task.id).sort() };
  const root = snapshot.world.tasks.get(id);
  if (cause.needs === "nobody") {
    const circle = cause.key.split(" ").slice(1);
    return {
      ...row,
      kind: "cycle",
      because: `${circle.join(", ")} wait for each other in a circle`,
      release: `take one of them out of the circle: drop a depends_on, or dispatch cancel one of them`,
    };
  }
  if (root === undefined) return { ...row, kind: cause.explanation.kind, because: `${id} is unknown`, release: "" };
  return { ...row, kind: cause.explanation.kind, ...explainText(root, cause.explanation, now), ...sharedText(snapshot, cause, tasks) };
}

const namesShown = 3;

/** What is said of many tasks at once where the sentence about one of them would not do. */
function sharedText({ world, nodes }: Snapshot, { explanation, project }: Cause, tasks: readonly Task[]): { because?: string; release?: string } {
  if (explanation.kind === "about-to-start")
    return { because: "they are ready and there is room", release: "nothing is missing; they start at once" };
  if (explanation.kind === "slot") {
    const open = nodes.filter(isOpen);
    const inUse = usedSlots(world);
    const all = open.reduce((sum, node) => sum + node.slots, 0);
    const used = open.reduce((sum, node) => sum + (inUse.get(node.id) ?? 0), 0);
    const shut = nodes.length - open.length;
    const rest = shut === 0 ? "" : `; ${shut} more ${shut === 1 ? "node takes" : "nodes take"} no new tasks`;
    return {
      because: `every slot they could take is taken: ${used} of ${all} are in use${rest}`,
      release: `sessions end, or nodes or slots are added${shut === 0 ? "" : ", or closed nodes opened"}`,
    };
  }
  if (explanation.kind !== "waits-for-collect") return {};
  const queued = tasks.filter((task) => task.state.kind === "queued").map((task) => task.spec.id);
  const names = queued.length > namesShown ? `${queued.length} tasks` : queued.join(", ");
  const [its, s] = queued.length === 1 ? ["its", "s"] : ["their", ""];
  return { because: `${names} passed ${its} gates and wait${s}; project ${project} lands on collect` };
}

function unfinishedOf(snapshot: Snapshot, project: string | undefined): Task[] {
  return [...snapshot.world.tasks.values()].filter((task) => !isEnded(task) && (project === undefined || task.project === project));
}
