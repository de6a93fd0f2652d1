import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  type CommandResult,
  defaultGatePolicy,
  type FactoryError,
  type Ledger,
  laterSpecFields,
  type NodePool,
  type Repositories,
  type StoredEvent,
} from "@dispatch/core";
import { createEngine, type Engine, type Settings } from "@dispatch/engine";
import { type ConnectedNodePool, createNodePool, type NodeConfig } from "@dispatch/fleet";
import { createSqliteLedger } from "@dispatch/store";
import type { SshLab } from "../kit/real-sshd.ts";
import { greenVerify } from "./fleet-lab.ts";

const project = "demo";

export interface BenchTask {
  id: string;
  /** The agent: program and arguments. */
  command: readonly string[];
  dependsOn?: readonly string[];
}

/** An engine with the product's ledger, scheduler, pool and nodes, and with git off on its own side. */
export interface BenchEngine {
  engine: Engine;
  pool: ConnectedNodePool;
  /** Feeds the tasks; settles when all have landed. */
  run(tasks: readonly BenchTask[]): Promise<void>;
  feed(tasks: readonly BenchTask[]): Promise<void>;
  /** Facts as they became durable. */
  onFacts(listener: (events: readonly StoredEvent[]) => void): () => void;
  close(): Promise<void>;
}

export interface BenchEngineOptions {
  lab: SshLab;
  workerBundle: string;
  nodes: readonly NodeConfig[];
  /** The commit all attempts start from; the nodes have it. */
  base: string;
}

const green: CommandResult = { command: "true", outcome: "exited", exitCode: 0, signal: null, durationMs: 1, outputBytes: 0, outputTail: "" };
let opened = 0;

/**
 * What is real: every decision and fact on disk (FULL), the connection, the host, tmux, the wrapper with its worktree, its
 * agent, its verify command and its commit. What is off: pushing the base, fetching and removing what an attempt left,
 * and building and testing what lands; those ports answer at once, and the facts they bring are recorded as always.
 */
export async function openBenchEngine(options: BenchEngineOptions): Promise<BenchEngine> {
  const { lab, workerBundle, base } = options;
  const file = join(lab.dir, `bench-${++opened}.db`);
  const ledger: Ledger = createSqliteLedger(file);
  const commands = new Map<string, readonly string[]>();
  const problems: string[] = [];
  const note = (facts: object, message: string): void => void problems.push(`${message} ${JSON.stringify(facts)}`);
  const log = { debug() {}, info() {}, warn: note, error: note };
  const clock = { now: () => Date.now(), after: afterMs };
  const pool = createNodePool({
    nodes: options.nodes,
    workerBundle,
    cursors: () => cursorsOf(engine),
    attemptsOn: () => 0,
    log,
    clock,
    ssh: { knownHostsDir: join(lab.dir, "known"), configFile: lab.configFile, env: process.env },
  });
  const nodes: NodePool = {
    ...pool,
    prepareRepository: async () => "off",
    salvageAttempt: async () => ({ tip: base, salvage: null }),
    discardAttempt: async () => {},
    runVerify: async () => [green],
  };
  const settings = settingsOf(commands);
  let fail = (error: unknown): void => void problems.push(String(error));
  const engine: Engine = createEngine({ ledger, nodes, repositories: noGit(base), settings, clock, log, at: () => {} }, (error) => fail(error));
  await pool.open();
  await engine.start();
  await engine.commands.startProject(project);
  const feed: BenchEngine["feed"] = async (tasks) => {
    for (const { id, command } of tasks) commands.set(id, command);
    await engine.commands.feed(tasks.map(specFileOf));
  };
  return {
    engine,
    pool,
    feed,
    onFacts: (listener) => engine.subscribe(listener),
    async run(tasks) {
      const waiting = new Set(tasks.map(({ id }) => `${project}/${id}`));
      await new Promise<void>((resolve, reject) => {
        fail = reject;
        const stop = engine.subscribe((events) => {
          for (const { event } of events) {
            if (event.type === "task-merged") waiting.delete(event.task);
            const task =
              event.type === "result-checked" || event.type === "wrapper-reported" ? engine.world.attempts.get(event.attempt)?.task : undefined;
            const state = task === undefined ? undefined : engine.world.tasks.get(task)?.state;
            if (state?.kind === "parked") reject(new Error(`${task} is parked: ${state.because}; ${problems.slice(-5).join("; ")}`));
          }
          if (waiting.size > 0) return;
          stop();
          resolve();
        });
        feed(tasks).catch(reject);
      });
    },
    async close() {
      await pool.close();
      await engine.close();
      await ledger.close().catch((error: FactoryError) => problems.push(error.message));
      for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    },
  };
}

function afterMs(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

function cursorsOf(engine: Engine): Record<string, number> {
  const cursors: Record<string, number> = {};
  for (const attempt of engine.world.attempts.values()) if (attempt.state.kind !== "discarded") cursors[attempt.id] = attempt.cursor;
  return cursors;
}

function settingsOf(commands: ReadonlyMap<string, readonly string[]>): Settings {
  const scheduling = new Map([
    [project, { landing: "continuous" as const, contracts: [], shared: [], generated: [], barrier: [], share: 1, executor: null }],
  ]);
  return {
    sourceOf: (id) => ({ id, repo: "/off", branch: "main" }),
    scheduling: () => scheduling,
    executorOf: (spec) => ({ name: "bench", command: commands.get(spec.id) ?? ["true"], prompt: "file", timeoutSeconds: 3600, env: {} }),
    policyAt: async () => ({
      verify: [greenVerify],
      maxRounds: 1,
      gates: { ...defaultGatePolicy, alwaysAllowed: ["**"] },
    }),
  };
}

/** Main never moves: every candidate is the base itself. */
function noGit(base: string): Repositories {
  return {
    openHub: async () => base,
    mainOf: async () => base,
    sendCommit: async () => {},
    fetchAttempt: async () => {},
    diffOf: async () => ({ raw: "", patch: "", sizes: new Map() }),
    takeGenerated: () => Promise.reject(new Error("nothing is generated here")),
    buildCar: async (_project, { members }) => ({
      candidate: { commit: base, merge: base, tree: base },
      held: members.map(({ task }) => task),
      refused: [],
      deferred: [],
      outdated: [],
    }),
    advanceMain: async () => ({ outcome: "advanced" }),
    takeInOrigin: async () => ({ outcome: "unchanged", main: base }),
    publishMain: async () => ({ outcome: "published", commit: base }),
    listFiles: async () => [],
    readFile: async () => undefined,
    readFiles: async () => new Map(),
    readBlobs: async () => new Map(),
  };
}

function specFileOf({ id, dependsOn = [] }: BenchTask) {
  return {
    spec: {
      id,
      project,
      title: id,
      type: "feature",
      priority: 2,
      dependsOn: [...dependsOn],
      after: [],
      modifies: [`src/${id}`],
      creates: [],
      deletes: [],
      forbids: [],
      reads: [],
      verify: [],
      executor: "auto",
      estimateMinutes: 1,
      timeoutMinutes: 60,
      attempts: 4,
      allowEmpty: true,
      commit: `feat: ${id}`,
      goal: id,
      labels: [],
      ...laterSpecFields,
    },
    digest: `digest-${id}`,
    text: `# ${id}\n`,
    path: `specs/${project}/${id}.md`,
  } as const;
}
