import { plainNode, type TaskSpec } from "@dispatch/core";
import type { CauseRow, Heartbeat, NodeView, ProjectRow, SignalsView, StandingRow, StatusView, TaskRow } from "@dispatch/protocol";
import { aSpec as aPlainSpec } from "../../../../test/kit/build-facts.ts";
import { plainPaint } from "../render/paint.ts";
import type { View } from "../render/view.ts";

/** 12:00:00 UTC on a day; every sample is measured against it. */
export const noon = Date.UTC(2026, 0, 15, 12, 0, 0);

export function aView(columns: number, change: Partial<View> = {}): View {
  return { columns, now: noon, paint: plainPaint, timeOf: (at) => new Date(at).toISOString().slice(11, 19), ...change };
}

export function aRow(id: string, change: Partial<TaskRow> = {}): TaskRow {
  const state = change.state ?? "planned";
  return {
    id,
    title: `Title of ${id}`,
    project: id.slice(0, id.indexOf("/")),
    priority: 2,
    state,
    display: state === "planned" ? "ready" : state,
    because: "it is ready and a slot is free",
    attempt: 0,
    round: 0,
    node: null,
    since: noon - 5000,
    estimateMinutes: 10,
    tokens: null,
    dependsOn: [],
    ...change,
  };
}

export function aProject(change: Partial<ProjectRow> = {}): ProjectRow {
  return {
    id: "shop",
    placing: { kind: "running" },
    landing: { kind: "open" },
    main: "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    collect: { kind: "idle", last: null },
    policy: "continuous",
    counts: {},
    train: [],
    ...change,
  };
}

export function aStatus(tasks: readonly TaskRow[], change: Partial<StatusView> = {}): StatusView {
  return {
    at: noon,
    lastSeq: 7,
    draining: false,
    projects: [aProject()],
    nodes: [
      {
        id: "local",
        slots: 4,
        lowPriority: false,
        labels: [],
        executors: null,
        capacity: { cpus: 8, memoryMb: 16_384, gpus: 0 },
        load: 0.5,
        ...plainNode,
        status: { kind: "up" },
        used: 2,
        fenced: 0,
      },
    ],
    tasks,
    sessions: [],
    troubles: [],
    forecast: { conflicts: [], uncompared: 0 },
    eta: null,
    standings: [],
    signals: someSignals(),
    ...change,
  };
}

/** A machine that is up, with two sessions. */
export function aNode(id: string, change: Partial<NodeView> = {}): NodeView {
  return {
    id,
    slots: 4,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 8, memoryMb: 16_384, gpus: 0 },
    load: 0.25,
    ...plainNode,
    state: { kind: "up" },
    resting: null,
    link: {
      transport: "ssh2",
      target: `deploy@${id}`,
      hostKey: "SHA256:abc",
      workDir: "~/.dispatch",
      home: "/home/deploy/.dispatch",
      nodeVersion: "v20.20.2",
    },
    used: 2,
    sessions: [
      { task: "shop/S01-schema", attempt: "shop--S01-schema--1", since: noon - 75_000, state: "running", round: 2 },
      { task: "shop/S02-cart", attempt: "shop--S02-cart--1", since: noon - 5000, state: "starting", round: 0 },
    ],
    fenced: [],
    unfetched: [],
    pulse: aPulse(),
    heardAt: noon - 2000,
    ...change,
  };
}

export function aPulse(change: Partial<Heartbeat> = {}): Heartbeat {
  return {
    load1: 2,
    cpus: 8,
    freeMemoryBytes: 3.1 * 2 ** 30,
    totalMemoryBytes: 16 * 2 ** 30,
    freeDiskBytes: 80 * 2 ** 30,
    totalDiskBytes: 200 * 2 ** 30,
    freeInodes: 1_200_000,
    sessions: 2,
    gpus: [],
    agents: [{ name: "claude", version: "2.1.0", login: "yes" }],
    usage: { at: noon - 60_000, bytes: 2 ** 30, projects: { shop: 800 * 2 ** 20, blog: 100 * 2 ** 20 } },
    limits: "cgroup",
    trouble: null,
    ...change,
  };
}

export function someSignals(change: Partial<SignalsView> = {}, figures: Partial<SignalsView["figures"]> = {}): SignalsView {
  return {
    state: { backlog: false, arrivals: false, firstRounds: false, conflicts: false },
    advice: "none",
    text: "",
    ...change,
    figures: {
      windowMs: 3_600_000,
      pending: 0,
      startable: 0,
      running: 0,
      arrived: 0,
      consumed: 0,
      firstRounds: 0,
      firstRoundsFailed: 0,
      firstRoundFailureRate: null,
      landings: 0,
      conflicts: 0,
      conflictRate: null,
      utilisation: 1,
      ...figures,
    },
  };
}

export function aCause(task: string, change: Partial<CauseRow> = {}): CauseRow {
  const because = "parked since 11:00Z: not accepted after 3 rounds";
  const release = `dispatch retry ${task}, or dispatch cancel ${task}`;
  return { kind: "parked", project: task.slice(0, task.indexOf("/")), task, because, release, needs: "lead", tasks: [task], ...change };
}

export function aStanding(kind: StandingRow["kind"], change: Partial<StandingRow> = {}): StandingRow {
  return { project: "shop", kind, unfinished: 3, underWay: 0, until: null, causes: [], cycles: [], ...change };
}

export function aSpec(id: string, change: Partial<TaskSpec> = {}): TaskSpec {
  return aPlainSpec(id, {
    title: `Title of ${id}`,
    modifies: ["src/a.ts"],
    timeoutMinutes: 60,
    attempts: 2,
    commit: `feat: ${id}`,
    goal: "Do it.",
    ...change,
  });
}
