import {
  type Attempt,
  attemptIdOf,
  emptyTrain,
  type NodeSnapshot,
  type Project,
  plainNode,
  type Task,
  type TaskSpec,
  taskIdOf,
} from "@dispatch/core";
import { type Board, createBoard, type Placement, type Snapshot } from "@dispatch/scheduler";
import { anOid, aSpec } from "../kit/build-facts.ts";

const project = "shop";
const perNode = 32;
const filesPerModule = 24;

/** What a load looks like beside its size. */
export interface LoadShape {
  tasks: number;
  slots: number;
  /** So many further tasks each lock a whole hot folder; of these there is one, or as many as said. */
  hotWaiters?: number;
  hotFolders?: number;
  /** Tasks go to so many modules instead of one for every 24. */
  modules?: number;
}

/** A number in [0, 1) after another, from the seed alone. */
function diceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Specs with 1 to 3 paths, a glob in a tenth of them, a folder in a twentieth, and up to 3 dependencies among the thousand before. */
function specsOf({ tasks, hotWaiters = 0, hotFolders = 1, modules = Math.max(4, Math.ceil(tasks / filesPerModule)) }: LoadShape): TaskSpec[] {
  const dice = diceOf(7);
  const upTo = (n: number): number => Math.floor(dice() * n);
  const specs: TaskSpec[] = [];
  for (let i = 0; i < tasks; i++) {
    const folder = `src/m${upTo(modules)}`;
    const kind = dice();
    const modifies = Array.from({ length: 1 + upTo(3) }, () => `${folder}/f${upTo(filesPerModule)}.ts`);
    if (kind < 0.05) modifies.splice(0, modifies.length, folder);
    else if (kind < 0.15) modifies[0] = `${folder}/${dice() < 0.5 ? "*" : "**/t"}${upTo(filesPerModule)}.ts`;
    const dependsOn = i === 0 ? [] : Array.from({ length: upTo(4) }, () => `S${Math.max(0, i - 1 - upTo(1000))}`);
    specs.push(aSpec(`S${i}`, { project, modifies, dependsOn, estimateMinutes: 5 + upTo(60), priority: 2 }));
  }
  for (let i = 0; i < hotWaiters; i++)
    specs.push(aSpec(`H${i}`, { project, modifies: [`hot${i % hotFolders}`], estimateMinutes: 5 + upTo(60), priority: 2 }));
  return specs;
}

function nodesOf(slots: number): NodeSnapshot[] {
  return Array.from({ length: Math.ceil(slots / perNode) }, (_, i) => ({
    id: `n${String(i).padStart(4, "0")}`,
    slots: Math.min(perNode, slots - i * perNode),
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 64, memoryMb: 65_536, gpus: 0 },
    load: null,
    ...plainNode,
    status: { kind: "up" },
  }));
}

/** Rows of one project, changed as facts would change them, without the machinery of facts. */
export interface Load {
  snapshot: Snapshot;
  board: Board;
  start(placement: Placement, now: number): void;
  /** The task that has run longest is merged, and its slot free. */
  endOldest(now: number): void;
  running(): number;
}

export function createLoad(shape: LoadShape): Load {
  const row: Project = {
    id: project,
    placing: { kind: "running" },
    main: anOid(1),
    landing: { kind: "open" },
    collect: { kind: "idle", last: null },
    train: emptyTrain,
  };
  const tasks = new Map<string, Task>();
  const attempts = new Map<string, Attempt>();
  for (const spec of specsOf(shape)) {
    const id = taskIdOf(project, spec.id);
    const state = { kind: "planned", tries: 0, limit: 4, feedback: [] } as const;
    tasks.set(id, { id, project, spec, digest: "", text: "", path: "", revision: 1, plannedAt: tasks.size, state });
  }
  const snapshot: Snapshot = {
    world: { projects: new Map([[project, row]]), tasks, attempts, nodes: new Map() },
    nodes: nodesOf(shape.slots),
    projects: new Map([
      [project, { landing: "continuous", contracts: ["api.yaml"], shared: [], generated: [], barrier: [], share: 1, executor: null }],
    ]),
  };
  const board = createBoard(snapshot);
  const running: string[] = [];
  let oldest = 0;

  function change(task: Task, attempt: Attempt): void {
    tasks.set(task.id, task);
    attempts.set(attempt.id, attempt);
    board.update({ projects: [], tasks: [task], attempts: [attempt] });
  }

  return {
    snapshot,
    board,
    running: () => running.length - oldest,
    start({ task: id, attempt, n, node, base }, now) {
      const task = tasks.get(id);
      if (task === undefined) throw new Error(`${id} is unknown`);
      running.push(id);
      const started: Attempt = {
        id: attempt,
        task: id,
        n,
        node,
        base,
        executor: "x",
        placedAt: now,
        endedAt: 0,
        cursor: 0,
        notices: [],
        rounds: [],
        state: { kind: "starting" },
      };
      change({ ...task, state: { kind: "starting", attempt, node, tries: n, limit: 4, feedback: [] } }, started);
    },
    endOldest(now) {
      const id = running[oldest++] ?? "";
      const task = tasks.get(id);
      const attempt = attempts.get(attemptIdOf(id, 1));
      if (task === undefined || attempt === undefined) throw new Error("nothing runs");
      const outcome = { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 } as const;
      change(
        { ...task, state: { kind: "merged", attempt: attempt.id, commit: anOid(9), at: now, tries: 1 } },
        { ...attempt, endedAt: now, state: { kind: "discarded", outcome, tip: anOid(9), salvage: null } },
      );
    },
  };
}
