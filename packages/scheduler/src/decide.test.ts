import { type Attempt, type Car, emptyTrain, emptyWorld, type NodeSnapshot, plainNode, type Task, type TaskState, type World } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../../../test/kit/build-facts.ts";
import { decide } from "./decide.ts";
import { explainTask } from "./explain/explain-task.ts";
import type { Snapshot } from "./snapshot.ts";

const tries = { tries: 0, limit: 4, feedback: [] };
const node = (slots: number, change: Partial<NodeSnapshot> = {}): NodeSnapshot => ({
  id: "local",
  slots,
  lowPriority: false,
  labels: [],
  executors: null,
  capacity: { cpus: 64, memoryMb: 65_536, gpus: 0 },
  load: null,
  ...plainNode,
  status: { kind: "up" },
  ...change,
});

function task(id: string, spec: Parameters<typeof aSpec>[1] = {}, state: TaskState = { kind: "planned", ...tries }, plannedAt = 1): Task {
  return { id: `shop/${id}`, project: "shop", spec: aSpec(id, spec), digest: "", text: "", path: "", revision: 1, plannedAt, state };
}

function live(id: string): Attempt {
  return {
    id: `shop--${id}--1`,
    task: `shop/${id}`,
    n: 1,
    node: "local",
    base: anOid(1),
    executor: "x",
    placedAt: 1,
    endedAt: 0,
    cursor: 0,
    notices: [],
    rounds: [],
    state: { kind: "starting" },
  };
}

const running = (id: string): TaskState => ({
  kind: "running",
  attempt: `shop--${id}--1`,
  node: "local",
  round: 1,
  tries: 1,
  limit: 4,
  feedback: [],
});
const queued = (id: string, since = 1): TaskState => ({
  kind: "queued",
  attempt: `shop--${id}--1`,
  tip: anOid(9),
  since,
  tries: 1,
  limit: 4,
  feedback: [],
});

interface Board {
  tasks: Task[];
  attempts?: Attempt[];
  nodes?: NodeSnapshot[];
  policy?: "continuous" | "on-collect";
  project?: Partial<NonNullable<ReturnType<World["projects"]["get"]>>>;
}

function board({ tasks, attempts = [], nodes = [node(4)], policy = "continuous", project = {} }: Board): Snapshot {
  return {
    world: {
      ...emptyWorld(),
      projects: new Map([
        [
          "shop",
          {
            id: "shop",
            placing: { kind: "running" },
            main: anOid(1),
            landing: { kind: "open" },
            collect: { kind: "idle", last: null },
            train: emptyTrain,
            ...project,
          },
        ],
      ]),
      tasks: new Map(tasks.map((one) => [one.id, one])),
      attempts: new Map(attempts.map((one) => [one.id, one])),
    },
    nodes,
    projects: new Map([["shop", { landing: policy, contracts: [], shared: [], generated: [], barrier: [], share: 1, executor: null }]]),
  };
}

const placed = (snapshot: Snapshot, now = 100) =>
  decide(snapshot, now).flatMap((decision) => (decision.decide === "place" ? [decision.task.replace("shop/", "")] : []));
const landed = (snapshot: Snapshot) =>
  decide(snapshot, 100).flatMap((decision) =>
    decision.decide === "form-car"
      ? [decision.members.map((member) => member.replace("shop/", "")).join("+")]
      : decision.decide === "publish"
        ? ["publish"]
        : [],
  );

describe("placing", () => {
  it("uses every free slot while a ready task that conflicts with nothing exists", () => {
    expect(placed(board({ tasks: [task("S01"), task("S02"), task("S03")], nodes: [node(2)] }))).toHaveLength(2);
    expect(placed(board({ tasks: [task("S01"), task("S02"), task("S03")], nodes: [node(8)] }))).toHaveLength(3);
  });

  it("orders by priority, then the longest remaining path, then age", () => {
    const tasks = [
      task("S01", {}, undefined, 1),
      task("S02", {}, undefined, 2),
      task("S03", { estimateMinutes: 5 }, undefined, 3),
      task("S04", { dependsOn: ["S03"], estimateMinutes: 20 }, undefined, 4),
      task("S05", { priority: 0 }, undefined, 5),
    ];
    expect(placed(board({ tasks }))).toEqual(["S05", "S03", "S01", "S02"]);
  });

  it("waits until a dependency is merged, not merely queued", () => {
    const dependant = task("S02", { dependsOn: ["S01"] });
    expect(placed(board({ tasks: [task("S01", {}, queued("S01")), dependant] }))).toEqual([]);
    expect(placed(board({ tasks: [task("S01", {}, { kind: "merged", attempt: "a", commit: anOid(3), at: 5, tries: 1 }), dependant] }))).toEqual([
      "S02",
    ]);
  });

  it("lets `after` be satisfied by a parked task", () => {
    const parked: TaskState = {
      kind: "parked",
      since: 1,
      because: { code: "rounds-exhausted", text: "", findings: [], conflict: null, salvage: "" },
      ...tries,
    };
    expect(placed(board({ tasks: [task("S01", {}, parked), task("S02", { after: ["S01"] })] }))).toEqual(["S02"]);
  });

  it("never places two whose paths meet, neither with a holder nor with each other", () => {
    const lib = { modifies: ["lib"] };
    const file = { modifies: ["lib/x.ts"] };
    expect(placed(board({ tasks: [task("S01", lib), task("S02", file)] }))).toEqual(["S01"]);
    expect(placed(board({ tasks: [task("S01", lib, running("S01")), task("S02", file), task("S03")], attempts: [live("S01")] }))).toEqual(["S03"]);
    expect(placed(board({ tasks: [task("S01", lib, queued("S01")), task("S02", file)] }))).toEqual([]);
    expect(
      placed(
        board({
          tasks: [task("S01", { modifies: ["src/*.ts"] }, running("S01")), task("S02", { modifies: [], creates: ["src/new.ts"] })],
          attempts: [live("S01")],
        }),
      ),
    ).toEqual([]);
  });

  it("does not let a blocked task take the slot of one behind it", () => {
    const tasks = [task("S01", { modifies: ["a"] }, running("S01")), task("S02", { modifies: ["a"], priority: 0 }), task("S03", { priority: 3 })];
    expect(placed(board({ tasks, attempts: [live("S01")], nodes: [node(2)] }))).toEqual(["S03"]);
  });

  it("counts a stopping session's slot as taken, and a down node as none", () => {
    const stopping: Attempt = { ...live("S01"), state: { kind: "stopping", because: "" } };
    expect(
      placed(
        board({
          tasks: [task("S01", {}, { ...running("S01"), kind: "cancelling", by: "x" } as TaskState), task("S02")],
          attempts: [stopping],
          nodes: [node(1)],
        }),
      ),
    ).toEqual([]);
    expect(placed(board({ tasks: [task("S02")], nodes: [node(4, { status: { kind: "down", because: "x", since: 0 } })] }))).toEqual([]);
  });

  it("stays on a node that knows the project while it has room, and takes low-priority ones last", () => {
    const nodes = [node(8, { id: "low", lowPriority: true }), node(1, { id: "a" }), node(2, { id: "b" })];
    const decisions = decide(board({ tasks: [task("S01"), task("S02"), task("S03"), task("S04")], nodes }), 100);
    expect(decisions.map((decision) => (decision.decide === "place" ? decision.node : ""))).toEqual(["a", "b", "b", "low"]);
  });

  it("respects a pause and a backoff", () => {
    expect(placed(board({ tasks: [task("S01")], project: { placing: { kind: "paused", by: "lead" } } }))).toEqual([]);
    const backoff: TaskState = { kind: "backoff", until: 200, because: "x", tries: 1, limit: 4, feedback: [] };
    expect(placed(board({ tasks: [task("S01", {}, backoff)] }), 199)).toEqual([]);
    expect(placed(board({ tasks: [task("S01", {}, backoff)] }), 200)).toEqual(["S01"]);
  });

  it("survives a chain longer than the call stack", () => {
    const tasks = Array.from({ length: 20_000 }, (_, i) => task(`S${i}`, i === 0 ? {} : { dependsOn: [`S${i - 1}`] }));
    expect(placed(board({ tasks }))).toEqual(["S0"]);
  });
});

describe("landing", () => {
  it("puts all that wait in one car, by priority and arrival, and no more than one car in one slot", () => {
    const tasks = [task("S01", {}, queued("S01", 5)), task("S02", {}, queued("S02", 3)), task("S03", { priority: 0 }, queued("S03", 9))];
    expect(landed(board({ tasks }))).toEqual(["S03+S02+S01"]);
    const landing: TaskState = { kind: "landing", attempt: "shop--S02--1", tip: anOid(9), since: 3, car: "1", tries: 1, limit: 4, feedback: [] };
    const car: Car = { id: "1", kind: "car", members: ["shop/S02"], ahead: [], onto: anOid(1), state: { kind: "building", passed: null } };
    const train = { ...emptyTrain, lastCar: 1, cars: [car] };
    expect(landed(board({ tasks: [task("S01", {}, queued("S01")), task("S02", {}, landing)], project: { train } }))).toEqual([]);
  });

  it("lets a branch ride alone that changes what every run rests on", () => {
    const tasks = [
      task("S01", {}, { ...queued("S01", 1), alone: true } as TaskState),
      task("S02", {}, queued("S02", 2)),
      task("S03", {}, queued("S03", 3)),
    ];
    expect(landed(board({ tasks }))).toEqual(["S01"]);
  });

  it("waits for a collect where the project says so, and then lands what the collect named", () => {
    const tasks = [task("S01", {}, queued("S01", 1)), task("S02", {}, queued("S02", 2))];
    expect(landed(board({ tasks, policy: "on-collect" }))).toEqual([]);
    expect(landed(board({ tasks, policy: "on-collect", project: { collect: { kind: "landing", requestedAt: 1, tasks: ["shop/S02"] } } }))).toEqual([
      "S02",
    ]);
    expect(
      landed(
        board({
          tasks: [task("S01", {}, queued("S01"))],
          policy: "on-collect",
          project: { collect: { kind: "landing", requestedAt: 1, tasks: ["shop/S02"] } },
        }),
      ),
    ).toEqual(["publish"]);
  });

  it("starts nothing while origin is read or written, or while main is red", () => {
    const tasks = [task("S01", {}, queued("S01"))];
    expect(landed(board({ tasks, project: { collect: { kind: "taking-in", requestedAt: 1, tasks: [] } } }))).toEqual([]);
    expect(landed(board({ tasks, project: { collect: { kind: "publishing", requestedAt: 1, tasks: [] } } }))).toEqual([]);
    expect(landed(board({ tasks, project: { landing: { kind: "frozen", because: "red" } } }))).toEqual([]);
  });
});

describe("the explanation", () => {
  const why = (snapshot: Snapshot, id: string) => {
    const found = snapshot.world.tasks.get(`shop/${id}`);
    if (found === undefined) throw new Error(id);
    return explainTask(snapshot, found, 100);
  };

  it("agrees with the decision: what is about to start is placed, what is placed was about to start", () => {
    const snapshot = board({
      tasks: [
        task("S01", { modifies: ["a"] }, running("S01")),
        task("S02", { modifies: ["a"] }),
        task("S03"),
        task("S04", { dependsOn: ["S02"] }),
        task("S05"),
      ],
      attempts: [live("S01")],
      nodes: [node(3)],
    });
    const about = ["S02", "S03", "S04", "S05"].filter((id) => why(snapshot, id).kind === "about-to-start");
    expect(placed(snapshot)).toEqual(about);
    expect(why(snapshot, "S02")).toMatchObject({ kind: "lock", holder: "shop/S01", mine: "a", theirs: "a", since: 1 });
    expect(why(snapshot, "S04")).toMatchObject({ kind: "dependency", task: "shop/S02", state: "planned" });
  });

  it("names how many go before a task that waits for a slot", () => {
    const snapshot = board({
      tasks: [task("S01", {}, running("S01")), task("S02", { priority: 0 }), task("S03")],
      attempts: [live("S01")],
      nodes: [node(1)],
    });
    expect(why(snapshot, "S03")).toMatchObject({ kind: "slot", ahead: 1, slots: 1 });
  });
});
