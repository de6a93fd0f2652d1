import { FactoryError } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../kit/build-facts.ts";
import { createFakeFactory } from "../kit/fake-factory.ts";

const minute = 60_000;
const deadline = 10 * minute;
const first = "shop--S01--1";
const second = "shop--S01--2";

const file = (id: string) => ({ spec: aSpec(id), digest: id, text: `# ${id}\n`, path: `${id}.md` });

type Fake = ReturnType<typeof createFakeFactory>;
type Options = NonNullable<Parameters<typeof createFakeFactory>[0]>;

/** Two nodes of two slots, and S01 at work on the first of them, for as long as nobody ends it. */
async function atWork(options: Options = {}): Promise<Fake> {
  const fake = createFakeFactory({ nodes: ["a", "b"], lostAfterMs: deadline, ...options });
  fake.behaviour.outcome = () => undefined;
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed([file("S01")]);
  await fake.settle();
  expect(fake.sessions.get(first)?.node).toBe("a");
  return fake;
}

async function pass(fake: Fake, ms: number): Promise<void> {
  fake.clock.advance(ms);
  await fake.settle();
}

const attemptOf = (fake: Fake, id: string) => fake.engine.world.attempts.get(id)?.state;
const reachOf = (fake: Fake, node: string) => fake.engine.world.nodes.get(node)?.reach.kind;
const facts = (fake: Fake, ...types: string[]) => fake.ledger.events.map(({ event }) => event.type).filter((type) => types.includes(type));
const pendingKeys = (fake: Fake) => fake.ledger.load().pending.map(({ key }) => key);

/** A is lost, and S01 is at work on b as its second attempt. */
async function lostAtWork(options: Options = {}): Promise<Fake> {
  const fake = await atWork(options);
  fake.takeDown("a");
  await pass(fake, deadline);
  await pass(fake, 1000);
  expect(fake.sessions.get(second)?.node).toBe("b");
  return fake;
}

describe("a node out of reach", () => {
  it("keeps its tasks until its deadline, and then they go on elsewhere", async () => {
    const fake = await atWork();
    fake.takeDown("a");
    await pass(fake, deadline - 1);
    expect(fake.stateOf("S01")?.kind).toBe("running");
    expect(reachOf(fake, "a")).toBeUndefined();
    await pass(fake, 1);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "backoff", tries: 1 });
    expect(attemptOf(fake, first)?.kind).toBe("fenced");
    expect(reachOf(fake, "a")).toBe("lost");
    await pass(fake, 1000);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "running", attempt: second });
    fake.end(second, { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 });
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("merged");
    expect(fake.fatal).toEqual([]);
    expect(foldEvents(fake.ledger.events)).toEqual(fake.ledger.load().world);
  });

  it("records its loss and the fences in one transaction", async () => {
    const fake = await lostAtWork();
    const at = fake.ledger.events.findIndex(({ event }) => event.type === "node-lost");
    expect(fake.ledger.events[at + 1]?.event).toMatchObject({ type: "attempt-fenced", attempt: first });
    const reopened = await atWork();
    await reopened.engine.commands.feed([file("S02")]);
    await reopened.settle();
    reopened.takeDown("a");
    await reopened.settle();
    reopened.ledger.breakWith(new FactoryError("DISK_FULL", "no room"));
    await pass(reopened, deadline);
    expect(facts(reopened, "node-lost", "attempt-fenced")).toEqual([]);
  });

  it("fences what has ended there too, for its result is nowhere else", async () => {
    const fake = await atWork();
    fake.behaviour.fail = (doing) => (doing === "collect-attempt" ? new FactoryError("NODE_FAILED", "git broke", { retry: "later" }) : undefined);
    fake.end(first, { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 });
    await fake.settle();
    expect(attemptOf(fake, first)?.kind).toBe("ended");
    fake.takeDown("a");
    await pass(fake, deadline);
    expect(attemptOf(fake, first)?.kind).toBe("fenced");
    expect(pendingKeys(fake)).toEqual([`retire-attempt:${first}`]);
    expect(fake.engine.troubles()).toEqual([]);
  });

  it("is never lost when it has no deadline, and none is while no other node is up", async () => {
    const local = await atWork({ lostAfterMs: null });
    local.takeDown("a");
    await pass(local, 100 * deadline);
    expect(local.stateOf("S01")?.kind).toBe("running");
    const fake = await atWork();
    fake.takeDown("a");
    await pass(fake, deadline / 2);
    fake.takeDown("b");
    await pass(fake, 100 * deadline);
    expect(facts(fake, "node-lost")).toEqual([]);
    expect(fake.stateOf("S01")?.kind).toBe("running");
    fake.bringUp("b");
    await pass(fake, deadline - 1);
    expect(facts(fake, "node-lost")).toEqual([]);
    await pass(fake, 1);
    expect(facts(fake, "node-lost")).toEqual(["node-lost"]);
  });

  it("has its whole deadline again after every time it was up", async () => {
    const fake = await atWork();
    for (let i = 0; i < 5; i++) {
      fake.takeDown("a");
      await pass(fake, deadline - 1);
      fake.bringUp("a");
      await pass(fake, 1000);
    }
    expect(facts(fake, "node-lost", "attempt-refused")).toEqual([]);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "running", attempt: first });
  });

  it("leaves no timer behind, lost or not", async () => {
    const fake = await atWork();
    fake.takeDown("a");
    await fake.settle();
    expect(fake.clock.nextDue()).toBe(fake.clock.now() + deadline);
    fake.bringUp("a");
    await fake.settle();
    expect(fake.clock.nextDue()).toBeUndefined();
    fake.takeDown("a");
    await pass(fake, deadline);
    await pass(fake, 1000);
    expect(fake.clock.nextDue()).toBeUndefined();
  });

  it("counts its deadline anew after a restart, and stays lost over one", async () => {
    const fake = await atWork();
    fake.takeDown("a");
    await pass(fake, deadline - 1);
    fake.takeDown("a");
    await fake.crash();
    await pass(fake, deadline - 1);
    expect(reachOf(fake, "a")).toBeUndefined();
    await pass(fake, 1);
    expect(reachOf(fake, "a")).toBe("lost");
    await fake.crash();
    await pass(fake, 10 * deadline);
    expect(facts(fake, "node-lost", "node-returned", "attempt-fenced")).toEqual(["node-lost", "attempt-fenced"]);
    expect(fake.calls.filter((call) => call.startsWith("stop-attempt"))).toEqual([]);
    fake.bringUp("a");
    await fake.settle();
    expect(attemptOf(fake, first)?.kind).toBe("discarded");
  });

  it("counts as out of reach since the start when it is not configured any more", async () => {
    const fake = await atWork();
    fake.removeNode("a");
    await fake.crash();
    await pass(fake, deadline - 1);
    expect(fake.stateOf("S01")?.kind).toBe("running");
    await pass(fake, 1);
    expect(attemptOf(fake, first)?.kind).toBe("fenced");
    await pass(fake, 1000);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "running", attempt: second });
    expect(fake.clock.nextDue()).toBeUndefined();
  });

  it("says nothing of what it knows by not being configured", async () => {
    const fake = await atWork();
    fake.removeNode("a");
    await fake.engine.commands.cancel("shop/S01", "lead");
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("cancelling");
    expect(fake.engine.troubles()).toMatchObject([{ code: "NODE_UNREACHABLE" }]);
  });
});

describe("a node that comes back", () => {
  it("is opened again before anything is placed on it, and what was fenced is retired", async () => {
    const fake = await lostAtWork({ slots: 1 });
    await fake.engine.commands.feed([file("S02")]);
    await fake.settle();
    expect(fake.stateOf("S02")?.kind).toBe("planned");
    fake.bringUp("a");
    await fake.settle();
    expect(reachOf(fake, "a")).toBe("kept");
    expect(fake.calls.filter((call) => call.endsWith(first))).toEqual([
      `start-attempt ${first}`,
      `stop-attempt ${first}`,
      `collect-attempt ${first}`,
      `discard-workspace ${first}`,
    ]);
    expect(attemptOf(fake, first)).toMatchObject({ kind: "discarded", outcome: { kind: "lost" }, salvage: anOid(5) });
    expect(fake.sessions.get("shop--S02--1")?.node).toBe("a");
    const order = facts(fake, "node-returned", "attempt-retired", "task-placed");
    expect(order).toEqual(["task-placed", "task-placed", "node-returned", "attempt-retired", "task-placed"]);
    expect(pendingKeys(fake)).toEqual([]);
  });

  it("is not heard with the results of attempts that were fenced", async () => {
    const fake = await lostAtWork();
    fake.end(first, { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 });
    fake.bringUp("a");
    await fake.settle();
    expect(fake.stateOf("S01")).toMatchObject({ kind: "running", attempt: second });
    expect(attemptOf(fake, first)).toMatchObject({ kind: "discarded", outcome: { kind: "lost" }, tip: anOid(9) });
    expect(fake.landed).toEqual([]);
    expect(facts(fake, "attempt-retired")).toHaveLength(1);
  });

  it("holds what it has forgotten for nothing", async () => {
    const fake = await lostAtWork();
    fake.sessions.delete(first);
    fake.bringUp("a");
    await fake.settle();
    expect(attemptOf(fake, first)).toMatchObject({ kind: "discarded", tip: null, salvage: null });
  });

  it("is asked again and again until what it holds is in the hub and gone from it, and keeps the slot for that long", async () => {
    const fake = await lostAtWork({ slots: 1 });
    const doings = ["stop-attempt", "collect-attempt", "discard-workspace"];
    fake.behaviour.fail = (doing, id) =>
      doing === doings[0] && id === first
        ? new FactoryError(doing === "discard-workspace" ? "SALVAGE_CHANGED" : "SESSION_FAILED", "not yet", { retry: "later" })
        : undefined;
    fake.bringUp("a");
    await fake.engine.commands.feed([file("S02")]);
    while (doings.length > 0) {
      await pass(fake, minute);
      expect(attemptOf(fake, first)?.kind).toBe("fenced");
      expect(fake.stateOf("S02")?.kind).toBe("planned");
      doings.shift();
    }
    await pass(fake, minute);
    expect(attemptOf(fake, first)?.kind).toBe("discarded");
    expect(fake.stateOf("S02")?.kind).toBe("running");
  });

  it("may go again in the middle of it", async () => {
    const fake = await lostAtWork();
    fake.behaviour.fail = (doing, id) => {
      if (doing !== "collect-attempt" || id !== first) return undefined;
      fake.takeDown("a");
      return new FactoryError("NODE_UNREACHABLE", "the link fell", { retry: "later" });
    };
    fake.bringUp("a");
    await fake.settle();
    expect(attemptOf(fake, first)?.kind).toBe("fenced");
    fake.behaviour.fail = () => undefined;
    await pass(fake, 2 * deadline);
    expect(facts(fake, "node-lost", "node-returned")).toEqual(["node-lost", "node-returned", "node-lost"]);
    fake.bringUp("a");
    await fake.settle();
    expect(attemptOf(fake, first)?.kind).toBe("discarded");
    expect(reachOf(fake, "a")).toBe("kept");
  });

  it("comes up in the turn in which something is placed on it, and is not said to have forgotten it", async () => {
    const fake = createFakeFactory({ nodes: ["a", "b"], behaviour: { outcome: () => undefined } });
    await fake.engine.start();
    await fake.engine.commands.startProject("shop");
    let placed = false;
    fake.onAppend = ({ events }) => {
      if (placed || !events.some(({ event }) => event.type === "task-placed")) return;
      placed = true;
      fake.takeDown("a");
      fake.bringUp("a");
    };
    await fake.engine.commands.feed([file("S01")]);
    await fake.settle();
    expect(placed).toBe(true);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "running", attempt: first });
    expect(facts(fake, "attempt-refused")).toEqual([]);
  });
});

describe("what the lead decides about a node", () => {
  it("has a cordoned or draining node take nothing new and keep what runs there", async () => {
    for (const drain of [false, true]) {
      const fake = await atWork();
      await fake.engine.commands.cordonNode("a", "lead", drain);
      await fake.engine.commands.feed([file("S02"), file("S03"), file("S04")]);
      await fake.settle();
      expect(fake.engine.snapshot().nodes.map(({ closed }) => closed?.kind)).toEqual([drain ? "draining" : "cordoned", undefined]);
      expect([...fake.sessions.values()].map(({ node }) => node)).toEqual(["a", "b", "b"]);
      await fake.crash();
      await fake.settle();
      expect(fake.stateOf("S01")?.kind).toBe("running");
      expect(fake.stateOf("S04")?.kind).toBe("planned");
      await fake.engine.commands.uncordonNode("a", "lead");
      await fake.settle();
      expect(fake.sessions.get("shop--S04--1")?.node).toBe("a");
    }
  });

  it("shows the same snapshot of a node until something of it changes", async () => {
    const fake = await atWork();
    await fake.engine.commands.cordonNode("a", "lead", false);
    const before = fake.engine.snapshot().nodes;
    expect(fake.engine.snapshot().nodes.every((node, i) => node === before[i])).toBe(true);
    await fake.engine.commands.cordonNode("a", "lead", true);
    expect(fake.engine.snapshot().nodes.map((node, i) => node === before[i])).toEqual([false, true]);
  });

  it("refuses nodes that nobody knows, and giving up one that is up", async () => {
    const fake = await atWork();
    const { commands } = fake.engine;
    await expect(commands.cordonNode("c", "lead", false)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(commands.uncordonNode("c", "lead")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(commands.abandonNode("c", "lead")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(commands.abandonNode("a", "lead")).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    fake.removeNode("a");
    await commands.cordonNode("a", "lead", true);
    await commands.uncordonNode("a", "lead");
    expect(await commands.abandonNode("a", "lead")).toEqual([first]);
  });

  it("gives a node up with all that is there: the tasks go on, and nothing of it is left to do", async () => {
    const fake = await atWork();
    fake.behaviour.outcome = (job) => (job.specId === "S02" ? { kind: "succeeded", tip: anOid(9), base: job.base, rounds: 1 } : undefined);
    fake.behaviour.fail = (doing) => (doing === "discard-workspace" ? new FactoryError("NODE_FAILED", "no", { retry: "later" }) : undefined);
    await fake.engine.commands.cordonNode("b", "lead", false);
    await fake.engine.commands.feed([file("S02"), file("S03")]);
    await fake.settle();
    expect([attemptOf(fake, first)?.kind, attemptOf(fake, "shop--S02--1")?.kind, attemptOf(fake, "shop--S03--1")?.kind]).toEqual([
      "running",
      "collected",
      "running",
    ]);
    fake.takeDown("a");
    await fake.engine.commands.cancel("shop/S03", "lead");
    await fake.settle();
    await fake.engine.commands.uncordonNode("b", "lead");
    expect(await fake.engine.commands.abandonNode("a", "lead")).toEqual([first, "shop--S02--1", "shop--S03--1"]);
    await fake.settle();
    expect(pendingKeys(fake)).toEqual([]);
    expect(fake.engine.troubles()).toEqual([]);
    expect(fake.stateOf("S03")?.kind).toBe("cancelled");
    expect(attemptOf(fake, "shop--S02--1")).toMatchObject({ kind: "discarded", tip: anOid(9) });
    await pass(fake, 1000);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "running", attempt: second });
    expect(await fake.engine.commands.abandonNode("a", "lead")).toEqual([]);
  });

  it("gives up what was fenced long ago", async () => {
    const fake = await lostAtWork();
    await fake.crash();
    expect(pendingKeys(fake)).toContain(`retire-attempt:${first}`);
    expect(await fake.engine.commands.abandonNode("a", "lead")).toEqual([first]);
    await fake.settle();
    expect(pendingKeys(fake)).toEqual([]);
    expect(attemptOf(fake, first)?.kind).toBe("discarded");
    fake.bringUp("a");
    await fake.settle();
    expect(reachOf(fake, "a")).toBe("kept");
  });
});

describe("going down", () => {
  it("waits for no node that is out of reach, and names what stays behind", async () => {
    const fake = await lostAtWork();
    fake.engine.drain();
    let behind: readonly string[] | undefined;
    void fake.engine.whenQuiet().then((left) => {
      behind = left;
    });
    await fake.settle();
    expect(behind).toBeUndefined();
    fake.end(second, { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 });
    await fake.settle();
    expect(behind).toEqual([first]);
    await fake.crash();
    fake.bringUp("a");
    await fake.settle();
    expect(attemptOf(fake, first)?.kind).toBe("discarded");
  });

  it("waits for what is fenced on a node that is back", async () => {
    const fake = await lostAtWork();
    fake.end(second, { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 });
    await fake.settle();
    fake.behaviour.fail = (doing) => (doing === "discard-workspace" ? new FactoryError("NODE_FAILED", "no", { retry: "later" }) : undefined);
    fake.bringUp("a");
    await fake.settle();
    let behind: readonly string[] | undefined;
    void fake.engine.whenQuiet().then((left) => {
      behind = left;
    });
    await fake.settle();
    expect(behind).toBeUndefined();
    fake.behaviour.fail = () => undefined;
    await pass(fake, minute);
    expect(behind).toEqual([]);
  });
});
