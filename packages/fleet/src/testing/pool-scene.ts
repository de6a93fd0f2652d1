import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type AttemptId,
  type AttemptJob,
  type AttemptReport,
  type Clock,
  defaultGatePolicy,
  type Log,
  laterSpecFields,
  type NodeId,
  noLimits,
} from "@dispatch/core";
import type { NodeConfig } from "../node-config.ts";
import { type ConnectedNodePool, createNodePool } from "../node-pool.ts";

const clock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A pool of nodes with all that it says kept. */
export interface PoolScene {
  readonly pool: ConnectedNodePool;
  readonly reports: AttemptReport[];
  /** Lines of the log, as JSON. */
  readonly log: string[];
  /** Waits for something that reports or changes of nodes bring about. */
  until(what: string, ask: () => boolean): Promise<void>;
  ended(attempt: AttemptId): Promise<AttemptReport>;
  seqsOf(attempt: AttemptId): number[];
}

export interface SceneOptions {
  nodes: readonly NodeConfig[];
  workerBundle: string;
  knownHostsDir: string;
  configFile: string;
  env?: Readonly<Record<string, string | undefined>>;
  /** Shared between lives of a controller. */
  cursors?: Record<AttemptId, number>;
  attemptsOn?(node: NodeId): number;
}

let program: Buffer | undefined;

/** The program of a worker in a folder; built once a process. */
export function makeWorkerBundle(dir: string): string {
  const file = join(dir, "worker.mjs");
  if (program === undefined) {
    execFileSync(process.execPath, [fileURLToPath(new URL("../../../worker/bundle.mjs", import.meta.url)), file]);
    program = readFileSync(file);
  } else {
    writeFileSync(file, program);
  }
  return file;
}

export function makePool(options: SceneOptions): PoolScene {
  const cursors = options.cursors ?? {};
  const reports: AttemptReport[] = [];
  const lines: string[] = [];
  const looks = new Set<() => void>();
  const note =
    (level: string) =>
    (facts: object, message: string): void =>
      void lines.push(JSON.stringify({ level, message, ...facts }));
  const log: Log = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const { nodes, workerBundle, knownHostsDir, configFile, env = process.env, attemptsOn = () => 0 } = options;
  const pool = createNodePool({ nodes, workerBundle, cursors: () => cursors, attemptsOn, log, clock, ssh: { knownHostsDir, configFile, env } });
  const lookAround = (): void => {
    for (const look of looks) look();
  };
  pool.onReport((report) => {
    reports.push(report);
    cursors[report.attempt] = Math.max(report.seq, cursors[report.attempt] ?? 0);
    lookAround();
  });
  pool.onChange(lookAround);
  const until: PoolScene["until"] = (what, ask) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}:\n${lines.slice(-20).join("\n")}`)), 40_000);
      const look = (): void => {
        if (!ask()) return;
        clearTimeout(timer);
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  const findEnd = (attempt: AttemptId) => reports.find((report) => report.attempt === attempt && report.fact.type === "attempt-ended");
  return {
    pool,
    reports,
    log: lines,
    until,
    async ended(attempt) {
      await until(`the end of ${attempt}`, () => findEnd(attempt) !== undefined);
      const end = findEnd(attempt);
      if (end === undefined) throw new Error("no end");
      return end;
    },
    seqsOf: (attempt) => reports.filter((report) => report.attempt === attempt).map((report) => report.seq),
  };
}

/** Makes a project with one commit and puts it into a node's repository by path. */
export function pushBase(dir: string, repository: string): string {
  const source = join(dir, "source");
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", source, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { encoding: "utf8" }).trim();
  mkdirSync(join(source, "lib"), { recursive: true });
  git("init", "-q", "-b", "main");
  writeFileSync(join(source, "lib", "old.js"), "old\n");
  git("add", "-A");
  git("commit", "-qm", "base", "--allow-empty");
  const commit = git("rev-parse", "HEAD");
  git("push", "-q", repository, `HEAD:refs/dispatch/base/${commit}`);
  return commit;
}

/** A job whose agent is a shell script. */
export function makeJob(n: number, base: string, script: string): AttemptJob {
  return {
    attempt: `demo--S01-value--${n}`,
    project: "demo",
    specId: "S01-value",
    n,
    branch: `dispatch/S01-value/${n}`,
    base,
    token: `token-of-${n}-${Math.random().toString(36).slice(2)}`,
    spec: {
      id: "S01-value",
      project: "demo",
      title: "Add",
      type: "chore",
      priority: 1,
      dependsOn: [],
      after: [],
      modifies: ["lib"],
      creates: [],
      deletes: [],
      forbids: [],
      reads: [],
      verify: [],
      executor: "script",
      estimateMinutes: 1,
      timeoutMinutes: 1,
      attempts: 1,
      allowEmpty: false,
      commit: "feat: add",
      goal: "It is there.",
      labels: [],
      ...laterSpecFields,
    },
    specText: "# Add\n",
    specDigest: "sha256:abc",
    prompt: "Add it.",
    executor: { name: "script", command: ["sh", "-c", script], prompt: "file", timeoutSeconds: 60, env: {} },
    verify: [{ run: "echo ok", cwd: ".", timeoutSeconds: 10, env: {} }],
    gates: defaultGatePolicy,
    maxRounds: 3,
    limits: noLimits,
    commitSubject: "feat: add",
  };
}
