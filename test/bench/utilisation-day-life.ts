import { type AttemptId, type AttemptOutcome, attemptIdOf, type TaskId } from "@dispatch/core";
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
  /** How long tasks waited for their landing, in ms. */
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

export function startLanding(day: Day, { task, onto }: Extract<Decision, { decide: "land" }>, now: number): void {
  const { board, agenda } = day;
  const state = board.tasks.get(task)?.state;
  if (state?.kind === "queued") day.waitedToLand.push(now - state.since);
  const candidate = candidateOf(day.serial++);
  board.record({ type: "landing-planned", task, onto }, now);
  agenda.at(now + model.buildMs, (built) => {
    board.record({ type: "candidate-built", task, candidate }, built);
    agenda.at(built + model.verifyMs, (verified) => {
      if (day.random() < model.failing.refusedAtLanding) {
        board.record({ type: "candidate-refused", task, findings: [], conflict: null }, verified);
        askLead(day, attemptIdOf(task, board.tasks.get(task)?.state.tries ?? 0), verified);
        return;
      }
      board.record({ type: "candidate-verified", task, candidate, verify: [] }, verified);
      board.record({ type: "task-merged", task, commit: candidate.commit, from: onto }, verified);
    });
  });
}

/** When the attempt's failure has parked its task, a person lets it try again after a while. */
function askLead(day: Day, attempt: AttemptId, now: number): void {
  const task = day.board.attempts.get(attempt)?.task ?? "";
  if (day.board.tasks.get(task)?.state.kind !== "parked") return;
  day.parked++;
  day.agenda.at(now + model.someAnswerMs(day.random), (answered) => day.board.record({ type: "task-retried", task, by: "lead" }, answered));
}
