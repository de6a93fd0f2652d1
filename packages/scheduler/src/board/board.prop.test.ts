import {
  attemptIdOf,
  type Change,
  emptyWorld,
  evolve,
  type FactoryEvent,
  type Finding,
  isFencedWithNode,
  type NodeSnapshot,
  plainNode,
  type Task,
  type TaskSpec,
  type TaskType,
  type World,
  withChange,
} from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../../test/kit/build-facts.ts";
import { createBoard, type Decision, decide, nextDecisionAt, type SchedulingPolicy, type Snapshot } from "../index.ts";
import { naiveDecide } from "../testing/naive-decide.ts";

/** A number from 0 up to below `n`, from the seed alone. */
type Dice = (n: number) => number;

function diceOf(seed: number): Dice {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

const projects = ["shop", "blog"];
const entries = [
  "src",
  "src/a",
  "src/a/x.ts",
  "src/b",
  "src/b/y.ts",
  "lib",
  "lib/z.ts",
  "src/*",
  "src/**",
  "**/*.ts",
  "lib/*.ts",
  "[sl]*/a",
  "docs/1",
  "docs/2",
  "docs/3",
  "api.yaml",
];
const types: TaskType[] = ["feature", "bugfix", "feature", "test", "feature", "feature"];

function pick<T>(dice: Dice, from: readonly T[]): T {
  return from[dice(from.length)] as T;
}

function some<T>(dice: Dice, most: number, from: readonly T[]): T[] {
  return Array.from({ length: dice(most + 1) }, () => pick(dice, from));
}

/** How a history goes: many small locks under one folder and many slots, or everything mixed. */
interface Manner {
  crowded: boolean;
}

function randomSpec(dice: Dice, { crowded }: Manner, n: number, project: string): TaskSpec {
  const earlier = Array.from({ length: n }, (_, i) => `S${i}`);
  const narrow = () => (crowded ? `src/m${dice(3)}/${dice(12)}.ts` : `f/${dice(12)}.ts`);
  const wide = () => (crowded ? pick(dice, ["src", "src/m1", "src/m2/**", "src/*/1.ts"]) : pick(dice, entries));
  return aSpec(`S${n}`, {
    project,
    type: dice(crowded ? 200 : 25) === 0 ? "contract" : pick(dice, types),
    priority: dice(4) as 0 | 1 | 2 | 3,
    dependsOn: dice(crowded ? 8 : 3) === 0 ? some(dice, 2, earlier) : [],
    after: dice(8) === 0 ? some(dice, 1, earlier) : [],
    modifies: dice(crowded ? 6 : 2) > 0 ? [narrow()] : [wide()],
    creates: dice(3) === 0 ? [narrow()] : [],
    reads: dice(crowded ? 10 : 2) === 0 ? [wide()] : [],
    executor: pick(dice, ["auto", "auto", "fast", "slow"]),
    estimateMinutes: pick(dice, [5, 10, 10, 30, 90]),
    resources: dice(5) === 0 ? { cpus: pick(dice, [0.5, 1, 2]), memoryMb: pick(dice, [0, 600]), gpus: dice(2) } : { cpus: 0, memoryMb: 0, gpus: 0 },
    nodes: dice(10) === 0 ? [pick(dice, ["n1", "n2", "n9"])] : [],
    nodeLabels: dice(8) === 0 ? ["big"] : [],
    direction: pick(dice, [null, null, "d1", "d2"]),
  });
}

function randomNodes(dice: Dice, { crowded }: Manner): NodeSnapshot[] {
  return ["n1", "n2", "n3"].map((id, i) => ({
    id,
    slots: (crowded ? 8 : 1) + dice(3),
    lowPriority: i === 2,
    labels: i === 1 ? ["big"] : [],
    executors: dice(4) === 0 ? ["fast"] : null,
    capacity: { cpus: 2, memoryMb: 1000, gpus: i === 0 ? 1 : 0 },
    load: pick(dice, [null, 0.2, 3]),
    ...plainNode,
    status: dice(6) === 0 ? { kind: "down", because: "test", since: 0 } : { kind: "up" },
    closed: dice(5) === 0 ? { kind: pick(dice, ["cordoned", "draining", "lost", "pressure", "leaving"]), because: "test" } : null,
  }));
}

function randomPolicies(dice: Dice): Map<string, SchedulingPolicy> {
  const policies = new Map<string, SchedulingPolicy>();
  for (const project of projects) {
    if (dice(12) === 0) continue;
    policies.set(project, {
      landing: dice(4) === 0 ? "on-collect" : "continuous",
      contracts: dice(2) === 0 ? ["api.yaml"] : [],
      shared: [],
      generated: [],
      barrier: [],
      share: pick(dice, [1, 1, 2]),
      executor: pick(dice, [null, "fast", "slow"]),
    });
  }
  return policies;
}

function revised(task: string, spec: TaskSpec): FactoryEvent {
  return { type: "spec-revised", task, spec, digest: "d2", text: "", path: "" };
}

/** A fact that may follow in this world: of the kind that a roll names, or none. */
function randomFact(dice: Dice, manner: Manner, world: World, now: number): FactoryEvent | undefined {
  const tasks = [...world.tasks.values()];
  const task = tasks.length === 0 ? undefined : pick(dice, tasks);
  const roll = dice(40);
  if (task === undefined || roll < 6) {
    const project = manner.crowded ? "shop" : pick(dice, projects);
    return planned(randomSpec(dice, manner, tasks.filter((one) => one.project === project).length, project));
  }
  if (roll === 6)
    return dice(4) === 0
      ? { type: "project-paused", project: task.project, by: "lead" }
      : { type: "project-started", project: task.project, main: anOid(1) };
  if (roll === 7) return { type: "task-cancelled", task: task.id, by: "lead" };
  if (roll === 8) return { type: "task-retried", task: task.id, by: "lead" };
  if (roll === 9) return revised(task.id, { ...randomSpec(dice, manner, 3, task.project), id: task.spec.id });
  if (roll === 10)
    return dice(15) === 0
      ? { type: "landing-frozen", project: task.project, commit: anOid(2), because: "red" }
      : { type: "collect-requested", project: task.project, by: "lead" };
  if (roll > 10 && roll < 16) {
    const { collect } = world.projects.get(task.project) ?? {};
    if (collect?.kind === "publishing") return { type: "main-published", project: task.project, commit: anOid(4) };
    if (collect?.kind === "taking-in") return { type: "origin-taken-in", project: task.project, main: anOid(3 + dice(5)), commits: 1 };
  }
  if (roll > 15 && roll < 19) {
    const fenced = fencingFact(dice, world);
    if (fenced !== undefined) return fenced;
  }
  const landing = tasks.filter((one) => one.state.kind === "landing");
  const live = tasks.filter((one) => "attempt" in one.state && one.state.kind !== "merged");
  return nextFactOf(dice, world, pick(dice, landing.length > 0 && dice(3) > 0 ? landing : [...live, task]).id, now);
}

/** A node is lost with one of its attempts, or a lost one is given up or comes back. */
function fencingFact(dice: Dice, world: World): FactoryEvent | undefined {
  const attempts = [...world.attempts.values()];
  const fenced = attempts.filter((attempt) => attempt.state.kind === "fenced");
  if (fenced.length > 0 && dice(2) === 0) {
    const { id } = pick(dice, fenced);
    return dice(4) === 0
      ? { type: "attempt-abandoned", attempt: id, by: "lead" }
      : { type: "attempt-retired", attempt: id, tip: anOid(9), salvage: null };
  }
  const onNode = attempts.filter(isFencedWithNode);
  return onNode.length === 0 ? undefined : { type: "attempt-fenced", attempt: pick(dice, onNode).id, because: "no link" };
}

const overtaken: Finding = { gate: "landing", severity: "block", found: "main changed it", why: "", hint: "" };

function nextFactOf(dice: Dice, world: World, id: string, now: number): FactoryEvent | undefined {
  const task = world.tasks.get(id);
  if (task === undefined) return undefined;
  const { state } = task;
  const attempt = attemptIdOf(id, state.tries);
  const cursor = world.attempts.get(attempt)?.cursor ?? 0;
  switch (state.kind) {
    case "starting":
      if (dice(8) === 0) return { type: "attempt-refused", attempt, because: "no", retry: dice(2) === 0 ? "never" : "later" };
      return reported(attempt, cursor + 1, { type: "attempt-started", identity: someIdentity }, now);
    case "running":
    case "cancelling": {
      if (dice(10) === 0) return { type: "attempt-stop-asked", attempt, because: "test" };
      if (world.attempts.get(attempt)?.state.kind === "ended") return { type: "attempt-collected", attempt, tip: anOid(9), salvage: null };
      const succeeded = { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 } as const;
      const outcome = pick(dice, [
        succeeded,
        succeeded,
        succeeded,
        { kind: "lost", because: "gone" },
        { kind: "exhausted", rounds: 3, findings: [] },
        { kind: "stopped", because: "" },
      ] as const);
      return reported(attempt, cursor + 1, { type: "attempt-ended", outcome }, now);
    }
    case "collecting":
      return { type: "attempt-collected", attempt, tip: anOid(9), salvage: null };
    case "checking":
      return {
        type: "result-checked",
        attempt,
        findings: dice(6) === 0 ? [{ gate: "G01", severity: "block", found: "", why: "", hint: "" }] : [],
      };
    case "landing":
      return dice(12) === 0
        ? { type: "candidate-refused", task: id, findings: dice(2) === 0 ? [overtaken] : [], conflict: null }
        : nextFactOfCar(dice, world, task, state.car);
    case "planned":
    case "backoff":
    case "queued":
    case "merged":
    case "parked":
    case "cancelled":
      return undefined;
  }
}

function nextFactOfCar(dice: Dice, world: World, task: Task, id: string): FactoryEvent {
  const project = world.projects.get(task.project);
  const car = project?.train.cars.find((one) => one.id === id);
  const of = { project: task.project, car: id };
  // Its car has landed, so that this one is to be told merged.
  if (car === undefined) return { type: "task-merged", task: task.id, commit: project?.main ?? "", from: anOid(7) };
  if (dice(10) === 0) return { type: "car-dropped", ...of, because: "moved", ...(dice(2) === 0 ? { main: anOid(7) } : {}) };
  const { state } = car;
  switch (state.kind) {
    case "building": {
      const candidate = { commit: anOid(50 + dice(9)), merge: anOid(2), tree: anOid(3 + dice(3)) };
      const members = car.members.filter(() => dice(8) > 0);
      return { type: "car-built", ...of, members: members.length === 0 ? car.members : members, candidate };
    }
    case "running":
      if (dice(8) === 0) return { type: "run-broken", ...of, because: "killed" };
      if (dice(3) === 0) return { type: "car-failed", ...of, findings: [] };
      return { type: "car-passed", ...of, candidate: state.candidate, run: "r", gateHash: "g", verify: [] };
    case "advancing":
      return { type: "car-landed", ...of, commit: state.candidate.commit, from: car.onto };
    case "passed":
    case "red":
      return { type: "candidate-refused", task: task.id, findings: [], conflict: null };
  }
}

function eventOf(decision: Decision): FactoryEvent {
  switch (decision.decide) {
    case "place": {
      const { task, attempt, n, node, base } = decision;
      return { type: "task-placed", task, attempt, n, node, base, executor: n % 2 === 0 ? "slow" : "fast" };
    }
    case "form-car": {
      const { project, car, kind, members, ahead } = decision;
      return { type: "car-planned", project, car, kind, members, ahead };
    }
    case "publish":
      return { type: "publishing-planned", project: decision.project };
  }
}

interface Played {
  placed: number;
  ended: number;
  /** Attempts that were fenced, and how often one held a slot while another worked on its task. */
  fenced: number;
  twice: number;
}

/** A random history; after every step the board, a board made anew and the oracle have to agree. */
function playHistory(seed: number, steps: number): Played {
  const dice = diceOf(seed);
  const manner = { crowded: dice(3) === 0 };
  let world = emptyWorld();
  let nodes = randomNodes(dice, manner);
  let policies: ReadonlyMap<string, SchedulingPolicy> = randomPolicies(dice);
  let now = 1_000_000;
  let placed = 0;
  let fenced = 0;
  let twice = 0;
  const snapshot = (): Snapshot => ({ world, nodes, projects: policies });
  const board = createBoard(snapshot());
  const record = (events: readonly FactoryEvent[]): void => {
    const changes: Change[] = [];
    for (const event of events) {
      const evolution = evolve(world, event, now);
      if (evolution.outcome !== "moved") continue;
      if (event.type === "attempt-fenced") fenced++;
      world = withChange(world, evolution.change);
      changes.push(evolution.change);
      board.update(evolution.change);
    }
  };
  record(projects.map((project): FactoryEvent => ({ type: "project-started", project, main: anOid(1) })));
  for (let step = 0; step < steps; step++) {
    const roll = dice(12);
    if (roll === 0) nodes = randomNodes(dice, manner);
    if (roll === 1 && dice(4) === 0) policies = randomPolicies(dice);
    if (roll < 6) now += pick(dice, [0, 1000, 60_000, 20 * 60_000, 3 * 3_600_000, 20 * 3_600_000]);
    board.setNodes(nodes);
    board.setProjects(policies);
    const events = Array.from({ length: 1 + dice(16) }, () => randomFact(dice, manner, world, now));
    for (const event of events) if (event !== undefined) record([event]);
    for (const { task, state } of world.attempts.values()) {
      const other = world.tasks.get(task)?.state;
      if (state.kind === "fenced" && (other?.kind === "starting" || other?.kind === "running")) twice++;
    }
    const decisions = board.decide(now);
    expect(decisions).toEqual(naiveDecide(snapshot(), now));
    expect(decisions).toEqual(decide(snapshot(), now));
    expect(board.decide(now)).toEqual(decisions);
    expect(board.nextDecisionAt(now)).toEqual(nextDecisionAt(snapshot(), now));
    if (dice(3) === 0) continue;
    record(decisions.map(eventOf));
    placed += decisions.filter((decision) => decision.decide === "place").length;
    expect(board.decide(now).filter((decision) => decision.decide === "place")).toEqual([]);
  }
  return { placed, fenced, twice, ended: [...world.tasks.values()].filter((task) => task.state.kind === "merged").length };
}

describe("the board", () => {
  it("decides what a board made anew and the oracle decide, after every step of random histories", () => {
    let placed = 0;
    let ended = 0;
    let fenced = 0;
    let twice = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const played = playHistory(seed, 60);
        placed += played.placed;
        ended += played.ended;
        fenced += played.fenced;
        twice += played.twice;
      }),
      { numRuns: 50 },
    );
    expect(placed).toBeGreaterThan(300);
    expect(ended).toBeGreaterThan(10);
    expect(fenced).toBeGreaterThan(50);
    expect(twice).toBeGreaterThan(10);
  });
});
