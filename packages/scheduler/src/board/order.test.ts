import {
  type Attempt,
  attemptIdOf,
  emptyTrain,
  type Finding,
  type NodeSnapshot,
  type Project,
  plainNode,
  type Task,
  type TaskSpec,
  type TaskState,
} from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../../../../test/kit/build-facts.ts";
import { decide } from "../decide.ts";
import { createEstimator } from "../estimate.ts";
import { demandOf, nearestMiss } from "../fit-node.ts";
import { nextDecisionAt, type SchedulingPolicy, type Snapshot } from "../index.ts";

const minute = 60_000;
const hour = 60 * minute;

function node(id: string, slots: number, change: Partial<NodeSnapshot> = {}): NodeSnapshot {
  const capacity = { cpus: 4, memoryMb: 8000, gpus: 0 };
  return { id, slots, lowPriority: false, labels: [], executors: null, capacity, load: null, status: { kind: "up" }, ...plainNode, ...change };
}

interface Row {
  spec: Partial<TaskSpec>;
  plannedAt?: number;
  /** Runs on this node since then. */
  runs?: { on: string; since: number };
  /** Has succeeded so long after it was placed. */
  took?: number;
  /** Its only attempt so far was lost on this node. */
  lostOn?: string;
}

function worldOf(rows: Readonly<Record<string, Row>>, nodes: NodeSnapshot[], policies: Record<string, Partial<SchedulingPolicy>> = {}): Snapshot {
  const tasks = new Map<string, Task>();
  const attempts = new Map<string, Attempt>();
  const projects = new Map<string, Project>();
  const scheduling = new Map<string, SchedulingPolicy>();
  for (const [name, row] of Object.entries(rows)) {
    const spec = aSpec(name, row.spec);
    const id = `${spec.project}/${name}`;
    projects.set(spec.project, {
      id: spec.project,
      placing: { kind: "running" },
      main: anOid(1),
      landing: { kind: "open" },
      collect: { kind: "idle", last: null },
      train: emptyTrain,
    });
    scheduling.set(spec.project, {
      landing: "continuous",
      contracts: [],
      shared: [],
      generated: [],
      barrier: [],
      share: 1,
      executor: null,
      ...policies[spec.project],
    });
    tasks.set(id, {
      id,
      project: spec.project,
      spec,
      digest: "",
      text: "",
      path: "",
      revision: 1,
      plannedAt: row.plannedAt ?? 0,
      state: stateOf(id, row),
    });
    const attempt = attemptOf(id, row);
    if (attempt !== undefined) attempts.set(attempt.id, attempt);
  }
  return { world: { projects, tasks, attempts, nodes: new Map() }, nodes, projects: scheduling };
}

function stateOf(id: string, { runs, took, lostOn }: Row): TaskState {
  const attempt = attemptIdOf(id, 1);
  if (runs !== undefined) return { kind: "running", attempt, node: runs.on, round: 1, tries: 1, limit: 4, feedback: [] };
  if (took !== undefined) return { kind: "merged", attempt, commit: anOid(2), at: took, tries: 1 };
  return { kind: "planned", tries: lostOn === undefined ? 0 : 1, limit: 4, feedback: [] };
}

function attemptOf(id: string, { runs, took, lostOn }: Row): Attempt | undefined {
  const at = runs?.on ?? lostOn ?? (took === undefined ? undefined : "gone");
  if (at === undefined) return undefined;
  const outcome =
    lostOn === undefined ? ({ kind: "succeeded", tip: anOid(2), base: anOid(1), rounds: 1 } as const) : ({ kind: "lost", because: "" } as const);
  return {
    id: attemptIdOf(id, 1),
    task: id,
    n: 1,
    node: at,
    base: anOid(1),
    executor: "fast",
    placedAt: runs?.since ?? 0,
    endedAt: runs === undefined ? (took ?? 0) : 0,
    cursor: 0,
    notices: [],
    rounds: [],
    state: runs === undefined ? { kind: "discarded", outcome, tip: null, salvage: null } : { kind: "starting" },
  };
}

const starts = (snapshot: Snapshot, now = 1): string[] =>
  decide(snapshot, now).flatMap((decision) => (decision.decide === "place" ? [`${decision.task} ${decision.node}`] : []));
const names = (snapshot: Snapshot, now = 1): string[] => starts(snapshot, now).map((one) => one.split(" ")[0] ?? "");

describe("the order", () => {
  it("counts a task one class more urgent for every day it has been ready", () => {
    const day = 24 * hour;
    const rows = { S01: { spec: { priority: 1 as const }, plannedAt: 2 * day }, S02: { spec: { priority: 2 as const } } };
    expect(names(worldOf(rows, [node("a", 1)]), 2 * day)).toEqual(["shop/S02"]);
    const young = { ...rows, S02: { ...rows.S02, plannedAt: 2 * day - hour } };
    expect(names(worldOf(young, [node("a", 1)]), 2 * day)).toEqual(["shop/S01"]);
    expect(nextDecisionAt(worldOf(young, [node("a", 0)]), 2 * day)).toBe(2 * day + 30 * minute);
  });

  it("counts a task as urgent as the most urgent one that waits for it, through others too", () => {
    const rows = {
      S01: { spec: { priority: 2 as const, estimateMinutes: 100 } },
      S02: { spec: { priority: 3 as const } },
      S03: { spec: { priority: 3 as const, dependsOn: ["S02"] } },
      S04: { spec: { priority: 1 as const, dependsOn: ["S03"] } },
    };
    expect(names(worldOf(rows, [node("a", 1)]))).toEqual(["shop/S02"]);
    const unasked = { ...rows, S04: { spec: { priority: 2 as const, dependsOn: ["S03"] } } };
    expect(names(worldOf(unasked, [node("a", 1)]))).toEqual(["shop/S01"]);
  });

  it("counts a task one class more urgent when its last result did not fit on main, for no other finding, and never beyond the first", () => {
    const snapshot = worldOf({ S01: { spec: { priority: 2 }, plannedAt: 1 }, S02: { spec: { priority: 2 } } }, [node("a", 1)]);
    const refused = (gate: Finding["gate"], severity: Finding["severity"], priority: 0 | 1 | 2): Snapshot => {
      const tasks = new Map(snapshot.world.tasks);
      const [task] = tasks.values();
      if (task === undefined) throw new Error("no task");
      const feedback: Finding[] = [{ gate, severity, found: "", why: "", hint: "" }];
      tasks.set(task.id, { ...task, spec: { ...task.spec, priority }, state: { kind: "planned", tries: 1, limit: 4, feedback } });
      return { ...snapshot, world: { ...snapshot.world, tasks } };
    };
    expect(names(snapshot)).toEqual(["shop/S02"]);
    expect(names(refused("landing", "block", 2))).toEqual(["shop/S01"]);
    expect(names(refused("landing", "note", 2))).toEqual(["shop/S02"]);
    expect(names(refused("G01", "block", 2))).toEqual(["shop/S02"]);
    expect(names(refused("landing", "block", 0))).toEqual(["shop/S01"]);
  });

  it("gives the project and the direction with the fewest slots in use the next one", () => {
    const rows: Record<string, Row> = {};
    for (const project of ["big", "small"]) {
      for (const n of [1, 2, 3]) {
        rows[`S${project}${n}`] = { spec: { project, direction: n === 3 ? "late" : null, modifies: [`${n}`], estimateMinutes: 10 + n } };
      }
    }
    const order = names(worldOf(rows, [node("a", 6)], { big: { share: 2 } }));
    expect(order).toEqual(["big/Sbig3", "small/Ssmall3", "big/Sbig2", "small/Ssmall2", "big/Sbig1", "small/Ssmall1"]);
  });

  it("corrects estimates by what was measured of the same executor and type", () => {
    const measured: Record<string, Row> = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`S1${i}`, { spec: { type: "bugfix", estimateMinutes: 30 }, took: hour }]),
    );
    const rows = {
      ...measured,
      S01: { spec: { type: "bugfix" as const, estimateMinutes: 10, executor: "fast" } },
      S02: { spec: { estimateMinutes: 12 } },
    };
    const snapshot = worldOf(rows, [node("a", 1)]);
    const minutesOf = createEstimator(snapshot);
    const [fixed, plain] = ["shop/S01", "shop/S02"].map((id) => minutesOf(snapshot.world.tasks.get(id) as Task));
    expect(fixed).toBe(20);
    expect(plain).toBe(12);
    expect(names(snapshot, hour)).toEqual(["shop/S01"]);
  });

  it("counts a circle of dependencies as the longest path there is, and goes on", () => {
    const rows = {
      S01: { spec: { estimateMinutes: 60 } },
      S02: { spec: { dependsOn: ["S04"] } },
      S03: { spec: { dependsOn: ["S02", "S05"] } },
      S04: { spec: { dependsOn: ["S03"] } },
      S05: { spec: { estimateMinutes: 1 } },
    };
    expect(names(worldOf(rows, [node("a", 4)]))).toEqual(["shop/S05", "shop/S01"]);
  });
});

describe("claims", () => {
  const busy = { runs: { on: "a", since: 0 } };
  const rows = (estimateMinutes: number): Record<string, Row> => ({
    S01: { spec: { modifies: ["src/a"], estimateMinutes: 20 }, ...busy },
    S02: { spec: { modifies: ["src"], estimateMinutes: 90 } },
    S03: { spec: { modifies: ["src/b"], estimateMinutes } },
    S04: { spec: { modifies: ["lib"], estimateMinutes: 5 } },
  });

  it("keep the locks of the first blocked tasks from those behind that would still run when the holders end", () => {
    expect(names(worldOf(rows(15), [node("a", 8)]), minute)).toEqual(["shop/S03", "shop/S04"]);
    expect(names(worldOf(rows(25), [node("a", 8)]), minute)).toEqual(["shop/S04"]);
    expect(names(worldOf(rows(15), [node("a", 8)]), 10 * minute)).toEqual(["shop/S04"]);
  });

  it("never keep back a more urgent task, and are not made where a queue waits for a person", () => {
    const urgent = { ...rows(25), S03: { spec: { modifies: ["src/b"], estimateMinutes: 25, priority: 1 as const } } };
    expect(names(worldOf(urgent, [node("a", 8)]), minute)).toEqual(["shop/S03", "shop/S04"]);
    expect(names(worldOf(rows(25), [node("a", 8)], { shop: { landing: "on-collect" } }), minute)).toEqual(["shop/S03", "shop/S04"]);
  });
});

describe("the contract", () => {
  it("is changed by one task alone: it waits for all holders, and nothing starts before it", () => {
    const change = { spec: { modifies: ["api.yaml"], priority: 3 as const } };
    const policy = { shop: { contracts: ["api.yaml"] } };
    expect(names(worldOf({ S01: { spec: {} }, S02: change }, [node("a", 8)], policy))).toEqual(["shop/S02"]);
    const busy = { S01: { spec: {}, runs: { on: "a", since: 0 } }, S02: change, S03: { spec: {} }, S04: { spec: { project: "other" } } };
    expect(names(worldOf(busy, [node("a", 8)], policy))).toEqual(["other/S04"]);
    const running = { S01: { spec: {} }, S02: { ...change, runs: { on: "a", since: 0 } } };
    expect(names(worldOf(running, [node("a", 8)], policy))).toEqual([]);
  });

  it("stops nobody while no node that is up could take the task that changes it", () => {
    const rows = { S01: { spec: { type: "contract" as const, nodeLabels: ["gpu"] } }, S02: { spec: {} } };
    expect(names(worldOf(rows, [node("a", 8)]))).toEqual(["shop/S02"]);
  });
});

describe("placement", () => {
  const gpu = node("g", 2, { labels: ["gpu"], capacity: { cpus: 4, memoryMb: 8000, gpus: 1 }, executors: ["fast"] });
  const one = (spec: Partial<TaskSpec>): Record<string, Row> => ({ S01: { spec } });

  it("asks for labels, names, executors and what is left of the resources", () => {
    expect(starts(worldOf(one({ nodeLabels: ["gpu"] }), [node("a", 2), gpu]))).toEqual(["shop/S01 g"]);
    expect(starts(worldOf(one({ nodes: ["b"] }), [node("a", 2), node("b", 2)]))).toEqual(["shop/S01 b"]);
    expect(starts(worldOf(one({ executor: "slow", nodes: ["g"] }), [gpu]))).toEqual([]);
    expect(starts(worldOf(one({}), [gpu], { shop: { executor: "slow" } }))).toEqual([]);
    const resources = { cpus: 2.5, memoryMb: 0, gpus: 0 };
    const both = { S01: { spec: { resources } }, S02: { spec: { resources } }, S03: { spec: {} } };
    expect(names(worldOf(both, [node("a", 4)]))).toEqual(["shop/S01", "shop/S03"]);
  });

  it("takes the last node unless the attempt was lost there, spares what is overloaded or low-priority", () => {
    const nodes = [node("a", 2), node("b", 4), node("c", 4, { load: 2 }), node("d", 4, { lowPriority: true })];
    expect(starts(worldOf(one({}), nodes))).toEqual(["shop/S01 a"]);
    expect(starts(worldOf({ S01: { spec: {}, lostOn: "c" } }, nodes))).toEqual(["shop/S01 a"]);
    expect(starts(worldOf(one({}), nodes.slice(2)))).toEqual(["shop/S01 c"]);
    expect(starts(worldOf(one({}), nodes.slice(3)))).toEqual(["shop/S01 d"]);
    const known = { S01: { spec: {} }, S02: { spec: {}, runs: { on: "b", since: 0 } } };
    expect(starts(worldOf(known, nodes))).toEqual(["shop/S01 b"]);
  });

  it("names the node that comes closest, and what it lacks", () => {
    const unused = () => ({ slots: 0, millicpus: 0, memoryMb: 0, gpus: 0 });
    const demand = demandOf(aSpec("S01", { nodeLabels: ["gpu"], resources: { cpus: 0, memoryMb: 0, gpus: 2 } }), null);
    expect(nearestMiss([node("a", 2), gpu], demand, unused)).toEqual({ node: "g", miss: { kind: "too-small", resource: "gpus", wanted: 2, has: 1 } });
  });
});
