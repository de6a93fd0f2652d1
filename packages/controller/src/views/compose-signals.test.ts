import { emptyWorld, evolve, type FactoryEvent, type NodeClosure, type NodeSnapshot, plainNode, withChange } from "@dispatch/core";
import { noSignals, type Snapshot } from "@dispatch/scheduler";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { composeSignals } from "./compose-signals.ts";

function aNode(id: string, slots: number, closed: NodeClosure | null = null): NodeSnapshot {
  const capacity = { cpus: 8, memoryMb: 1000, gpus: 0 };
  return { id, slots, lowPriority: false, labels: [id], executors: null, capacity, load: null, ...plainNode, status: { kind: "up" }, closed };
}

/** One session on a for the whole of the hour, one task that only b could take. */
function snapshotOf(nodes: readonly NodeSnapshot[], ...more: readonly FactoryEvent[]): Snapshot {
  const attempt = "shop--S01--1";
  const facts: FactoryEvent[] = [
    { type: "project-started", project: "shop", main: anOid(1) },
    planned(aSpec("S01")),
    planned(aSpec("S02", { nodeLabels: ["b"] })),
    { type: "task-placed", task: "shop/S01", attempt, n: 1, node: "a", base: anOid(1), executor: "x" },
    ...more,
  ];
  let world = emptyWorld();
  for (const fact of facts) {
    const evolution = evolve(world, fact, 0);
    if (evolution.outcome !== "moved") throw new Error(evolution.because);
    world = withChange(world, evolution.change);
  }
  return {
    world,
    nodes,
    projects: new Map([["shop", { landing: "continuous", contracts: [], shared: [], generated: [], barrier: [], share: 1, executor: null }]]),
  };
}

const figuresOf = (snapshot: Snapshot) => composeSignals({ snapshot, samples: [], before: noSignals }, 1000).figures;

describe("the figures behind the signals", () => {
  const cordoned = { kind: "cordoned", because: "cordoned by x" } as const;

  it("take a closed node for no capacity, and a task that needs one for one that lacks only room", () => {
    const closed = figuresOf(snapshotOf([aNode("a", 1), aNode("b", 9, cordoned)]));
    expect(closed).toMatchObject({ pending: 1, startable: 1, running: 1, utilisation: 1 });
    const open = figuresOf(snapshotOf([aNode("a", 1), aNode("b", 9)]));
    expect(open).toMatchObject({ startable: 0 });
    expect(open.utilisation).toBeLessThan(1);
  });

  it("count a fenced attempt for no running session", () => {
    const fenced: FactoryEvent = { type: "attempt-fenced", attempt: "shop--S01--1", because: "lost" };
    expect(figuresOf(snapshotOf([aNode("a", 1), aNode("b", 1, cordoned)], fenced))).toMatchObject({ pending: 2, running: 0 });
  });
});
