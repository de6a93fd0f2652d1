import { type Attempt, emptyWorld, type NodeSnapshot, newNode, plainNode, type World } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, someIdentity } from "../../../test/kit/build-facts.ts";
import { judgeReach, type Sight } from "./judge-reach.ts";

const aNode = (id: string, down: number | null, lostAfterMs: number | null = 600): NodeSnapshot => ({
  id,
  slots: 2,
  lowPriority: false,
  labels: [],
  executors: null,
  capacity: { cpus: 1, memoryMb: 1, gpus: 0 },
  load: null,
  ...plainNode,
  lostAfterMs,
  status: down === null ? { kind: "up" } : { kind: "down", because: "the link fell", since: down },
});

const kinds = {
  starting: { kind: "starting" },
  running: { kind: "running", identity: someIdentity, round: 1 },
  stopping: { kind: "stopping", because: "asked" },
  ended: { kind: "ended", outcome: { kind: "lost", because: "gone" } },
  fenced: { kind: "fenced", because: "lost", session: "unknown" },
  collected: { kind: "collected", outcome: { kind: "lost", because: "gone" }, tip: null, salvage: null },
  discarded: { kind: "discarded", outcome: { kind: "lost", because: "gone" }, tip: null, salvage: null },
} satisfies Record<string, Attempt["state"]>;

/** One attempt in every state on the node; named for it. */
function worldWith(node: string, reach: "kept" | "lost" = "kept"): Pick<World, "attempts" | "nodes"> {
  const attempts = Object.entries(kinds).map(([id, state]): [string, Attempt] => [
    id,
    {
      id,
      task: `shop/${id}`,
      n: 1,
      node,
      base: anOid(1),
      executor: "x",
      placedAt: 0,
      endedAt: 0,
      cursor: 0,
      rounds: [],
      notices: [],
      state,
    },
  ]);
  const record = { ...newNode(node), reach: reach === "lost" ? ({ kind: "lost", because: "away", at: 1 } as const) : ({ kind: "kept" } as const) };
  return { attempts: new Map(attempts), nodes: new Map([[node, record]]) };
}

function judge(sight: Partial<Sight>) {
  const { events, nextAt } = judgeReach({
    world: emptyWorld(),
    nodes: [],
    upSince: new Map(),
    unknownSince: new Map(),
    now: 1000,
    ...sight,
  });
  return { events: events.map((event) => ("attempt" in event ? `${event.type} ${event.attempt}` : event.type)), nextAt };
}

const lostWithAll = ["node-lost", "attempt-fenced starting", "attempt-fenced running", "attempt-fenced stopping", "attempt-fenced ended"];

describe("the deadline of a node", () => {
  it.each<[string, Partial<Sight>, ReturnType<typeof judge>]>([
    ["not over", { nodes: [aNode("a", 401), aNode("b", null)], upSince: new Map([["b", 0]]) }, { events: [], nextAt: 1001 }],
    ["over", { nodes: [aNode("a", 400), aNode("b", null)], upSince: new Map([["b", 0]]) }, { events: lostWithAll, nextAt: undefined }],
    ["none", { nodes: [aNode("a", 0, null), aNode("b", null)], upSince: new Map([["b", 0]]) }, { events: [], nextAt: undefined }],
    ["nobody else up", { nodes: [aNode("a", 0), aNode("b", 0)] }, { events: [], nextAt: undefined }],
    ["only itself was up", { nodes: [aNode("a", 0)], upSince: new Map([["a", 0]]) }, { events: [], nextAt: undefined }],
    ["another one up for less long", { nodes: [aNode("a", 0), aNode("b", null)], upSince: new Map([["b", 700]]) }, { events: [], nextAt: 1300 }],
    ["another one up since this moment", { nodes: [aNode("a", 0), aNode("b", null)] }, { events: [], nextAt: 1600 }],
    [
      "the one that was up longest counts",
      {
        nodes: [aNode("a", 300), aNode("b", null), aNode("c", null)],
        upSince: new Map([
          ["b", 900],
          ["c", 200],
        ]),
      },
      { events: lostWithAll, nextAt: undefined },
    ],
  ])("%s", (_, sight, verdict) => {
    expect(judge({ world: worldWith("a"), ...sight })).toEqual(verdict);
  });

  it("is the earliest of several", () => {
    const nodes = [aNode("a", 900), aNode("b", 700), aNode("c", 800), aNode("d", null)];
    expect(judge({ nodes, upSince: new Map([["d", 0]]) })).toEqual({ events: [], nextAt: 1300 });
  });

  it("is ten minutes from the first look for a node that is not configured, while it holds attempts", () => {
    const nodes = [aNode("b", null)];
    const upSince = new Map([["b", 0]]);
    const unknownSince = new Map([["a", 1000]]);
    expect(judge({ world: worldWith("a"), nodes, upSince, unknownSince, now: 600_999 })).toEqual({ events: [], nextAt: 601_000 });
    expect(judge({ world: worldWith("a"), nodes, upSince, unknownSince, now: 601_000 }).events).toEqual(lostWithAll);
    expect(judge({ world: worldWith("c"), nodes, upSince, unknownSince, now: 601_000 })).toEqual({ events: [], nextAt: undefined });
  });
});

describe("a node that is lost", () => {
  const upSince = new Map([["b", 0]]);

  it("is lost once; what is not fenced yet is", () => {
    const verdict = judge({ world: worldWith("a", "lost"), nodes: [aNode("a", 0), aNode("b", null)], upSince });
    expect(verdict).toEqual({ events: lostWithAll.slice(1), nextAt: undefined });
  });

  it("has returned when it is up, and nothing else is to be said of one that was not lost", () => {
    expect(judge({ world: worldWith("a", "lost"), nodes: [aNode("a", null)], upSince })).toEqual({ events: ["node-returned"], nextAt: undefined });
    expect(judge({ world: worldWith("a"), nodes: [aNode("a", null)], upSince })).toEqual({ events: [], nextAt: undefined });
  });
});
