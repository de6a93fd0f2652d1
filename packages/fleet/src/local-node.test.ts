import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type AttemptId,
  type AttemptJob,
  type AttemptReport,
  type Clock,
  errorCode,
  type Log,
  laterSpecFields,
  noLimits,
  plainNode,
} from "@dispatch/core";
import { tmuxSocketName } from "@dispatch/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { plainConfig } from "./node-config.ts";
import { type ConnectedNodePool, createNodePool } from "./node-pool.ts";

const clock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let root: string;
let home: string;
let base: string;
let cursors: Record<AttemptId, number>;
let reports: AttemptReport[];
let looks: Set<() => void>;
let pools: ConnectedNodePool[];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch flöt-")));
  home = join(root, "a hömè");
  cursors = {};
  reports = [];
  looks = new Set();
  pools = [];
  execFileSync(process.execPath, [fileURLToPath(new URL("../../worker/bundle.mjs", import.meta.url)), join(root, "worker.mjs")]);
});

afterEach(async () => {
  for (const pool of pools) await pool.close();
  spawnSync("tmux", ["-L", tmuxSocketName(home), "kill-server"], { stdio: "ignore" });
  rmSync(join(process.env["TMUX_TMPDIR"] ?? "/tmp", `tmux-${process.getuid?.()}`, tmuxSocketName(home)), { force: true });
  for (const pid of pidsWith(home)) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

test("a pool brings a job to its commit and gives the work back", async () => {
  const pool = await openPool();
  expect(pool.nodes()).toMatchObject([
    {
      id: "here",
      slots: 2,
      lowPriority: false,
      labels: ["fast"],
      executors: ["demo"],
      capacity: { cpus: 2, memoryMb: 4096, gpus: 1 },
      status: { kind: "up" },
      ...plainNode,
    },
  ]);
  const url = await pool.prepareRepository("here", "demo");
  base = pushBase(url);
  const job = makeJob(1, "echo new > lib/new.js");
  await pool.startAttempt("here", job);
  await pool.startAttempt("here", job);
  const end = await ended(job.attempt);
  expect(end.fact).toMatchObject({ type: "attempt-ended", outcome: { kind: "succeeded", base, rounds: 1 } });
  expect(reports.map((report) => report.seq)).toEqual([1, 2, 3, 4, 5]);
  const held = await pool.salvageAttempt("here", job.attempt);
  expect(held.salvage).toBeNull();
  expect(execFileSync("git", ["--git-dir", url, "show", `${held.tip}:lib/new.js`], { encoding: "utf8" })).toBe("new\n");
  await pool.discardAttempt("here", job.attempt, held);
  expect(existsSync(join(home, "work", job.attempt))).toBe(false);
  const results = await pool.runVerify("here", { id: "v1", project: "demo", commit: held.tip ?? "", verify: job.verify });
  expect(results).toMatchObject([{ outcome: "exited", exitCode: 0 }]);
  expect(await pool.inventory("here")).toEqual([job.attempt]);
  expect(await pool.tail("here", job.attempt, "verify", 0)).toMatchObject({ text: "ok\n", round: 1 });
  expect(await pool.inventory("here")).toContain(job.attempt);
});

test("the program lies in the home under its hash and a damaged copy is replaced", async () => {
  const first = await openPool();
  const [name = ""] = readdirSync(join(home, "worker"));
  expect(name).toMatch(/^[0-9a-f]{64}\.mjs$/);
  await first.close();
  writeFileSync(join(home, "worker", name), "cut off");
  const second = await openPool();
  expect(second.nodes()[0]?.status.kind).toBe("up");
  expect(readdirSync(join(home, "worker"))).toEqual([name]);
  expect(readFileSync(join(home, "worker", name)).equals(readFileSync(join(root, "worker.mjs")))).toBe(true);
});

test("a killed host comes back by itself; calls under way fail and no report is lost or repeated", async () => {
  const pool = await openPool();
  base = pushBase(await pool.prepareRepository("here", "demo"));
  const gate = join(root, "gate");
  const job = makeJob(1, `while [ ! -e '${gate}' ]; do sleep 0.02; done; echo new > lib/new.js`);
  await pool.startAttempt("here", job);
  await until(() => reports.some((report) => report.fact.type === "round-started"));
  const slow = pool.runVerify("here", {
    id: "v",
    project: "demo",
    commit: base,
    verify: [{ run: "sleep 60", cwd: ".", timeoutSeconds: 90, env: {} }],
  });
  const rejected = slow.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  );
  await untilTrue(() => pidsWith("sleep 60".replace(" ", "\0")).length > 0);
  for (const pid of pidsWith("host\0--home")) if (commandOf(pid).includes(home)) process.kill(pid, "SIGKILL");
  expect(await rejected).toBe("NODE_UNREACHABLE");
  await until(() => pool.nodes()[0]?.status.kind === "down");
  writeFileSync(gate, "");
  await until(() => pool.nodes()[0]?.status.kind === "up");
  await ended(job.attempt);
  expect(reports.map((report) => report.seq)).toEqual([1, 2, 3, 4, 5]);
  await pool.runVerify("here", { id: "v2", project: "demo", commit: base, verify: job.verify });
  expect(pidsWith("sleep\x0060")).toEqual([]);
});

test("a second controller life adopts what runs, from its cursor", async () => {
  const first = await openPool();
  base = pushBase(await first.prepareRepository("here", "demo"));
  const gate = join(root, "gate");
  const job = makeJob(1, `while [ ! -e '${gate}' ]; do sleep 0.02; done; echo new > lib/new.js`);
  await first.startAttempt("here", job);
  await until(() => reports.length >= 2);
  await first.close();
  expect(first.nodes()[0]?.status.kind).toBe("down");
  const second = await openPool();
  expect(await second.seenAttempts("here")).toMatchObject([{ attempt: job.attempt, alive: true }]);
  writeFileSync(gate, "");
  await ended(job.attempt);
  expect(reports.map((report) => report.seq)).toEqual([1, 2, 3, 4, 5]);
});

test("resync sends everything behind the cursor again", async () => {
  const pool = await openPool();
  base = pushBase(await pool.prepareRepository("here", "demo"));
  const job = makeJob(1, "echo new > lib/new.js");
  await pool.startAttempt("here", job);
  await ended(job.attempt);
  reports.length = 0;
  cursors[job.attempt] = 3;
  pool.resync("here");
  await ended(job.attempt);
  expect(reports.map((report) => report.seq)).toEqual([4, 5]);
});

test("an attempt whose files are gone ends behind the cursor when it is stopped", async () => {
  const pool = await openPool();
  cursors["demo--S01-value--7"] = 4;
  expect(await pool.inventory("here")).toEqual([]);
  await pool.stopAttempt("here", "demo--S01-value--7", "its node forgot it");
  expect(reports).toMatchObject([{ seq: 5, fact: { type: "attempt-ended", outcome: { kind: "stopped" } } }]);
});

test("calls to a node that is down or unknown say so", async () => {
  const pool = createPool();
  expect(await codeOf(pool.inventory("here"))).toBe("NODE_UNREACHABLE");
  expect(await codeOf(pool.inventory("nowhere"))).toBe("NOT_FOUND");
  expect(pool.nodes()[0]?.status.kind).toBe("down");
});

test("a program that cannot run leaves the node down and says why", async () => {
  writeFileSync(join(root, "worker.mjs"), "process.exit(3);\n");
  const pool = await openPool();
  expect(pool.nodes()[0]?.status.kind).toBe("down");
  expect(await codeOf(pool.inventory("here"))).toBe("NODE_UNREACHABLE");
});

test("a session can be watched under the name the pool gives", async () => {
  const pool = await openPool();
  base = pushBase(await pool.prepareRepository("here", "demo"));
  const job = makeJob(1, "echo seen in the pane; sleep 60");
  await pool.startAttempt("here", job);
  const [program = "", ...args] = pool.attachCommand("here", job.attempt);
  const asked = [...args.slice(0, args.indexOf("attach-session")), "has-session", ...args.slice(args.indexOf("-t"))];
  expect(spawnSync(program, asked).status).toBe(0);
  await untilTrue(async () => (await pool.tail("here", job.attempt, "pane", 0)).text.includes("seen in the pane"));
  await pool.stopAttempt("here", job.attempt, "seen");
  expect((await ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "stopped", because: "seen" } });
});

test("an attempt is told through its node, once for each number", async () => {
  const pool = await openPool();
  await pool.tellAttempt("here", "demo--S01-value--9", 1, "the contract changed");
  await pool.tellAttempt("here", "demo--S01-value--9", 1, "again");
  const notices = join(home, "attempts", "demo--S01-value--9", "notices");
  expect(readdirSync(notices)).toEqual(["1.md"]);
  expect(readFileSync(join(notices, "1.md"), "utf8")).toBe("the contract changed");
  expect(await codeOf(pool.tellAttempt("there", "demo--S01-value--9", 1, "nobody"))).toBe("NOT_FOUND");
});

function createPool(): ConnectedNodePool {
  const pool = createNodePool({
    nodes: [
      {
        id: "here",
        slots: 2,
        lowPriority: false,
        labels: ["fast"],
        executors: ["demo"],
        capacity: { cpus: 2, memoryMb: 4096, gpus: 1 },
        ...plainConfig,
        home,
      },
    ],
    workerBundle: join(root, "worker.mjs"),
    cursors: () => cursors,
    log,
    clock,
    ssh: { knownHostsDir: join(root, "known-hosts"), env: {} },
  });
  pools.push(pool);
  pool.onReport((report) => {
    reports.push(report);
    cursors[report.attempt] = Math.max(report.seq, cursors[report.attempt] ?? 0);
    for (const look of looks) look();
  });
  pool.onChange(() => {
    for (const look of looks) look();
  });
  return pool;
}

async function openPool(): Promise<ConnectedNodePool> {
  const pool = createPool();
  await pool.open();
  return pool;
}

function until(what: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain: ${JSON.stringify(reports).slice(0, 3000)}`)), 30_000);
    const look = (): void => {
      if (!what()) return;
      clearTimeout(timer);
      looks.delete(look);
      resolve();
    };
    looks.add(look);
    look();
  });
}

async function untilTrue(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 1000; n++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("waited in vain");
}

async function ended(attempt: AttemptId): Promise<AttemptReport> {
  const find = () => reports.find((report) => report.attempt === attempt && report.fact.type === "attempt-ended");
  await until(() => find() !== undefined);
  const report = find();
  if (report === undefined) throw new Error("no end");
  return report;
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return await promise.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  );
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Living processes whose command line holds a word. */
function pidsWith(word: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && commandOf(pid).includes(word));
}

function pushBase(repository: string): string {
  const source = join(root, "source");
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", source, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { encoding: "utf8" }).trim();
  execFileSync("git", ["init", "-q", "-b", "main", source]);
  writeFileSync(join(source, "README.md"), "a project\n");
  execFileSync("mkdir", ["-p", join(source, "lib")]);
  writeFileSync(join(source, "lib", "old.js"), "old\n");
  git("add", "-A");
  git("commit", "-qm", "base");
  const commit = git("rev-parse", "HEAD");
  git("push", "-q", repository, `HEAD:refs/dispatch/base/${commit}`);
  return commit;
}

function makeJob(n: number, script: string): AttemptJob {
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
    executor: { name: "script", command: ["sh", "-c", script], prompt: "file", timeoutSeconds: 30, env: {} },
    verify: [{ run: "echo ok", cwd: ".", timeoutSeconds: 10, env: {} }],
    gates: { placeholderAllow: [], placeholderWords: [], markerAllow: [], alwaysAllowed: [] },
    maxRounds: 3,
    limits: noLimits,
    commitSubject: "feat: add",
  };
}
