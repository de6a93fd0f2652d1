import { type NodePool, type NodeRecord, type NodeSnapshot, newNode } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { createFakeFactory } from "../../../test/kit/fake-factory.ts";
import { closureOf, withClosures } from "./close-nodes.ts";

const { node: someNode } = createFakeFactory();
const open = newNode("a");
const cordoned: NodeRecord = { ...open, placing: { kind: "cordoned", by: "lead", at: 1 } };
const draining: NodeRecord = { ...open, placing: { kind: "draining", by: "lead", at: 1 } };
const lost = { kind: "lost", because: "away", at: 1 } as const;

describe("what was decided about a node", () => {
  it("closes it, and its loss more than anything else", () => {
    expect([open, cordoned, draining, { ...open, reach: lost }, { ...draining, reach: lost }].map((record) => closureOf(record)?.kind)).toEqual([
      undefined,
      "cordoned",
      "draining",
      "lost",
      "lost",
    ]);
  });

  it("wins over what the pool holds against it, and keeps the snapshot the same while both are", () => {
    const node: NodeSnapshot = { ...someNode, id: "a", closed: { kind: "pressure", because: "the disk is full" } };
    const other: NodeSnapshot = { ...someNode, id: "b", closed: { kind: "leaving", because: "it is not configured" } };
    let shown = [node, other];
    const records = new Map<string, NodeRecord>();
    const pool = withClosures({ ...({} as NodePool), nodes: () => shown }, { nodes: records });
    expect(pool.nodes()).toEqual([node, other]);
    expect(pool.nodes()[0]).toBe(node);
    records.set("a", cordoned);
    const closed = pool.nodes();
    expect(closed.map((one) => one.closed?.kind)).toEqual(["cordoned", "leaving"]);
    expect(closed[1]).toBe(other);
    expect(pool.nodes()[0]).toBe(closed[0]);
    shown = [{ ...node, load: 1 }, other];
    expect(pool.nodes()[0]).toMatchObject({ load: 1, closed: { kind: "cordoned" } });
    records.set("a", open);
    expect(pool.nodes()[0]).toBe(shown[0]);
  });
});
