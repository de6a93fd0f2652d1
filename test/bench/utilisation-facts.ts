import {
  type Attempt,
  type AttemptId,
  type AttemptOutcome,
  type Candidate,
  type Effect,
  evolve,
  type FactoryEvent,
  type NodeSnapshot,
  type Project,
  type ProjectId,
  plainNode,
  type Task,
  type TaskId,
  type WrapperFact,
} from "@dispatch/core";
import { type Board, createBoard, type Decision, type SchedulingPolicy } from "@dispatch/scheduler";
import { anOid } from "../kit/build-facts.ts";

/** The factory's own state machines and scheduler on simulated time: facts go in, decisions come out. */
export interface FactBoard {
  readonly tasks: ReadonlyMap<TaskId, Task>;
  readonly attempts: ReadonlyMap<AttemptId, Attempt>;
  readonly projects: ReadonlyMap<ProjectId, Project>;
  /** Records a fact, and says what is to be done about it; throws when the state machines do not take it. */
  record(event: FactoryEvent, now: number): readonly Effect[];
  /** Records what a node tells of an attempt, with the next number. */
  report(attempt: AttemptId, fact: WrapperFact, now: number): void;
  decide(now: number): readonly Decision[];
  nextDecisionAt: Board["nextDecisionAt"];
  setNodes: Board["setNodes"];
}

export function createFactBoard(nodes: readonly NodeSnapshot[], policies: ReadonlyMap<ProjectId, SchedulingPolicy>): FactBoard {
  const projects = new Map<ProjectId, Project>();
  const tasks = new Map<TaskId, Task>();
  const attempts = new Map<AttemptId, Attempt>();
  const world = { projects, tasks, attempts, nodes: new Map() };
  const board = createBoard({ world, nodes, projects: policies });
  const self: FactBoard = {
    tasks,
    attempts,
    projects,
    record(event, now) {
      const evolution = evolve(world, event, now);
      if (evolution.outcome !== "moved") throw new Error(`${event.type} is ${evolution.outcome}: ${evolution.because}`);
      const { change } = evolution;
      for (const row of change.projects) projects.set(row.id, row);
      for (const row of change.tasks) tasks.set(row.id, row);
      for (const row of change.attempts) attempts.set(row.id, row);
      board.update(change);
      return change.effects;
    },
    report(attempt, fact, now) {
      const seq = (attempts.get(attempt)?.cursor ?? 0) + 1;
      self.record({ type: "wrapper-reported", attempt, seq, reportedAt: now, fact }, now);
    },
    decide: (now) => board.decide(now),
    nextDecisionAt: (now) => board.nextDecisionAt(now),
    setNodes: (next) => board.setNodes(next),
  };
  for (const project of policies.keys()) self.record({ type: "project-started", project, main: anOid(1) }, 0);
  return self;
}

/** `count` equal nodes that together have so many slots. */
export function someNodes(count: number, slots: number): NodeSnapshot[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `node${i}`,
    slots: slots / count,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 64, memoryMb: 262_144, gpus: 0 },
    load: null,
    ...plainNode,
    status: { kind: "up" },
  }));
}

export const openPolicy: SchedulingPolicy = {
  landing: "continuous",
  contracts: [],
  shared: [],
  generated: [],
  barrier: [],
  share: 1,
  executor: null,
};

export function placing(decision: Extract<Decision, { decide: "place" }>): FactoryEvent {
  const { task, attempt, n, node, base } = decision;
  return { type: "task-placed", task, attempt, n, node, base, executor: "agent" };
}

export const success = { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 } satisfies AttemptOutcome;

/** A commit that no other landing makes. */
export function candidateOf(serial: number): Candidate {
  return { commit: anOid(1000 + serial), merge: anOid(11), tree: anOid(500_000 + serial) };
}
