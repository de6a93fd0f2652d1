import { emptyTrain, type NodeSnapshot, type Project, plainNode, type Task, type TaskState } from "@dispatch/core";
import { anOid, aSpec } from "../../../../test/kit/build-facts.ts";
import type { LandingPolicy, Snapshot } from "../index.ts";

export function aNode(slots: number, change: Partial<NodeSnapshot> = {}): NodeSnapshot {
  return {
    id: "local",
    slots,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 64, memoryMb: 65_536, gpus: 0 },
    load: null,
    ...plainNode,
    status: { kind: "up" },
    ...change,
  };
}

export function aTask(id: string, spec: Parameters<typeof aSpec>[1] = {}, state?: TaskState): Task {
  const planned: TaskState = { kind: "planned", tries: 0, limit: 4, feedback: [] };
  const task = { id: `shop/${id}`, project: "shop", spec: aSpec(id, spec), digest: "", text: "", path: "", revision: 1, plannedAt: 0 };
  return { ...task, state: state ?? planned };
}

export function aProjectRow(change: Partial<Project> = {}): Project {
  return {
    id: "shop",
    main: anOid(1),
    placing: { kind: "running" },
    landing: { kind: "open" },
    collect: { kind: "idle", last: null },
    train: emptyTrain,
    ...change,
  };
}

export interface SnapshotParts {
  tasks: readonly Task[];
  nodes?: readonly NodeSnapshot[];
  policy?: LandingPolicy;
  contracts?: readonly string[];
  project?: Project;
}

/** The project `shop` with these tasks and no attempts. */
export function aSnapshot({ tasks, nodes = [aNode(4)], policy = "continuous", contracts = [], project = aProjectRow() }: SnapshotParts): Snapshot {
  return {
    world: { projects: new Map([["shop", project]]), tasks: new Map(tasks.map((task) => [task.id, task])), attempts: new Map(), nodes: new Map() },
    nodes,
    projects: new Map([["shop", { landing: policy, contracts, shared: [], generated: [], barrier: [], share: 1, executor: null }]]),
  };
}
