import { type Attempt, evolve, type FactoryEvent, leaveTrain, type Project, type Task, type TaskState, type World, withChange } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anOid } from "../../../../test/kit/build-facts.ts";
import { busySnapshotDraw, now, snapshotDraw } from "../../../../test/kit/draw-snapshot.ts";
import { type Decision, nextDecisionAt } from "../decide.ts";
import type { Snapshot } from "../snapshot.ts";
import { naiveDecide } from "../testing/naive-decide.ts";
import { findGridlock, isAlarm } from "./find-gridlock.ts";

function put(world: World, task: Task): World {
  return { ...world, tasks: new Map([...world.tasks, [task.id, task]]) };
}

function finish(world: World, task: Task): World {
  const attempt = "attempt" in task.state ? task.state.attempt : "";
  const known = world.attempts.get(attempt);
  const attempts = new Map(world.attempts);
  if (known !== undefined)
    attempts.set(attempt, { ...known, endedAt: 1, state: { kind: "discarded", outcome: { kind: "lost", because: "" }, tip: null, salvage: null } });
  const state: TaskState =
    task.state.kind === "cancelling"
      ? { kind: "cancelled", by: "x", tries: 1, limit: 4, feedback: [] }
      : { kind: "queued", attempt, tip: anOid(2), since: 0, tries: 1, limit: 4, feedback: [] };
  return put({ ...world, attempts }, { ...task, state });
}

function waitingAgain(task: Task): Task {
  if (task.state.kind !== "landing") return task;
  const { car: _, ...state } = task.state;
  return { ...task, state: { ...state, kind: "queued" } };
}

function merge(world: World, task: Task, attempt: string, at: number): World {
  const project = world.projects.get(task.project);
  if (project === undefined) return world;
  const train = leaveTrain(project.train, task.id, "landed");
  const riding = new Set(train.cars.map(({ id }) => id));
  const tasks = [...world.tasks.values()].map((other) =>
    other.project === project.id && other.state.kind === "landing" && !riding.has(other.state.car) ? waitingAgain(other) : other,
  );
  const projects = new Map([...world.projects, [project.id, { ...project, train }]]);
  const next = { ...world, projects, tasks: new Map(tasks.map((other) => [other.id, other])) };
  return put(next, { ...task, state: { kind: "merged", attempt, commit: anOid(4), at, tries: 1 } });
}

function retireAll(world: World): World {
  const retire = (attempt: Attempt): Attempt => {
    if (attempt.state.kind !== "fenced") return attempt;
    return { ...attempt, state: { kind: "discarded", outcome: { kind: "lost", because: "" }, tip: null, salvage: null } };
  };
  return { ...world, attempts: new Map([...world.attempts].map(([id, attempt]) => [id, retire(attempt)])) };
}

/** The definition, by trying every order of the factory's own moves. */
function leadsOnByForce(start: Snapshot, project: string): boolean {
  const seen = new Set<string>();
  const open: { world: World; at: number }[] = [{ world: start.world, at: now }];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const { world, at } = state;
    const snapshot = { ...start, world };
    const key = JSON.stringify([
      at,
      [...world.tasks.values()].map((task) => task.state.kind),
      [...world.attempts.values()].map((attempt) => attempt.state.kind),
      [...world.projects.values()].map((p) => p.collect.kind),
    ]);
    if (seen.has(key)) continue;
    seen.add(key);
    const push = (next: World, then = at) => open.push({ world: next, at: then });
    for (const task of world.tasks.values()) {
      if (task.state.kind === "landing") {
        if (task.project === project) return true;
        push(merge(world, task, task.state.attempt, at));
      } else if (["starting", "running", "checking", "cancelling"].includes(task.state.kind)) push(finish(world, task));
    }
    if ([...world.attempts.values()].some((attempt) => attempt.state.kind === "fenced")) push(retireAll(world));
    for (const one of world.projects.values()) {
      const { collect } = one;
      if (collect.kind !== "taking-in" && collect.kind !== "publishing") continue;
      const next: Project = { ...one, collect: collect.kind === "taking-in" ? { ...collect, kind: "landing" } : { kind: "idle", last: null } };
      push({ ...world, projects: new Map([...world.projects, [one.id, next]]) });
    }
    const later = nextDecisionAt(snapshot, at);
    if (later !== undefined) push(world, later);
    let decided = world;
    for (const decision of naiveDecide(snapshot, at)) {
      if (decision.decide === "publish") {
        const one = decided.projects.get(decision.project);
        if (one !== undefined)
          decided = {
            ...decided,
            projects: new Map([...decided.projects, [one.id, { ...one, collect: { kind: "publishing", requestedAt: 0, tasks: [] } }]]),
          };
        continue;
      }
      const owner = decision.decide === "place" ? decided.tasks.get(decision.task)?.project : decision.project;
      if (owner === project) return true;
      const event = eventOf(decision);
      const step = evolve(decided, event, at);
      if (step.outcome !== "moved") throw new Error(step.because);
      decided = withChange(decided, step.change);
    }
    if (decided !== world) push(decided);
  }
  return false;
}

function eventOf(decision: Exclude<Decision, { decide: "publish" }>): FactoryEvent {
  if (decision.decide === "form-car") {
    const { project, car, kind, members, ahead } = decision;
    return { type: "car-planned", project, car, kind, members, ahead };
  }
  const { task, attempt, n, node, base } = decision;
  return { type: "task-placed", task, attempt, n, node, base, executor: "x" };
}

describe("the gridlock alarm", () => {
  it("is raised if and only if no order of the factory's own moves leads to a new placement or landing", () => {
    fc.assert(
      fc.property(snapshotDraw, (snapshot) => {
        for (const standing of findGridlock(snapshot, now)) {
          if (standing.kind === "idle") expect(standing.unfinished).toBe(0);
          else expect([standing.project, !isAlarm(standing)]).toEqual([standing.project, leadsOnByForce(snapshot, standing.project)]);
        }
      }),
      { numRuns: 130 },
    );
  });

  it("never says that time releases what time does not, and names a cause for every task that is stuck", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(snapshotDraw, busySnapshotDraw), (snapshot) => {
        for (const standing of findGridlock(snapshot, now)) {
          seen.add(standing.kind);
          if (standing.kind === "waiting-for-time") expect(standing.until).toBeGreaterThan(now);
          if (!("causes" in standing)) continue;
          expect(standing.causes.flatMap((cause) => cause.tasks)).toHaveLength(standing.unfinished);
        }
      }),
      { numRuns: 3000 },
    );
    expect([...seen].sort()).toEqual(["finishing", "gridlock", "idle", "moving", "waiting-for-lead", "waiting-for-time"]);
  });
});
