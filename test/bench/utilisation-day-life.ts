import {
  type AttemptId,
  type AttemptOutcome,
  type Car,
  type CarId,
  convicts,
  type Effect,
  type FactoryEvent,
  heldMembers,
  type ProjectId,
  type TaskId,
  type Train,
} from "@dispatch/core";
import type { Decision } from "@dispatch/scheduler";
import { anOid, someIdentity } from "../kit/build-facts.ts";
import type { Agenda } from "./utilisation-agenda.ts";
import * as model from "./utilisation-day-model.ts";
import { candidateOf, type FactBoard, placing } from "./utilisation-facts.ts";

/** A day under way. */
export interface Day {
  board: FactBoard;
  agenda: Agenda;
  random: () => number;
  durations: Map<TaskId, number>;
  downNodes: Set<string>;
  /** Whether what an attempt made is good on main, as soon as it starts to land. */
  verdicts: Map<AttemptId, boolean>;
  /** How long tasks waited for their first car, in ms. */
  waitedToLand: number[];
  parked: number;
  serial: number;
}

export function startPlacement(day: Day, decision: Extract<Decision, { decide: "place" }>, now: number): void {
  const { board, agenda, random } = day;
  const { attempt, task, node } = decision;
  board.record(placing(decision), now);
  const refused = random() < model.failing.refusedAtStart;
  const { outcome, afterMs } = model.someSession(random, day.durations.get(task) ?? 0);
  agenda.at(now + model.startMs, (started) => {
    if (refused || day.downNodes.has(node)) {
      board.record({ type: "attempt-refused", attempt, because: "the node did not take it", retry: "later" }, started);
      askLead(day, attempt, started);
      return;
    }
    board.report(attempt, { type: "attempt-started", identity: someIdentity }, started);
    board.report(attempt, { type: "round-started", round: 1 }, started);
    agenda.at(started + afterMs, (ended) => endSession(day, attempt, outcome, ended));
  });
}

/** A session on a node that is down ends unseen; it is lost when the node comes back. */
export function endSession(day: Day, attempt: AttemptId, outcome: AttemptOutcome, now: number): void {
  const { board, agenda } = day;
  const row = board.attempts.get(attempt);
  if (row?.state.kind !== "running" || day.downNodes.has(row.node)) return;
  board.report(attempt, { type: "attempt-ended", outcome }, now);
  agenda.at(now + model.collectMs, (collected) => {
    const arrived = outcome.kind === "succeeded" ? { tip: outcome.tip, salvage: null } : { tip: null, salvage: anOid(5) };
    board.record({ type: "attempt-collected", attempt, ...arrived }, collected);
    board.record({ type: "workspace-discarded", attempt }, collected);
    if (outcome.kind === "succeeded") agenda.at(collected + model.checkMs, (checked) => checkResult(day, attempt, checked));
    else askLead(day, attempt, collected);
  });
}

function checkResult(day: Day, attempt: AttemptId, now: number): void {
  const findings = day.random() < model.failing.refusedByGates ? [model.placeholderFinding] : [];
  day.board.record({ type: "result-checked", attempt, findings }, now);
  askLead(day, attempt, now);
}

export function startLanding(day: Day, { project, car, kind, members, ahead }: Extract<Decision, { decide: "form-car" }>, now: number): void {
  for (const task of members) {
    const state = day.board.tasks.get(task)?.state;
    if (state?.kind !== "queued") continue;
    if (!day.verdicts.has(state.attempt)) {
      day.waitedToLand.push(now - state.since);
      day.verdicts.set(state.attempt, day.random() >= model.failing.refusedAtLanding);
    }
  }
  land(day, { type: "car-planned", project, car, kind, members, ahead }, now);
}

/** Records what happened to a car, and does in its time what follows from that. */
function land(day: Day, event: FactoryEvent, now: number): void {
  follow(day, day.board.record(event, now), now);
}

function follow(day: Day, effects: readonly Effect[], now: number): void {
  for (const effect of effects) {
    if (effect.do === "build-car") day.agenda.at(now + model.buildMs, (built) => buildCar(day, effect, built));
    if (effect.do === "run-car") day.agenda.at(now + model.verifyMs, (run) => judgeCar(day, effect, run));
    if (effect.do === "advance-main") landCar(day, effect, now);
  }
}

type CarEffect<Do extends Effect["do"]> = Extract<Effect, { do: Do }>;

function carOf({ board }: Day, { project, car }: { project: ProjectId; car: CarId }): { train: Train; car: Car } | undefined {
  const train = board.projects.get(project)?.train;
  const found = train?.cars.find(({ id }) => id === car);
  return train === undefined || found === undefined ? undefined : { train, car: found };
}

function buildCar(day: Day, effect: CarEffect<"build-car">, now: number): void {
  const found = carOf(day, effect);
  if (found?.car.state.kind !== "building" || found.car.onto !== effect.onto) return;
  const { project, car } = effect;
  const candidate = candidateOf(day.serial++);
  const tree = found.car.state.passed ?? candidate.tree;
  land(day, { type: "car-built", project, car, members: found.car.members, candidate: { ...candidate, tree } }, now);
}

/** Green when all that it holds is good. */
function judgeCar(day: Day, effect: CarEffect<"run-car">, now: number): void {
  const found = carOf(day, effect);
  if (found?.car.state.kind !== "running" || found.car.state.candidate.commit !== effect.commit) return;
  const { project, car } = effect;
  const isGood = heldMembers(found.train, found.car).every((task) => day.verdicts.get(attemptOf(day, task)) === true);
  const [only = ""] = found.car.members;
  if (isGood) {
    land(day, { type: "car-passed", project, car, candidate: found.car.state.candidate, run: car, gateHash: "0", verify: [] }, now);
  } else if (convicts(found.train, found.car)) {
    const attempt = attemptOf(day, only);
    land(day, { type: "candidate-refused", task: only, findings: [], conflict: null }, now);
    askLead(day, attempt, now);
  } else {
    land(day, { type: "car-failed", project, car, findings: [] }, now);
  }
}

function landCar(day: Day, effect: CarEffect<"advance-main">, now: number): void {
  const found = carOf(day, effect);
  if (found?.car.state.kind !== "advancing") return;
  const { project, car, commit } = effect;
  const from = found.car.onto;
  const merged = heldMembers(found.train, found.car);
  const left = day.board.record({ type: "car-landed", project, car, commit, from }, now);
  for (const task of merged) day.board.record({ type: "task-merged", task, commit, from }, now);
  follow(day, left, now);
}

function attemptOf({ board }: Day, task: TaskId): AttemptId {
  const state = board.tasks.get(task)?.state;
  return state?.kind === "landing" ? state.attempt : "";
}

/** When the attempt's failure has parked its task, a person lets it try again after a while. */
function askLead(day: Day, attempt: AttemptId, now: number): void {
  const task = day.board.attempts.get(attempt)?.task ?? "";
  if (day.board.tasks.get(task)?.state.kind !== "parked") return;
  day.parked++;
  day.agenda.at(now + model.someAnswerMs(day.random), (answered) => day.board.record({ type: "task-retried", task, by: "lead" }, answered));
}
