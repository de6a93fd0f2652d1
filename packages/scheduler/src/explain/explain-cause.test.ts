import type { TaskState } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import type { Snapshot } from "../snapshot.ts";
import { aNode, aProjectRow, aSnapshot, aTask, type SnapshotParts } from "../testing/build-snapshot.ts";
import { createCauseFinder } from "./explain-cause.ts";

const tries = { tries: 1, limit: 4, feedback: [] };
const queued = (id: string): TaskState => ({ kind: "queued", attempt: `shop--${id}--1`, tip: "1", since: 1, ...tries });
const running = (id: string): TaskState => ({ kind: "running", attempt: `shop--${id}--1`, node: "local", round: 1, ...tries });
const parked: TaskState = {
  kind: "parked",
  since: 5,
  because: { code: "rounds-exhausted", text: "no", findings: [], conflict: null, salvage: "" },
  ...tries,
};
const now = 1000;

function causeOf(parts: SnapshotParts | Snapshot, id: string) {
  const snapshot = "world" in parts ? parts : aSnapshot(parts);
  const task = snapshot.world.tasks.get(`shop/${id}`);
  if (task === undefined) throw new Error(id);
  const cause = createCauseFinder(snapshot, now)(task);
  return { cause, needs: cause.needs, chain: cause.chain.map((link) => `${link.task.slice(5)} ${link.explanation.kind}`) };
}

describe("the root of what a task waits for", () => {
  it("is at the end of dependencies, locks and landing lines", () => {
    const tasks = [
      aTask("S01", {}, parked),
      aTask("S02", { dependsOn: ["S01"] }),
      aTask("S03", { dependsOn: ["S02"] }),
      aTask("S04", { modifies: ["lib"] }, queued("S04")),
      aTask("S05", { modifies: ["lib/a.ts"] }),
      aTask("S06", { after: ["S05"] }),
    ];
    expect(causeOf({ tasks, policy: "on-collect" }, "S03")).toMatchObject({
      needs: "lead",
      chain: ["S03 dependency", "S02 dependency", "S01 parked"],
    });
    expect(causeOf({ tasks, policy: "on-collect" }, "S06")).toMatchObject({
      needs: "lead",
      chain: ["S06 dependency", "S05 lock", "S04 waits-for-collect"],
    });
    expect(causeOf({ tasks, policy: "continuous" }, "S06").needs).toBe("factory");
  });

  it("is one for all that wait for the same", () => {
    const tasks = [aTask("S01", {}, parked), aTask("S02", { dependsOn: ["S01"] }), aTask("S03", { dependsOn: ["S01"] })];
    const keys = ["S01", "S02", "S03"].map((id) => causeOf({ tasks }, id).cause.key);
    expect(new Set(keys).size).toBe(1);
  });

  it("is the circle itself where tasks wait for each other", () => {
    const tasks = [aTask("S01", { dependsOn: ["S02"] }), aTask("S02", { dependsOn: ["S01"] }), aTask("S03", { dependsOn: ["S01"] })];
    expect(causeOf({ tasks }, "S03")).toMatchObject({ needs: "nobody", cause: { key: "cycle shop/S01 shop/S02" } });
  });

  it("is a dependency that will never come", () => {
    const cancelled: TaskState = { kind: "cancelled", by: "x", ...tries };
    const tasks = [aTask("S01", {}, cancelled), aTask("S02", { dependsOn: ["S01"] }), aTask("S03", { dependsOn: ["S09"] })];
    expect(causeOf({ tasks }, "S02")).toMatchObject({ needs: "lead", cause: { key: "dependency shop/S01" } });
    expect(causeOf({ tasks }, "S03").cause.explanation).toMatchObject({ kind: "dependency", state: "unknown" });
  });

  it("tells a task that changes the contract from those it keeps waiting, and both from locks", () => {
    const tasks = [aTask("S01", { modifies: ["api.yaml"] }), aTask("S02"), aTask("S03", {}, running("S03"))];
    const parts = { tasks, contracts: ["api.yaml"] };
    expect(causeOf(parts, "S01").cause.chain[0]?.explanation).toMatchObject({ kind: "lock", holder: "shop/S03", meeting: "contract" });
    expect(causeOf(parts, "S02").cause.chain[0]?.explanation).toMatchObject({ kind: "contract-barrier", task: "shop/S01", contract: "api.yaml" });
    expect(causeOf({ ...parts, tasks: tasks.slice(0, 2) }, "S02").chain[0]).toBe("S02 lock");
  });

  it("names the node that comes closest, the missing resource, and who is served first", () => {
    const nodes = [aNode(2, { id: "a", labels: ["gpu"] }), aNode(1, { id: "b", capacity: { cpus: 4, memoryMb: 100, gpus: 1 } })];
    const gpus = (count: number) => ({ resources: { cpus: 0, memoryMb: 0, gpus: count } });
    const tasks = [
      aTask("S01", { ...gpus(2) }),
      aTask("S02", { nodeLabels: ["arm"] }),
      aTask("S03", { ...gpus(1), priority: 0 }),
      aTask("S04", { ...gpus(1) }),
    ];
    expect(causeOf({ tasks, nodes }, "S01").cause.explanation).toEqual({
      kind: "no-node-fits",
      nearest: { node: "b", miss: { kind: "too-small", resource: "gpus", wanted: 2, has: 1 } },
    });
    expect(causeOf({ tasks, nodes }, "S02").cause.explanation).toMatchObject({
      kind: "no-node-fits",
      nearest: { miss: { kind: "label", missing: ["arm"] } },
    });
    expect(causeOf({ tasks, nodes }, "S03").cause.explanation.kind).toBe("about-to-start");
    expect(causeOf({ tasks, nodes }, "S04").cause.explanation).toEqual({ kind: "resource", node: "b", resource: "gpus", wanted: 1, free: 0 });
    const down = [aNode(1, { id: "c", capacity: { cpus: 1, memoryMb: 1, gpus: 2 }, status: { kind: "down", because: "no link", since: 0 } })];
    expect(causeOf({ tasks, nodes: down }, "S01").cause.explanation).toEqual({
      kind: "nodes-down",
      nodes: [{ node: "c", by: "down", because: "no link" }],
    });
  });

  it("names every node that could take a task and does not, each with its reason", () => {
    const tasks = [aTask("S01"), aTask("S02", { nodeLabels: ["gpu"] }), aTask("S03", { modifies: ["api.yaml"], nodeLabels: ["gpu"] })];
    const closed = (id: string, kind: "cordoned" | "pressure", change: Parameters<typeof aNode>[1] = {}) =>
      aNode(1, { id, labels: ["gpu"], closed: { kind, because: `${kind} it is` }, ...change });
    const down = { kind: "down", because: "no link", since: 0 } as const;
    const nodes = [
      aNode(1, { id: "a" }),
      closed("b", "cordoned", { status: down }),
      closed("c", "pressure"),
      aNode(1, { id: "d", labels: ["gpu"], status: down }),
    ];
    const parts = { tasks, nodes, contracts: ["api.yaml"] };
    const shut = [
      { node: "b", by: "cordoned", because: "cordoned it is" },
      { node: "c", by: "pressure", because: "pressure it is" },
      { node: "d", by: "down", because: "no link" },
    ];
    expect(causeOf(parts, "S02")).toMatchObject({ needs: "lead", cause: { explanation: { kind: "nodes-closed", nodes: shut } } });
    // Nobody waits for a change of the contract that only a closed node could take.
    expect(causeOf(parts, "S01").cause.explanation.kind).toBe("about-to-start");
    const waits = causeOf({ tasks: [aTask("S04"), aTask("S00", { priority: 0 })], nodes }, "S04").cause.explanation;
    expect(waits).toEqual({ kind: "slot", ahead: 0, first: null, slots: 1, nodesShut: shut });
  });

  it("names who goes first for a slot, and by what", () => {
    const tasks = [aTask("S01", { priority: 1 }), aTask("S02", { priority: 0 }), aTask("S03", { estimateMinutes: 20 }), aTask("S04")];
    const line = (id: string) => causeOf({ tasks, nodes: [aNode(1)] }, id).cause.explanation;
    expect(line("S02").kind).toBe("about-to-start");
    expect(line("S01")).toMatchObject({ kind: "slot", ahead: 0, first: null });
    expect(line("S03")).toMatchObject({ kind: "slot", ahead: 1, first: { task: "shop/S01", by: "class" } });
    expect(line("S04")).toMatchObject({ kind: "slot", ahead: 2, first: { task: "shop/S01", by: "class" } });
  });

  it("names the project in the way", () => {
    const tasks = [aTask("S01"), aTask("S02", {}, queued("S02"))];
    const paused = aProjectRow({ placing: { kind: "paused", by: "x" }, landing: { kind: "frozen", because: "red" } });
    expect(causeOf({ tasks, project: paused }, "S01")).toMatchObject({ needs: "lead", cause: { key: "project-paused shop" } });
    expect(causeOf({ tasks, project: paused }, "S02")).toMatchObject({ needs: "lead", cause: { key: "landing-frozen shop" } });
    const unknown = { ...aSnapshot({ tasks }), projects: new Map() };
    expect(causeOf(unknown, "S01").cause.explanation.kind).toBe("project-not-configured");
  });
});
