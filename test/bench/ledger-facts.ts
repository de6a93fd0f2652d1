import { attemptIdOf, type Candidate, effectKey, type FactoryEvent, type TaskId } from "@dispatch/core";
import { anOid, aSpec } from "../kit/build-facts.ts";

const text = `# A spec of ordinary length\n\n${"What has to be done, why, and how one sees that it is done.\n".repeat(20)}`;

export function taskName(n: number): TaskId {
  return `shop/S${n}-bench`;
}

/** What a task carries: the same goes into BullMQ as the job's data. */
export function payloadOf(n: number): Extract<FactoryEvent, { type: "task-planned" }> {
  const id = `S${n}-bench`;
  return { type: "task-planned", task: taskName(n), spec: aSpec(id), digest: "0".repeat(64), text, path: `specs/shop/${id}.md` };
}

export const projectStarted: FactoryEvent = { type: "project-started", project: "shop", main: anOid(0) };

export function placed(task: TaskId): FactoryEvent {
  return { type: "task-placed", task, attempt: attemptIdOf(task, 1), n: 1, node: "local", base: anOid(0), executor: "x" };
}

/** The session was seen to end: the slot is free, the result is known. */
export function ended(task: TaskId): FactoryEvent {
  const outcome = { kind: "succeeded", tip: anOid(9), base: anOid(0), rounds: 1 } as const;
  return { type: "wrapper-reported", attempt: attemptIdOf(task, 1), seq: 1, reportedAt: 7, fact: { type: "attempt-ended", outcome } };
}

/** What follows when a session has ended, up to main: one fact a transaction, with the effect it completes. */
export function landed(task: TaskId): { event: FactoryEvent; done: string }[] {
  const attempt = attemptIdOf(task, 1);
  const car = { project: "shop", car: task };
  // Main stays where it is, so that every landing is like the first one.
  const onto = anOid(0);
  const commit = onto;
  const candidate: Candidate = { commit, merge: anOid(11), tree: anOid(10) };
  return [
    { event: { type: "attempt-collected", attempt, tip: anOid(9), salvage: null }, done: `collect-attempt:${attempt}` },
    { event: { type: "workspace-discarded", attempt }, done: `discard-workspace:${attempt}` },
    { event: { type: "result-checked", attempt, findings: [] }, done: `check-result:${attempt}` },
    { event: { type: "car-planned", ...car, kind: "car", members: [task], ahead: [] }, done: "" },
    { event: { type: "car-built", ...car, members: [task], candidate }, done: effectKey({ do: "build-car", ...car, onto }) },
    {
      event: { type: "car-passed", ...car, candidate, run: task, gateHash: "0", verify: [] },
      done: effectKey({ do: "run-car", ...car, commit, broken: 0 }),
    },
    { event: { type: "car-landed", ...car, commit, from: onto }, done: effectKey({ do: "advance-main", ...car, commit }) },
    { event: { type: "task-merged", task, commit, from: onto }, done: "" },
  ];
}
