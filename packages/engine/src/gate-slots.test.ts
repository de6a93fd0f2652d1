import { type NodeSnapshot, plainNode } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { createGateSlots, freeSlot, type GateSlot } from "./gate-slots.ts";

function aNode(id: string, gateSlots: number, change: Partial<NodeSnapshot> = {}): NodeSnapshot {
  const capacity = { cpus: 8, memoryMb: 8192, gpus: 0 };
  return {
    id,
    slots: 4,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity,
    load: null,
    ...plainNode,
    status: { kind: "up" },
    gateSlots,
    ...change,
  };
}

const down: Partial<NodeSnapshot> = { status: { kind: "down", because: "no link", since: 0 } };
const cordoned: Partial<NodeSnapshot> = { closed: { kind: "cordoned", because: "by the lead" } };

/** The slots that runs get one after another, until there is none. */
function allSlots(nodes: readonly NodeSnapshot[]): string[] {
  const busy: GateSlot[] = [];
  for (;;) {
    const slot = freeSlot(nodes, busy);
    if (slot === undefined || slot === "no-node") return busy.map(({ node, bay }) => `${node}${bay}`);
    busy.push(slot);
  }
}

describe("a free slot", () => {
  it("is on the node that is used least, as a part of what it has", () => {
    expect(allSlots([aNode("a", 1), aNode("b", 3)])).toEqual(["a0", "b0", "b1", "b2"]);
    expect(allSlots([aNode("a", 2), aNode("b", 2)])).toEqual(["a0", "b0", "a1", "b1"]);
  });

  it("is the lowest bay that nobody is in", () => {
    const busy = [
      { node: "a", bay: 0 },
      { node: "a", bay: 2 },
    ];
    expect(freeSlot([aNode("a", 3)], busy)).toEqual({ node: "a", bay: 1 });
  });

  it("is on a node of low priority only when the others are full", () => {
    expect(allSlots([aNode("low", 2, { lowPriority: true }), aNode("a", 2)])).toEqual(["a0", "a1", "low0", "low1"]);
  });

  it("is on no node that is shut or gives none, as long as another one is there", () => {
    expect(allSlots([aNode("shut", 4, cordoned), aNode("none", 0), aNode("gone", 4, down), aNode("a", 1)])).toEqual(["a0"]);
  });

  it("is on a node that is shut or gives none when there is no other one: what is done has to land", () => {
    expect(allSlots([aNode("shut", 2, cordoned), aNode("gone", 4, down)])).toEqual(["shut0", "shut1"]);
    expect(allSlots([aNode("none", 0)])).toEqual(["none0"]);
  });

  it("is none when all are taken, and said to be out of reach when no node is up", () => {
    expect(freeSlot([aNode("a", 1)], [{ node: "a", bay: 0 }])).toBeUndefined();
    expect(freeSlot([aNode("a", 1, down)], [])).toBe("no-node");
    expect(freeSlot([], [])).toBe("no-node");
  });
});

describe("gate runs", () => {
  /** A run that lasts until it is told to end, and what it saw. */
  function lasting(slots: ReturnType<typeof createGateSlots>, id: string, seen: string[]): { end(): void; done: Promise<string> } {
    let end = (): void => {};
    const until = new Promise<void>((resolve) => {
      end = resolve;
    });
    const done = slots.run(id, async ({ node, bay }) => {
      seen.push(`${id} in ${node}${bay}`);
      await until;
      return id;
    });
    return { end, done };
  }

  it("start in the order in which they asked, each as soon as a slot is free", async () => {
    const slots = createGateSlots(() => [aNode("a", 2)]);
    const seen: string[] = [];
    const [one, two, three, four] = ["1", "2", "3", "4"].map((id) => lasting(slots, id, seen));
    await Promise.resolve();
    expect(seen).toEqual(["1 in a0", "2 in a1"]);
    expect([slots.nodeOf("1"), slots.nodeOf("3")]).toEqual(["a", undefined]);
    two?.end();
    expect(await two?.done).toBe("2");
    await Promise.resolve();
    expect(seen).toEqual(["1 in a0", "2 in a1", "3 in a1"]);
    for (const run of [one, three, four]) run?.end();
    expect(await Promise.all([one?.done, three?.done, four?.done])).toEqual(["1", "3", "4"]);
    expect(seen.at(-1)).toMatch(/^4 in a/);
    expect(slots.nodeOf("1")).toBeUndefined();
  });

  it("leave their slot when they fail, and the next one gets it", async () => {
    const slots = createGateSlots(() => [aNode("a", 1)]);
    const seen: string[] = [];
    const failing = slots.run("bad", () => Promise.reject(new Error("no")));
    const next = lasting(slots, "next", seen);
    next.end();
    await expect(failing).rejects.toThrow("no");
    expect(await next.done).toBe("next");
    expect(seen).toEqual(["next in a0"]);
  });

  it("that wait are refused when no node is up any more, and start when there is more room", async () => {
    let nodes = [aNode("a", 1)];
    const slots = createGateSlots(() => nodes);
    const seen: string[] = [];
    const first = lasting(slots, "1", seen);
    const second = lasting(slots, "2", seen);
    nodes = [aNode("a", 1), aNode("b", 1)];
    slots.look();
    await Promise.resolve();
    expect(seen).toEqual(["1 in a0", "2 in b0"]);
    const third = lasting(slots, "3", seen);
    nodes = [aNode("a", 1, down)];
    slots.look();
    await expect(third.done).rejects.toMatchObject({ code: "NODE_UNREACHABLE", retry: "later" });
    for (const run of [first, second]) run.end();
    await Promise.all([first.done, second.done]);
    await expect(slots.run("4", async () => 4)).rejects.toMatchObject({ code: "NODE_UNREACHABLE" });
  });
});
