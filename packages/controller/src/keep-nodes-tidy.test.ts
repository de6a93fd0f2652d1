import { type Attempt, type AttemptState, emptyWorld, FactoryError, type NodeSnapshot, plainNode, type World } from "@dispatch/core";
import type { TidyOrder } from "@dispatch/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { anOid } from "../../../test/kit/build-facts.ts";
import { createFakeClock, type FakeClock } from "../../../test/kit/fake-clock.ts";
import { keepNodesTidy, type TidyPolicy } from "./keep-nodes-tidy.ts";

const minutes = 60_000;
const policy: TidyPolicy = { keepMs: 600 * minutes, quotaBytes: 7, projectQuotaBytes: 5 };
const pressure: NodeSnapshot["closed"] = { kind: "pressure", because: "full" };

let clock: FakeClock;
let orders: { node: string; at: number; order: TidyOrder }[];
let snapshots: NodeSnapshot[];
let world: World;
let wake: () => void;
let answer: () => Promise<{ freedBytes: number; usage: { at: number; bytes: number; projects: Record<string, number> } }>;

beforeEach(() => {
  clock = createFakeClock(0);
  orders = [];
  snapshots = [];
  world = emptyWorld();
  answer = async () => ({ freedBytes: 0, usage: { at: 0, bytes: 0, projects: {} } });
});

function begin(): () => void {
  return keepNodesTidy({
    nodes: {
      nodes: () => snapshots,
      onChange(listener) {
        wake = listener;
      },
      tidy(node, order) {
        orders.push({ node, at: clock.now(), order });
        return answer();
      },
    },
    world: () => world,
    projects: () => ["shop"],
    policyOf: () => policy,
    clock,
    log: { debug: () => {}, info: () => {}, warn: () => {} },
  });
}

function show(...nodes: Partial<NodeSnapshot>[]): void {
  snapshots = nodes.map((change) => ({
    id: "far",
    slots: 2,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 1, memoryMb: 1, gpus: 0 },
    load: null,
    status: { kind: "up" },
    ...plainNode,
    ...change,
  }));
}

/** What the last answer set off has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function happen(...nodes: Partial<NodeSnapshot>[]): Promise<void> {
  show(...nodes);
  wake();
  await settled();
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await settled();
}

const times = () => orders.map(({ at }) => at / minutes);
const down: NodeSnapshot["status"] = { kind: "down", because: "cut", since: 0 };

describe("a node is tidied", () => {
  test("when it comes up, and every half an hour as long as it is", async () => {
    show({ status: down });
    const stop = begin();
    await pass(60 * minutes);
    expect(times()).toEqual([]);
    await happen({});
    await happen({});
    await pass(30 * minutes);
    await pass(30 * minutes);
    expect(times()).toEqual([60, 90, 120]);
    await happen({ status: down });
    await pass(90 * minutes);
    expect(times()).toEqual([60, 90, 120]);
    await happen({});
    stop();
    await pass(90 * minutes);
    expect(times()).toEqual([60, 90, 120, 210]);
  });

  test("at once when it is short of room, with little kept, and sooner again while it is", async () => {
    show({});
    begin();
    await settled();
    await pass(minutes);
    await happen({ closed: pressure });
    await happen({ closed: pressure });
    await pass(5 * minutes);
    await happen({});
    await pass(5 * minutes);
    await pass(30 * minutes);
    expect(times()).toEqual([0, 1, 6, 11, 41]);
    expect(orders.map(({ order }) => order.keepMs / minutes)).toEqual([600, 60, 60, 600, 600]);
  });

  test("once at a time: what happens meanwhile is seen to after it", async () => {
    let finish = (): void => {};
    answer = () =>
      new Promise((resolve) => {
        finish = () => resolve({ freedBytes: 1, usage: { at: 0, bytes: 0, projects: {} } });
      });
    show({});
    begin();
    await happen({ closed: pressure });
    expect(orders).toHaveLength(1);
    finish();
    await settled();
    expect(orders).toHaveLength(2);
  });

  test("again later when it failed", async () => {
    answer = async () => {
      throw new FactoryError("DISK_FULL", "full");
    };
    show({});
    begin();
    await settled();
    await pass(30 * minutes);
    expect(times()).toEqual([0, 30]);
  });

  test("no more when it is gone", async () => {
    show({}, { id: "other" });
    begin();
    await settled();
    await happen({ id: "other" });
    await pass(30 * minutes);
    expect(orders.map(({ node }) => node)).toEqual(["far", "other", "other"]);
  });
});

test("only work that the hub holds may go, and projects that are configured or still have work there stay", async () => {
  const lost = { kind: "lost", because: "gone" } as const;
  const stopped = { kind: "stopped", because: "asked" } as const;
  const attempts = [
    attempt("shop--S01--1", "far", { kind: "discarded", outcome: lost, tip: anOid(1), salvage: null }),
    attempt("shop--S02--1", "far", { kind: "discarded", outcome: stopped, tip: null, salvage: null }),
    attempt("shop--S03--1", "far", { kind: "discarded", outcome: lost, tip: null, salvage: null }),
    attempt("shop--S04--1", "other", { kind: "discarded", outcome: stopped, tip: null, salvage: null }),
    attempt("old--S05--1", "far", { kind: "collected", outcome: stopped, tip: anOid(1), salvage: null }),
  ];
  const tasks = new Map(attempts.map(({ task }) => [task, { id: task, project: task.split("/")[0] ?? "" }]));
  world = { ...world, attempts: new Map(attempts.map((one) => [one.id, one])), tasks: tasks as unknown as World["tasks"] };
  show({});
  begin();
  await settled();
  const { keepMs, quotaBytes, projectQuotaBytes } = policy;
  expect(orders.map(({ order }) => order)).toEqual([
    { over: ["shop--S01--1", "shop--S02--1"], projects: ["shop", "old"], keepMs, quotaBytes, projectQuotaBytes },
  ]);
});

function attempt(id: string, node: string, state: AttemptState): Attempt {
  const [project = "", spec = ""] = id.split("--");
  const rest = { n: 1, base: anOid(0), executor: "x", placedAt: 0, endedAt: 0, cursor: 0, rounds: [], notices: [] };
  return { id, node, state, task: `${project}/${spec}`, ...rest };
}
