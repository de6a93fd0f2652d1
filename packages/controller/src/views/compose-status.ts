import { type Attempt, holdsSlot, type NodeId, type Project, type Task, type TaskId, type TokenUsage, type World } from "@dispatch/core";
import type { CarRow, NodeRow, ProjectRow, SignalsView, StatusView, TaskRow, TroubleRow } from "@dispatch/protocol";
import { createExplainer, type Explanation, explainTask, type Snapshot, usedSlots } from "@dispatch/scheduler";
import { composeStandings } from "./compose-why.ts";
import { explainText } from "./explain-text.ts";

export interface StatusInput {
  snapshot: Snapshot;
  troubles: readonly TroubleRow[];
  lastSeq: number;
  draining: boolean;
  signals: SignalsView;
  forecast: StatusView["forecast"];
  eta: number | null;
  /** That of the snapshot, where there is one already. */
  explain?: (task: Task) => Explanation;
  /** Only this project, or all. */
  project?: string;
}

/** The whole board as one value. `now` is in ms since the epoch. */
export function composeStatus(input: StatusInput, now: number): StatusView {
  const { snapshot } = input;
  const { world } = snapshot;
  const wanted = (id: string) => input.project === undefined || input.project === id;
  const tasks = [...world.tasks.values()].filter((task) => wanted(task.project)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const used = usedSlots(world);
  const fenced = fencedSlots(world);
  const attempts = attemptsByTask(world, tasks);
  const explain = input.explain ?? createExplainer(snapshot, now);
  return {
    at: now,
    lastSeq: input.lastSeq,
    draining: input.draining,
    projects: [...world.projects.values()].filter((project) => wanted(project.id)).map((project) => projectRow(snapshot, project)),
    nodes: snapshot.nodes.map((node): NodeRow => ({ ...node, used: used.get(node.id) ?? 0, fenced: fenced.get(node.id) ?? 0 })),
    tasks: tasks.map((task) => taskRow(task, explain(task), attempts.get(task.id) ?? [], now)),
    sessions: [...world.attempts.values()]
      .filter((attempt) => holdsSlot(attempt) && wanted(projectOf(world, attempt)))
      .map((attempt) => ({
        attempt: attempt.id,
        task: attempt.task,
        node: attempt.node,
        round: attempt.rounds.length,
        since: attempt.placedAt,
        state: attempt.state.kind,
        tokens: sumTokens([attempt]),
      })),
    troubles: input.troubles,
    forecast: input.forecast,
    eta: input.eta,
    standings: composeStandings(snapshot, now, input.project),
    signals: input.signals,
  };
}

function fencedSlots({ attempts }: World): ReadonlyMap<NodeId, number> {
  const fenced = new Map<NodeId, number>();
  for (const { node, state } of attempts.values()) if (state.kind === "fenced") fenced.set(node, (fenced.get(node) ?? 0) + 1);
  return fenced;
}

function projectOf(world: World, attempt: Attempt): string {
  return world.tasks.get(attempt.task)?.project ?? "";
}

function projectRow(snapshot: Snapshot, project: Project): ProjectRow {
  const counts: Record<string, number> = {};
  for (const task of snapshot.world.tasks.values()) {
    if (task.project === project.id) counts[task.state.kind] = (counts[task.state.kind] ?? 0) + 1;
  }
  const { id, placing, landing, main, collect } = project;
  const train = project.train.cars.map(({ id: car, kind, state, members, ahead }): CarRow => ({ id: car, kind, state: state.kind, members, ahead }));
  return { id, placing, landing, main, collect, policy: snapshot.projects.get(id)?.landing ?? "continuous", counts, train };
}

export function composeTaskRow(snapshot: Snapshot, task: Task, now: number): TaskRow {
  return taskRow(task, explainTask(snapshot, task, now), attemptsOf(snapshot.world, task), now);
}

function taskRow(task: Task, explanation: Explanation, attempts: readonly Attempt[], now: number): TaskRow {
  const current = attempts.at(-1);
  return {
    id: task.id,
    title: task.spec.title,
    project: task.project,
    priority: task.spec.priority,
    state: task.state.kind,
    display: display(task, explanation.kind),
    // Since when is in a column of its own.
    because: explanation.kind === "parked" ? `parked: ${explanation.reason.text}` : explainText(task, explanation, now).because,
    attempt: task.state.tries,
    round: current?.rounds.length ?? 0,
    node: "node" in task.state ? task.state.node : null,
    since: since(task, current),
    estimateMinutes: task.spec.estimateMinutes,
    tokens: sumTokens(attempts),
    dependsOn: task.spec.dependsOn,
  };
}

/** What a list shows: the state, or what a task without a slot waits for. Derived, never stored. */
function display(task: Task, because: string): string {
  if (task.state.kind !== "planned") return task.state.kind;
  switch (because) {
    case "dependency":
      return "waits";
    case "lock":
    case "reserved":
    case "contract-barrier":
      return "locked";
    case "no-node-fits":
      return "unfit";
    case "nodes-down":
    case "nodes-closed":
      return "no node";
    case "project-paused":
      return "paused";
    case "project-not-configured":
      return "unconfigured";
    default:
      return "ready";
  }
}

function since(task: Task, current: Attempt | undefined): number {
  const { state } = task;
  if (state.kind === "planned" || state.kind === "backoff" || state.kind === "cancelled") return task.plannedAt;
  if (state.kind === "parked" || state.kind === "queued") return state.since;
  if (state.kind === "merged") return state.at;
  return current?.placedAt ?? task.plannedAt;
}

export function attemptsOf(world: World, task: Task): Attempt[] {
  return [...world.attempts.values()].filter((attempt) => attempt.task === task.id).sort((a, b) => a.n - b.n);
}

/** The attempts of many tasks, each list in order of their numbers. */
export function attemptsByTask(world: World, tasks: readonly Task[]): ReadonlyMap<TaskId, readonly Attempt[]> {
  const byTask = new Map<TaskId, Attempt[]>(tasks.map((task) => [task.id, []]));
  for (const attempt of world.attempts.values()) byTask.get(attempt.task)?.push(attempt);
  for (const list of byTask.values()) list.sort((a, b) => a.n - b.n);
  return byTask;
}

/** Tokens that executors reported, or null when none of them did. */
export function sumTokens(attempts: readonly Attempt[]): TokenUsage | null {
  const usages = attempts.flatMap((attempt) => attempt.rounds.flatMap((round) => round.agent?.usage ?? []));
  if (usages.length === 0) return null;
  return {
    inputTokens: usages.reduce((sum, usage) => sum + usage.inputTokens, 0),
    outputTokens: usages.reduce((sum, usage) => sum + usage.outputTokens, 0),
  };
}
