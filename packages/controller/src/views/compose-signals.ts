import { isLive, type Task, type TaskId } from "@dispatch/core";
import type { SignalsView } from "@dispatch/protocol";
import {
  createExplainer,
  type Explanation,
  isOpen,
  judgeSignals,
  type ScalingSample,
  type SignalState,
  type Signals,
  type Snapshot,
  signalWindowMs,
  usedSlots,
} from "@dispatch/scheduler";
import { demandOf } from "../report/compose-report.ts";
import { measureSlots, type Span } from "../report/measure-slots.ts";
import { attemptsByTask } from "./compose-status.ts";

export interface SignalsInput {
  snapshot: Snapshot;
  /** Those of the window at least. */
  samples: readonly ScalingSample[];
  /** The signals of the last judgement. */
  before: SignalState;
  /** That of the snapshot, where there is one already. */
  explain?: (task: Task) => Explanation;
}

/** What the factory's figures advise. `now` is in ms since the epoch. */
export function composeSignals(input: SignalsInput, now: number): SignalsView {
  const { snapshot, samples, before, explain = createExplainer(snapshot, now) } = input;
  let pending = 0;
  let startable = 0;
  const blocked = new Set<TaskId>();
  for (const task of snapshot.world.tasks.values()) {
    if (task.state.kind !== "planned" && task.state.kind !== "backoff") continue;
    pending++;
    const explanation = explain(task);
    if (lacksOnlyRoom(explanation)) startable++;
    else if (explanation.kind !== "about-to-start") blocked.add(task.id);
  }
  let running = 0;
  for (const attempt of snapshot.world.attempts.values()) if (isLive(attempt)) running++;
  const signals = judgeSignals({ now, pending, startable, running, samples }, before);
  return { ...signals, text: signalText(signals), figures: { ...signals.figures, utilisation: recentUse(snapshot, blocked, now) } };
}

function lacksOnlyRoom(explanation: Explanation): boolean {
  return explanation.kind === "slot" || explanation.kind === "resource" || explanation.kind === "nodes-down" || explanation.kind === "nodes-closed";
}

/** How well the slots were used in the window. A task that waits for more than room is no work that was there. */
function recentUse(snapshot: Snapshot, blocked: ReadonlySet<TaskId>, now: number): number {
  const { world, nodes } = snapshot;
  const used = usedSlots(world);
  const from = now - signalWindowMs;
  const clip = (spans: readonly Span[]): Span[] =>
    spans.flatMap((span) => (span.to <= from ? [] : [{ from: Math.max(from, span.from), to: span.to }]));
  const tasks = [...world.tasks.values()];
  const attempts = attemptsByTask(world, tasks);
  const sessions = [...attempts.values()].flat().map((attempt) => ({ from: attempt.placedAt, to: attempt.endedAt === 0 ? now : attempt.endedAt }));
  const demand = tasks.flatMap((task) => (blocked.has(task.id) ? [] : demandOf(world, task, attempts.get(task.id) ?? [], now)));
  // What is closed, or down, cannot be used; what went on there when it was open still counts as used.
  const slots = nodes.reduce((sum, node) => sum + (isOpen(node) ? node.slots : (used.get(node.id) ?? 0)), 0);
  return measureSlots(clip(sessions), clip(demand), slots).utilisation;
}

function signalText({ advice, state, figures }: Signals): string {
  const last = `in the last ${Math.round(figures.windowMs / 60_000)} min`;
  switch (advice) {
    case "none":
      return "";
    case "mend-specs":
      return `do not add nodes, improve the specs: ${figures.firstRoundsFailed} of ${figures.firstRounds} first rounds (${percent(figures.firstRoundFailureRate)}) were red ${last}`;
    case "change-split":
      return `do not add nodes, change the split so that tasks touch different files: ${figures.conflicts} of ${figures.landings} landings (${percent(figures.conflictRate)}) met a conflict ${last}`;
    case "add-nodes": {
      const reasons = [];
      if (state.backlog) reasons.push(`${figures.startable} tasks lack nothing but room while ${figures.running} run`);
      if (state.arrivals) reasons.push(`${figures.arrived} specs were fed and ${figures.consumed} merged or cancelled ${last}`);
      return `add nodes or slots: ${reasons.join("; ")}`;
    }
  }
}

function percent(rate: number | null): string {
  return `${Math.round((rate ?? 0) * 100)}%`;
}
