import { type TaskId, taskIdOf } from "@dispatch/core";
import { aSpec, planned, someIdentity } from "../kit/build-facts.ts";
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
        const landings = decisions.flatMap((decision) => (decision.decide === "land" ? [decision] : []));
        for (const { task, onto } of landings) land(board, task, onto, serial++, now);
        if (landings.length > 0) continue;
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

function land(board: FactBoard, task: TaskId, onto: string, serial: number, now: number): void {
  const candidate = candidateOf(serial);
  board.record({ type: "landing-planned", task, onto }, now);
  board.record({ type: "candidate-built", task, candidate }, now);
  board.record({ type: "candidate-verified", task, candidate, verify: [] }, now);
  board.record({ type: "task-merged", task, commit: candidate.commit, from: onto }, now);
}
