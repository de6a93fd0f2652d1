import { emptyWorld, evolve, type FactoryEvent, type NodeSnapshot, plainNode, type World, withChange } from "@dispatch/core";
import type { NodeDescription } from "@dispatch/fleet";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../../test/kit/build-facts.ts";
import { composeNodes } from "./compose-nodes.ts";

const now = 1_000_000;

function worldOf(facts: readonly (readonly [number, FactoryEvent])[]): World {
  let world = emptyWorld();
  for (const [at, fact] of facts) {
    const evolution = evolve(world, fact, at);
    if (evolution.outcome !== "moved") throw new Error(`${fact.type}: ${evolution.because}`);
    world = withChange(world, evolution.change);
  }
  return world;
}

function aNode(id: string, change: Partial<NodeSnapshot> = {}): NodeSnapshot {
  const capacity = { cpus: 8, memoryMb: 1000, gpus: 0 };
  return { id, slots: 2, lowPriority: false, labels: [], executors: null, capacity, load: null, ...plainNode, status: { kind: "up" }, ...change };
}

const known: NodeDescription = {
  transport: "ssh2",
  target: "deploy@a",
  hostKey: "SHA256:x",
  workDir: "~/.dispatch",
  home: "/home/deploy/.dispatch",
  nodeVersion: "v20.20.2",
  heartbeat: null,
  heartbeatAt: null,
};
const placed = (id: string, node: string): FactoryEvent => ({
  type: "task-placed",
  task: `shop/${id}`,
  attempt: `shop--${id}--1`,
  n: 1,
  node,
  base: anOid(1),
  executor: "x",
});
const ended = (id: string): FactoryEvent =>
  reported(`shop--${id}--1`, 2, { type: "attempt-ended", outcome: { kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 } });
const started = (id: string): FactoryEvent => reported(`shop--${id}--1`, 1, { type: "attempt-started", identity: someIdentity });

const world = worldOf([
  [0, { type: "project-started", project: "shop", main: anOid(1) }],
  ...["S01", "S02", "S03", "S04", "S05"].map((id) => [0, planned(aSpec(id))] as const),
  [10, placed("S01", "a")],
  [10, placed("S02", "a")],
  [20, started("S02")],
  [30, ended("S02")],
  [10, placed("S03", "gone")],
  [10, placed("S04", "b")],
  [40, { type: "node-lost", node: "b", because: "out of reach" }],
  [40, { type: "attempt-fenced", attempt: "shop--S04--1", because: "its node is lost" }],
  [50, { type: "node-cordoned", node: "a", drain: true, by: "ada" }],
]);
const down = { kind: "down", because: "no link", since: now - 5000 } as const;

describe("the view of the nodes", () => {
  const nodes = [aNode("a"), aNode("b", { status: { ...down, since: 5 } }), aNode("c", { status: down })];
  const describeNode = (id: string): NodeDescription | undefined => {
    if (id === "gone") return undefined;
    return id === "c" ? { ...known, home: null } : known;
  };
  const view = composeNodes({ world, nodes }, describeNode, now);
  const [a, b, c, gone] = view.nodes;

  it("has what runs, what is fenced and what is to be fetched on each", () => {
    expect(a?.sessions).toEqual([{ task: "shop/S01", attempt: "shop--S01--1", since: 10, state: "starting", round: 0 }]);
    expect([a?.used, a?.unfetched, a?.fenced]).toEqual([1, ["shop--S02--1"], []]);
    expect([b?.used, b?.sessions]).toEqual([1, []]);
    expect(b?.fenced).toEqual([{ task: "shop/S04", attempt: "shop--S04--1", since: 40, because: "its node is lost" }]);
  });

  it("tells lost from down, and down from not yet reached", () => {
    expect(view.nodes.map(({ state }) => state.kind)).toEqual(["up", "lost", "connecting", "down"]);
    expect(b?.state).toMatchObject({ since: 40, because: "out of reach" });
    const later = composeNodes({ world, nodes }, describeNode, now + 3_600_000);
    expect(later.nodes[2]?.state).toEqual(down);
    expect(c?.link?.target).toBe("deploy@a");
  });

  it("names who had a node drained, and since when", () => {
    expect(a?.resting).toEqual({ drain: true, by: "ada", since: 50 });
    expect(b?.resting).toBeNull();
  });

  it("keeps a node that is not configured any more as long as something is left on it", () => {
    expect([gone?.id, gone?.closed?.kind, gone?.link, gone?.used]).toEqual(["gone", "leaving", null, 1]);
    const retired = worldOf([
      [0, { type: "project-started", project: "shop", main: anOid(1) }],
      [0, planned(aSpec("S03"))],
      [10, placed("S03", "gone")],
      [20, { type: "attempt-refused", attempt: "shop--S03--1", because: "x", retry: "later" }],
    ]);
    expect(composeNodes({ world: retired, nodes: [] }, () => undefined, now).nodes).toEqual([]);
  });
});
