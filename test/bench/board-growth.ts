import { attemptIdOf, eventVersion, type FactoryEvent, plainNode, type StoredEvent, type World } from "@dispatch/core";
import { createExplainer, decide, noSignals, type Snapshot } from "@dispatch/scheduler";
import { foldEvents } from "@dispatch/store";
import { composeSignals } from "../../packages/controller/src/views/compose-signals.ts";
import { composeStatus } from "../../packages/controller/src/views/compose-status.ts";
import { someIdentity } from "../kit/build-facts.ts";
import { ended, landed, payloadOf, placed, projectStarted } from "./ledger-facts.ts";

const slots = 8;
const queued = 20;

/** A run at half time: half of the tasks are merged, 20 wait to land, 7 of 8 slots are taken, the rest is planned. */
function boardOf(n: number): Snapshot {
  const facts: FactoryEvent[] = [projectStarted];
  for (let i = 0; i < n; i++) facts.push(payloadOf(i));
  for (let i = 0; i < n / 2; i++) facts.push(...throughTo(i, 7));
  for (let i = n / 2; i < n / 2 + queued; i++) facts.push(...throughTo(i, 3));
  for (let i = n / 2 + queued; i < n / 2 + queued + slots - 1; i++) facts.push(placed(payloadOf(i).task), started(payloadOf(i).task));
  const world = foldEvents(facts.map((event, at): StoredEvent => ({ seq: at + 1, at, v: eventVersion, event })));
  return snapshotOf(world);
}

function throughTo(i: number, steps: number): FactoryEvent[] {
  const { task } = payloadOf(i);
  return [
    placed(task),
    ended(task),
    ...landed(task)
      .slice(0, steps)
      .map((step) => step.event),
  ];
}

function started(task: string): FactoryEvent {
  return {
    type: "wrapper-reported",
    attempt: attemptIdOf(task, 1),
    seq: 1,
    reportedAt: 7,
    fact: { type: "attempt-started", identity: someIdentity },
  };
}

function snapshotOf(world: World): Snapshot {
  return {
    world,
    nodes: [
      {
        id: "local",
        slots,
        lowPriority: false,
        labels: [],
        executors: null,
        capacity: { cpus: 64, memoryMb: 65_536, gpus: 0 },
        load: null,
        ...plainNode,
        status: { kind: "up" },
      },
    ],
    projects: new Map([["shop", { landing: "continuous", contracts: [], shared: [], generated: [], barrier: [], share: 1, executor: null }]]),
  };
}

export interface BoardTimes {
  tasks: number;
  decideMs: readonly number[];
  statusMs: readonly number[];
}

/** Milliseconds of single decisions and of single status views on a board of n tasks. */
export function boardTimes(n: number): BoardTimes {
  const snapshot = boardOf(n);
  const view = () => {
    const explain = createExplainer(snapshot, 1_000_000);
    const signals = composeSignals({ snapshot, samples: [], before: noSignals, explain }, 1_000_000);
    return composeStatus(
      { snapshot, troubles: [], forecast: { conflicts: [], uncompared: 0 }, lastSeq: 1, draining: false, explain, signals, eta: null },
      1_000_000,
    );
  };
  view();
  return { tasks: n, decideMs: timed(() => decide(snapshot, 1_000_000), 50), statusMs: timed(view, 9) };
}

function timed(work: () => unknown, times: number): number[] {
  return Array.from({ length: times }, () => {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start) / 1e6;
  });
}
