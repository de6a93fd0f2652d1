import { type TaskId, taskIdOf } from "@dispatch/core";
import type { Decision } from "@dispatch/scheduler";
import { anOid, aSpec, planned, someIdentity } from "../kit/build-facts.ts";
import { candidateOf, createFactBoard, type FactBoard, openPolicy, placing, someNodes, success } from "./utilisation-facts.ts";
import type { Chooser } from "./utilisation-lists.ts";
import type { PlanTask } from "./utilisation-plan.ts";

const project = "shop";

/** The product's scheduler as a chooser: every task goes through its whole life, as facts, with nothing but the session taking time. */
export function createBoardChooser(plan: readonly PlanTask[], slots: number): Chooser {
  const board = createFactBoard(someNodes(4, slots), new Map([[project, openPolicy]]));
  const byId = new Map<TaskId, PlanTask>(plan.map((task) => [taskIdOf(project, task.id), task]));
  for (const { id, priority, estimateMinutes, dependsOn, paths } of plan) {
    board.record(planned(aSpec(id, { project, priority, estimateMinutes, dependsOn: dependsOn.map((needed) => needed.id), modifies: paths })), 0);
  }
  let serial = 0;
  return {
    choose(now) {
      for (;;) {
        const decisions = board.decide(now);
        // A merge takes no time here, so nothing is placed before everything that ended now is merged.
        const car = decisions.find((decision) => decision.decide === "form-car");
        if (car?.decide === "form-car") {
          land(board, car, serial++, now);
          continue;
        }
        return decisions.flatMap((decision) => {
          const task = decision.decide === "place" ? byId.get(decision.task) : undefined;
          if (decision.decide !== "place" || task === undefined) return [];
          board.record(placing(decision), now);
          board.report(decision.attempt, { type: "attempt-started", identity: someIdentity }, now);
          return [task];
        });
      }
    },
    ended(task, now) {
      const state = board.tasks.get(taskIdOf(project, task.id))?.state;
      if (state?.kind !== "running") throw new Error(`${task.id} ended while ${state?.kind}`);
      const { attempt } = state;
      board.report(attempt, { type: "attempt-ended", outcome: success }, now);
      board.record({ type: "attempt-collected", attempt, tip: success.tip, salvage: null }, now);
      board.record({ type: "result-checked", attempt, findings: [] }, now);
    },
  };
}

function land(board: FactBoard, { car, kind, members }: Extract<Decision, { decide: "form-car" }>, serial: number, now: number): void {
  const candidate = candidateOf(serial);
  const { commit } = candidate;
  const of = { project, car };
  board.record({ type: "car-planned", ...of, kind, members, ahead: [] }, now);
  board.record({ type: "car-built", ...of, members, candidate }, now);
  board.record({ type: "car-passed", ...of, candidate, run: car, gateHash: "0", verify: [] }, now);
  board.record({ type: "car-landed", ...of, commit, from: anOid(1) }, now);
  for (const task of members) board.record({ type: "task-merged", task, commit, from: anOid(1) }, now);
}
