import { type Attempt, type Project, type Task, taskIdOf, type World } from "@dispatch/core";
import type { CauseRow, NodeLossRow, ReportTask, ReportView, SignalsView, StandingRow, WaitingForLead } from "@dispatch/protocol";
import { attemptsByTask, sumTokens } from "../views/compose-status.ts";
import { measureSlots, type Span } from "./measure-slots.ts";

export interface ReportInput {
  world: World;
  project: Project;
  /** Slots of all nodes. */
  slots: number;
  /** Undefined while the project has no tasks. */
  standing: StandingRow | undefined;
  signals: SignalsView;
  /** As `countLosses` counts them. */
  losses: readonly NodeLossRow[];
}

/** What happened in a project since its first task was fed. `now` is in ms since the epoch. */
export function composeReport({ world, project, slots, standing, signals, losses }: ReportInput, now: number): ReportView {
  const tasks = [...world.tasks.values()].filter((task) => task.project === project.id).sort((a, b) => (a.id < b.id ? -1 : 1));
  const attempts = attemptsByTask(world, tasks);
  const all = [...attempts.values()].flat();
  const sessions = all.map((attempt) => ({ from: attempt.placedAt, to: attempt.endedAt === 0 ? now : attempt.endedAt }));
  const use = measureSlots(
    sessions,
    tasks.flatMap((task) => demandOf(world, task, attempts.get(task.id) ?? [], now)),
    slots,
  );
  const counts: Record<string, number> = {};
  for (const task of tasks) counts[task.state.kind] = (counts[task.state.kind] ?? 0) + 1;
  const last = project.collect.kind === "idle" ? project.collect.last : null;
  return {
    project: project.id,
    from: Math.min(now, ...tasks.map((task) => task.plannedAt)),
    to: now,
    main: project.main,
    published: last?.outcome === "published" ? last.commit : null,
    counts,
    tasks: tasks.map((task) => reportTask(task, attempts.get(task.id) ?? [], now)),
    maxParallel: use.maxParallel,
    utilisation: use.utilisation,
    findings: countFindings(all),
    conflicts: tasks.filter((task) => "feedback" in task.state && task.state.feedback.some((finding) => finding.gate === "landing")).length,
    tokens: sumTokens(all),
    waiting: [...tasks.flatMap(waitingTask), ...waitingProject(project), ...waitingCauses(standing)],
    signals,
    losses,
    landings: tasks
      .flatMap((task) => (task.state.kind === "merged" ? [{ commit: task.state.commit, task: task.id, at: task.state.at }] : []))
      .sort((a, b) => a.at - b.at),
  };
}

function reportTask(task: Task, attempts: readonly Attempt[], now: number): ReportTask {
  const first = attempts[0]?.placedAt;
  const end = task.state.kind === "merged" ? task.state.at : task.state.kind === "parked" ? task.state.since : now;
  return {
    id: task.id,
    title: task.spec.title,
    state: task.state.kind,
    attempts: attempts.length,
    rounds: attempts.reduce((sum, attempt) => sum + attempt.rounds.length, 0),
    durationMs: first === undefined ? 0 : Math.max(0, end - first),
    sessionMs: attempts.reduce((sum, attempt) => sum + (attempt.endedAt === 0 ? now : attempt.endedAt) - attempt.placedAt, 0),
    tokens: sumTokens(attempts),
    commit: task.state.kind === "merged" ? task.state.commit : null,
  };
}

/** When a task could have used a slot: from when its dependencies were merged until its last session ended. */
export function demandOf(world: World, task: Task, attempts: readonly Attempt[], now: number): Span[] {
  let from = task.plannedAt;
  for (const specId of task.spec.dependsOn) {
    const dependency = world.tasks.get(taskIdOf(task.project, specId));
    if (dependency?.state.kind !== "merged")
      return attempts.map((attempt) => ({ from: attempt.placedAt, to: attempt.endedAt === 0 ? now : attempt.endedAt }));
    from = Math.max(from, dependency.state.at);
  }
  const last = attempts.at(-1);
  const waiting = task.state.kind === "planned" || task.state.kind === "backoff";
  const to = waiting || last === undefined || last.endedAt === 0 ? (task.state.kind === "cancelled" ? from : now) : last.endedAt;
  return [{ from, to }];
}

function countFindings(attempts: readonly Attempt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const attempt of attempts) {
    for (const round of attempt.rounds) {
      for (const finding of round.checked?.findings ?? []) if (finding.severity === "block") counts[finding.gate] = (counts[finding.gate] ?? 0) + 1;
    }
  }
  return counts;
}

function waitingTask(task: Task): WaitingForLead[] {
  if (task.state.kind !== "parked") return [];
  const { because } = task.state;
  return [
    {
      task: task.id,
      because: because.text,
      next: `look at it with dispatch show ${task.id}; then dispatch retry ${task.id} (--edited after editing the spec) or dispatch cancel ${task.id}`,
      findings: because.findings,
      salvage: because.salvage === "" ? null : because.salvage,
      code: because.code,
    },
  ];
}

function waitingProject(project: Project): WaitingForLead[] {
  const waiting: WaitingForLead[] = [];
  const base = { task: null, findings: [], salvage: null };
  if (project.landing.kind === "frozen") {
    waiting.push({
      ...base,
      because: project.landing.because,
      next: `mend main (dispatch revert takes a landing back), then dispatch resume ${project.id}`,
      code: "landing-frozen",
    });
  }
  if (project.collect.kind === "idle" && project.collect.last?.outcome === "stopped") {
    const { because, hint } = project.collect.last;
    waiting.push({
      ...base,
      because: `the last collect stopped: ${because}`,
      next: hint || `dispatch collect ${project.id}`,
      code: "collect-stopped",
    });
  }
  return waiting;
}

/** What else keeps the project from going on, as far as only the lead can change it. */
function waitingCauses(standing: StandingRow | undefined): WaitingForLead[] {
  if (standing === undefined) return [];
  return standing.causes.flatMap((cause) => {
    const code = codeOf(cause);
    if (code === undefined) return [];
    const others = cause.tasks.filter((id) => id !== cause.task).length;
    const behind = others === 0 ? "" : ` (${others} more ${others === 1 ? "task waits" : "tasks wait"} for that)`;
    return [{ task: cause.task, because: `${cause.because}${behind}`, next: cause.release, findings: [], salvage: null, code }];
  });
}

/** Undefined for what the report names already, and for what the factory does by itself. */
function codeOf({ kind, needs }: CauseRow): WaitingForLead["code"] | undefined {
  if (kind === "waits-for-collect") return "not-collected";
  if (kind === "parked" || kind === "landing-frozen") return undefined;
  if (needs === "nobody") return "gridlock";
  return needs === "lead" ? "blocked" : undefined;
}
