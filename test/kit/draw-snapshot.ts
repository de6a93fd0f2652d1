import {
  type Attempt,
  attemptIdOf,
  type Car,
  emptyTrain,
  emptyWorld,
  evolve,
  type FactoryEvent,
  type Finding,
  type NodeClosure,
  type NodeSnapshot,
  type Project,
  plainNode,
  type Task,
  type TaskState,
  type World,
  withChange,
} from "@dispatch/core";
import type { LandingPolicy, Snapshot } from "@dispatch/scheduler";
import fc from "fast-check";
import { anOid, aSpec } from "./build-facts.ts";

/** The moment at which drawn snapshots are looked at, in ms since the epoch. */
export const now = 1_000_000;
const kinds = ["planned", "backoff", "running", "checking", "queued", "landing", "merged", "parked", "cancelling", "cancelled"] as const;
const paths = ["lib", "lib/a.ts", "src/*.ts", "src/b.ts", "docs"];

interface TaskDraw {
  project: "shop" | "docs";
  kind: (typeof kinds)[number];
  paths: string[];
  reads: string[];
  dependsOn: number[];
  after: number[];
  priority: number;
  gpus: number;
  /** Its first attempt was fenced, and is not retired yet. */
  fenced: boolean;
  fencedOn: "n0" | "n1";
}

const taskDraw = (drawn: readonly TaskDraw["kind"][]): fc.Arbitrary<TaskDraw> =>
  fc.record({
    project: fc.constantFrom("shop" as const, "docs" as const),
    kind: fc.constantFrom(...drawn),
    paths: fc.uniqueArray(fc.constantFrom(...paths), { minLength: 1, maxLength: 2 }),
    reads: fc.uniqueArray(fc.constantFrom(...paths), { maxLength: 1 }),
    dependsOn: fc.uniqueArray(fc.nat(4), { maxLength: 1 }),
    after: fc.uniqueArray(fc.nat(4), { maxLength: 1 }),
    priority: fc.nat(3),
    gpus: fc.constantFrom(0, 0, 0, 1, 9),
    fenced: fc.constantFrom(false, false, false, false, true),
    fencedOn: fc.constantFrom("n0" as const, "n1" as const),
  });

const projectDraw = (hindered: fc.Arbitrary<boolean>) =>
  fc.record({
    paused: hindered,
    frozen: hindered,
    contracts: fc.constantFrom<string[]>([], [], ["docs"]),
    shared: fc.constantFrom<string[]>([], [], [], ["lib/a.ts"], ["src/*.ts"]),
    policy: fc.constantFrom<LandingPolicy>("continuous", "on-collect"),
    collect: fc.constantFrom("idle" as const, "idle" as const, "taking-in" as const, "landing" as const, "publishing" as const),
  });

const open = [null, null, null, null, null, null, null, null] as const;
const closures: readonly NodeClosure["kind"][] = ["cordoned", "draining", "lost", "pressure", "leaving"];

const nodeDraw = (hindered: fc.Arbitrary<boolean>) =>
  fc.record({
    slots: fc.integer({ min: 1, max: 2 }),
    down: hindered,
    gpus: fc.constantFrom(0, 1),
    closed: fc.constantFrom(...open, ...closures),
  });

const draw = (drawn: readonly TaskDraw["kind"][], hindered: fc.Arbitrary<boolean>) =>
  fc
    .tuple(
      fc.array(taskDraw(drawn), { minLength: 1, maxLength: 5 }),
      fc.record({ shop: projectDraw(hindered), docs: projectDraw(hindered) }),
      fc.array(nodeDraw(hindered), { minLength: 1, maxLength: 2 }),
    )
    .map(([tasks, projects, nodes]) => snapshotOf(tasks, projects, nodes));

/** Small snapshots of two projects in every mixture of states, locks, dependencies, resources, pauses and collects. */
export const snapshotDraw = draw(kinds, fc.boolean());

/** The same where most wait or run and little hinders them: they meet at locks and slots. */
export const busySnapshotDraw = draw(
  [...kinds, "planned", "planned", "planned", "planned", "running", "running", "backoff", "backoff"],
  fc.constantFrom(false, false, false, true),
);

type ProjectDraw = ReturnType<typeof projectDraw> extends fc.Arbitrary<infer T> ? T : never;
type NodeDraw = ReturnType<typeof nodeDraw> extends fc.Arbitrary<infer T> ? T : never;

function snapshotOf(draws: readonly TaskDraw[], projectDraws: Record<"shop" | "docs", ProjectDraw>, nodeDraws: readonly NodeDraw[]): Snapshot {
  const tasks = draws.map((draw, i) => aTask(draw, i));
  const landing = new Set<string>();
  const kept = tasks.map((task) => {
    if (task.state.kind !== "landing" || !landing.has(task.project)) {
      if (task.state.kind === "landing") landing.add(task.project);
      return task;
    }
    return { ...task, state: stateOf("queued", task.id, 0, task.state.tries) };
  });
  const nodes = nodeDraws.map(
    ({ slots, down, gpus, closed }, i): NodeSnapshot => ({
      id: `n${i}`,
      slots,
      lowPriority: i === 1,
      labels: [],
      executors: null,
      capacity: { cpus: 8, memoryMb: 1000, gpus },
      load: null,
      ...plainNode,
      status: down || closed === "lost" ? { kind: "down", because: "no link", since: 0 } : { kind: "up" },
      closed: closed === null ? null : { kind: closed, because: `drawn as ${closed}` },
    }),
  );
  const attempts = kept.flatMap((task, i) => {
    const { fenced = false, fencedOn = "n0" } = draws[i] ?? {};
    return attemptsOf(task, fenced ? fencedOn : undefined);
  });
  const projects = (["shop", "docs"] as const).map((id): Project => {
    const { paused, frozen, collect } = projectDraws[id];
    const landable = kept
      .filter((task) => task.project === id && (task.state.kind === "queued" || task.state.kind === "landing"))
      .map((task) => task.id);
    const landing = kept.filter((task) => task.project === id && task.state.kind === "landing").map((task) => task.id);
    const car: Car = { id: "1", kind: "car", members: landing, ahead: [], onto: anOid(1), state: { kind: "building", passed: null } };
    return {
      id,
      train: landing.length === 0 ? emptyTrain : { ...emptyTrain, lastCar: 1, cars: [car] },
      main: anOid(1),
      placing: paused ? { kind: "paused", by: "x" } : { kind: "running" },
      landing: frozen ? { kind: "frozen", because: "red" } : { kind: "open" },
      collect: collect === "idle" ? { kind: "idle", last: null } : { kind: collect, requestedAt: 0, tasks: collect === "publishing" ? [] : landable },
    };
  });
  return {
    world: {
      projects: new Map(projects.map((project) => [project.id, project])),
      tasks: new Map(kept.map((task) => [task.id, task])),
      attempts: new Map(attempts.map((attempt) => [attempt.id, attempt])),
      nodes: new Map(),
    },
    nodes,
    projects: new Map(
      (["shop", "docs"] as const).map((id) => [
        id,
        {
          landing: projectDraws[id].policy,
          contracts: projectDraws[id].contracts,
          shared: projectDraws[id].shared,
          generated: [],
          barrier: [],
          share: 1,
          executor: null,
        },
      ]),
    ),
  };
}

function aTask(draw: TaskDraw, i: number): Task {
  const id = `${draw.project}/S0${i}`;
  const spec = aSpec(`S0${i}`, {
    project: draw.project,
    modifies: draw.paths,
    reads: draw.reads,
    dependsOn: draw.dependsOn.map((n) => `S0${n}`),
    after: draw.after.map((n) => `S0${n}`),
    priority: draw.priority as 0 | 1 | 2 | 3,
    resources: { cpus: 0, memoryMb: 0, gpus: draw.gpus },
  });
  const waits = draw.kind === "planned" || draw.kind === "backoff";
  const state = stateOf(draw.kind, id, i, draw.fenced && !waits ? 2 : 1);
  return { id, project: draw.project, spec, digest: "", text: "", path: "", revision: 1, plannedAt: i, state };
}

function stateOf(kind: (typeof kinds)[number], id: string, i: number, n: number): TaskState {
  const overtaken: Finding = { gate: "landing", severity: "block", found: "main changed it", why: "", hint: "" };
  const tries = { tries: n, limit: 4, feedback: i % 3 === 2 ? [overtaken] : [] };
  const attempt = attemptIdOf(id, n);
  switch (kind) {
    case "planned":
      return { kind, ...tries };
    case "backoff":
      return { kind, until: now + 1000 * i, because: "lost", ...tries };
    case "running":
      return { kind, attempt, node: "n0", round: 1, ...tries };
    case "checking":
      return { kind, attempt, tip: anOid(2), ...tries };
    case "queued":
      return { kind, attempt, tip: anOid(2), since: i, ...tries };
    case "landing":
      return { kind, attempt, tip: anOid(2), since: i, car: "1", ...tries };
    case "merged":
      return { kind, attempt, commit: anOid(3), at: i, tries: n };
    case "parked":
      return { kind, since: i, because: { code: "rounds-exhausted", text: "", findings: [], conflict: null, salvage: "" }, ...tries };
    case "cancelling":
      return { kind, attempt, by: "x", ...tries };
    case "cancelled":
      return { kind, by: "x", ...tries };
  }
}

/** The attempt that is at work, on n0, and before it a fenced one. */
function attemptsOf({ id, project, spec, state }: Task, fencedOn: string | undefined): Attempt[] {
  const works = state.kind === "running" || state.kind === "cancelling";
  const placed = (n: number, node: string): FactoryEvent => {
    return { type: "task-placed", task: id, attempt: attemptIdOf(id, n), n, node, base: anOid(1), executor: "x" };
  };
  const events: FactoryEvent[] = [{ type: "task-planned", task: id, spec: aSpec(spec.id, { project }), digest: "", text: "", path: "" }];
  if (fencedOn !== undefined) events.push(placed(1, fencedOn), { type: "attempt-fenced", attempt: attemptIdOf(id, 1), because: "no link" });
  if (works) events.push(placed(state.tries, "n0"));
  let world: World = emptyWorld();
  for (const event of events) {
    const step = evolve(world, event, 0);
    if (step.outcome !== "moved") throw new Error(step.because);
    world = withChange(world, step.change);
  }
  return [...world.attempts.values()];
}
