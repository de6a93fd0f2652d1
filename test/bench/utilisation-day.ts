import { holdsLock, lockedPaths, type NodeSnapshot, type ProjectId, type Task, taskIdOf } from "@dispatch/core";
import { planned } from "../kit/build-facts.ts";
import { createAgenda } from "./utilisation-agenda.ts";
import { type Day, endSession, startLanding, startPlacement } from "./utilisation-day-life.ts";
import * as model from "./utilisation-day-model.ts";
import { createFactBoard, type FactBoard, openPolicy, someNodes } from "./utilisation-facts.ts";
import { createHeldPaths, type HeldPaths } from "./utilisation-lists.ts";
import { createRandom } from "./utilisation-plan.ts";

export interface DayFigures {
  /** Integral of running sessions over the integral of min(slots of nodes that are up, sessions + startable tasks). */
  used: number;
  /** Integral of running sessions over all slots and the whole day. */
  ofAllSlots: number;
  /** Share of the possible time in which a slot's session was only starting. */
  starting: number;
  /** Share of the possible time in which a slot lay empty although a task could have started. */
  empty: number;
  merged: number;
  attempts: number;
  parked: number;
  meanWaitToLandMinutes: number;
}

/** One simulated day of the product's state machines and scheduler. */
export function simulateDay(seed: number): DayFigures {
  const random = createRandom(seed);
  const nodes = someNodes(model.nodeCount, model.slots);
  const policies = new Map(model.projects.map(({ id, share }) => [id as ProjectId, { ...openPolicy, share }]));
  const day: Day = {
    board: createFactBoard(nodes, policies),
    agenda: createAgenda(),
    random,
    durations: new Map(),
    downNodes: new Set(),
    verdicts: new Map(),
    waitedToLand: [],
    parked: 0,
    serial: 0,
  };
  planDirections(day);
  planOutage(day, nodes);
  const sums: SlotSums = { running: 0, starting: 0, empty: 0 };
  for (let now = 0; now < model.dayMs; ) {
    day.agenda.runUntil(now);
    startDecided(day, now);
    const next = Math.min(model.dayMs, day.agenda.next() ?? model.dayMs, day.board.nextDecisionAt(now) ?? model.dayMs);
    addInterval(sums, day, nodes, now, next);
    now = next;
  }
  return figuresOf(day, sums);
}

function planDirections({ board, agenda, random, durations }: Day): void {
  let n = 0;
  const feed = (now: number): void => {
    for (const task of model.someDirection(random, n++)) {
      durations.set(taskIdOf(task.spec.project, task.spec.id), task.durationMs);
      board.record(planned(task.spec), now);
    }
  };
  for (let i = 0; i < model.firstDirections; i++) agenda.at(0, feed);
  for (let at = model.someGapMs(random); at < model.dayMs; at += model.someGapMs(random)) agenda.at(at, feed);
}

function planOutage(day: Day, nodes: readonly NodeSnapshot[]): void {
  const out = nodes[model.outage.node];
  if (out === undefined) throw new Error(`there is no node ${model.outage.node}`);
  day.agenda.at(model.outage.from, () => {
    day.downNodes.add(out.id);
    day.board.setNodes(nodes.map((node) => (node === out ? { ...node, status: { kind: "down", because: "no answer", since: 0 } } : node)));
  });
  day.agenda.at(model.outage.to, (now) => {
    day.downNodes.delete(out.id);
    day.board.setNodes(nodes);
    for (const { id, node } of [...day.board.attempts.values()]) {
      if (node === out.id) endSession(day, id, { kind: "lost", because: "the node fell out" }, now);
    }
  });
}

function startDecided(day: Day, now: number): void {
  for (let decisions = day.board.decide(now); decisions.length > 0; decisions = day.board.decide(now)) {
    for (const decision of decisions) {
      if (decision.decide === "place") startPlacement(day, decision, now);
      else if (decision.decide === "form-car") startLanding(day, decision, now);
      else throw new Error(`${decision.decide} was decided though nothing is collected`);
    }
  }
}

interface SlotSums {
  running: number;
  starting: number;
  empty: number;
}

/** Adds slots times ms of an interval in which nothing changes. Sessions on nodes that are down count nowhere. */
function addInterval(sums: SlotSums, { board, downNodes }: Day, nodes: readonly NodeSnapshot[], from: number, to: number): void {
  let running = 0;
  let starting = 0;
  for (const { node, state } of board.attempts.values()) {
    if (downNodes.has(node)) continue;
    if (state.kind === "running") running++;
    else if (state.kind === "starting") starting++;
  }
  const room = nodes.reduce((sum, node) => sum + (downNodes.has(node.id) ? 0 : node.slots), 0) - running - starting;
  sums.running += running * (to - from);
  sums.starting += starting * (to - from);
  if (room > 0) sums.empty += Math.min(room, countStartable(board, from)) * (to - from);
}

/** How many tasks more could run side by side now, whatever the scheduler thinks: nothing left to wait for, and no path held by another. */
function countStartable({ tasks }: FactBoard, now: number): number {
  const locks = new Map<ProjectId, HeldPaths>();
  const locksOf = (project: ProjectId): HeldPaths => {
    const known = locks.get(project) ?? createHeldPaths();
    locks.set(project, known);
    return known;
  };
  for (const task of tasks.values()) if (holdsLock(task)) locksOf(task.project).hold(lockedPaths(task.spec));
  let count = 0;
  for (const task of tasks.values()) {
    if (!isReady(tasks, task, now) || !locksOf(task.project).areFree(lockedPaths(task.spec))) continue;
    locksOf(task.project).hold(lockedPaths(task.spec));
    count++;
  }
  return count;
}

function isReady(tasks: ReadonlyMap<string, Task>, { state, spec }: Task, now: number): boolean {
  if (state.kind !== "planned" && (state.kind !== "backoff" || state.until > now)) return false;
  return spec.dependsOn.every((id) => tasks.get(taskIdOf(spec.project, id))?.state.kind === "merged");
}

function figuresOf(day: Day, { running, starting, empty }: SlotSums): DayFigures {
  const possible = running + starting + empty;
  const tasks = [...day.board.tasks.values()];
  return {
    used: running / possible,
    ofAllSlots: running / (model.slots * model.dayMs),
    starting: starting / possible,
    empty: empty / possible,
    merged: tasks.filter(({ state }) => state.kind === "merged").length,
    attempts: day.board.attempts.size,
    parked: day.parked,
    meanWaitToLandMinutes: day.waitedToLand.reduce((sum, ms) => sum + ms, 0) / Math.max(1, day.waitedToLand.length) / 60_000,
  };
}
