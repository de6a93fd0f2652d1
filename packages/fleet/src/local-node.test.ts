import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AttemptId, errorCode, plainNode } from "@dispatch/core";
import { tmuxSocketName } from "@dispatch/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../test/kit/eventually.ts";
import { type LocalNodeConfig, plainConfig } from "./node-config.ts";
import { makeJob, makePool, makeWorkerBundle, type PoolScene, pushBase } from "./testing/pool-scene.ts";

let root: string;
let home: string;
let workerBundle: string;
let cursors: Record<AttemptId, number>;
let scenes: PoolScene[];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch flöt-")));
  home = join(root, "a hömè");
  cursors = {};
  scenes = [];
  workerBundle = makeWorkerBundle(root);
});

afterEach(async () => {
  for (const { pool } of scenes) await pool.close();
  spawnSync("tmux", ["-L", tmuxSocketName(home), "kill-server"], { stdio: "ignore" });
  rmSync(join(process.env["TMUX_TMPDIR"] ?? "/tmp", `tmux-${process.getuid?.()}`, tmuxSocketName(home)), { force: true });
  for (const pid of pidsWith(home)) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

test("a pool brings a job to its commit, gives the work back, and sends everything behind the cursor again", async () => {
  const scene = await openScene();
  const { pool } = scene;
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
  const base = pushBase(root, url);
  const job = makeJob(1, base, "echo new > lib/new.js");
  await pool.startAttempt("here", job);
  await pool.startAttempt("here", job);
  const end = await scene.ended(job.attempt);
  expect(end.fact).toMatchObject({ type: "attempt-ended", outcome: { kind: "succeeded", base, rounds: 1 } });
  expect(scene.seqsOf(job.attempt)).toEqual([1, 2, 3, 4, 5]);
  const held = await pool.salvageAttempt("here", job.attempt);
  expect(held.salvage).toBeNull();
  expect(execFileSync("git", ["--git-dir", url, "show", `${held.tip}:lib/new.js`], { encoding: "utf8" })).toBe("new\n");
  await pool.discardAttempt("here", job.attempt, held);
  expect(existsSync(join(home, "work", job.attempt))).toBe(false);
  const results = await pool.runVerify("here", { id: "v1", project: "demo", bay: 0, commit: held.tip ?? "", verify: job.verify });
  expect(results).toMatchObject([{ outcome: "exited", exitCode: 0 }]);
  expect(await pool.inventory("here")).toEqual([job.attempt]);
  expect(await pool.tail("here", job.attempt, "verify", 0)).toMatchObject({ text: "ok\n", round: 1 });
  expect(await pool.inventory("here")).toContain(job.attempt);

  scene.reports.length = 0;
  cursors[job.attempt] = 3;
  pool.resync("here");
  await scene.ended(job.attempt);
  expect(scene.seqsOf(job.attempt)).toEqual([4, 5]);
});

test("the program lies in the home under its hash and a damaged copy is replaced", async () => {
  const first = await openScene();
  const [name = ""] = readdirSync(join(home, "worker"));
  expect(name).toMatch(/^[0-9a-f]{64}\.mjs$/);
  await first.pool.close();
  writeFileSync(join(home, "worker", name), "cut off");
  const second = await openScene();
  expect(statusOf(second)).toBe("up");
  expect(readdirSync(join(home, "worker"))).toEqual([name]);
  expect(readFileSync(join(home, "worker", name)).equals(readFileSync(join(root, "worker.mjs")))).toBe(true);
});

test("a killed host comes back by itself; calls under way fail and no report is lost or repeated", async () => {
  const scene = await openScene();
  const { pool } = scene;
  const base = pushBase(root, await pool.prepareRepository("here", "demo"));
  const gate = join(root, "gate");
  const job = makeJob(1, base, `while [ ! -e '${gate}' ]; do sleep 0.02; done; echo new > lib/new.js`);
  await pool.startAttempt("here", job);
  await scene.until("the first round", () => scene.reports.some((report) => report.fact.type === "round-started"));
  const slow = pool.runVerify("here", {
    id: "v",
    project: "demo",
    bay: 0,
    commit: base,
    verify: [{ run: "sleep 60", cwd: ".", timeoutSeconds: 90, env: {} }],
  });
  const rejected = slow.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  );
  await eventually("the verify command", () => pidsWith("sleep 60".replace(" ", "\0")).length > 0);
  for (const pid of pidsWith("host\0--home")) if (commandOf(pid).includes(home)) process.kill(pid, "SIGKILL");
  expect(await rejected).toBe("NODE_UNREACHABLE");
  await scene.until("the fall", () => statusOf(scene) === "down");
  writeFileSync(gate, "");
  await scene.until("the return", () => statusOf(scene) === "up");
  await scene.ended(job.attempt);
  expect(scene.seqsOf(job.attempt)).toEqual([1, 2, 3, 4, 5]);
  await pool.runVerify("here", { id: "v2", project: "demo", bay: 0, commit: base, verify: job.verify });
  expect(pidsWith("sleep\x0060")).toEqual([]);
});

test("a second controller life adopts what runs, from its cursor", async () => {
  const first = await openScene();
  const base = pushBase(root, await first.pool.prepareRepository("here", "demo"));
  const gate = join(root, "gate");
  const job = makeJob(1, base, `while [ ! -e '${gate}' ]; do sleep 0.02; done; echo new > lib/new.js`);
  await first.pool.startAttempt("here", job);
  await first.until("two reports", () => first.reports.length >= 2);
  await first.pool.close();
  expect(statusOf(first)).toBe("down");
  const second = await openScene();
  expect(await second.pool.seenAttempts("here")).toMatchObject([{ attempt: job.attempt, alive: true }]);
  writeFileSync(gate, "");
  await second.ended(job.attempt);
  expect([...first.seqsOf(job.attempt), ...second.seqsOf(job.attempt)]).toEqual([1, 2, 3, 4, 5]);
});

test("calls to a node that is down or unknown say so", async () => {
  const { pool } = createScene();
  expect(await codeOf(pool.inventory("here"))).toBe("NODE_UNREACHABLE");
  expect(await codeOf(pool.inventory("nowhere"))).toBe("NODE_UNREACHABLE");
  expect(pool.nodes()[0]?.status.kind).toBe("down");
});

test("a program that cannot run leaves the node down and says why", async () => {
  writeFileSync(join(root, "worker.mjs"), "process.exit(3);\n");
  const scene = await openScene();
  const { pool } = scene;
  expect(statusOf(scene)).toBe("down");
  expect(await codeOf(pool.inventory("here"))).toBe("NODE_UNREACHABLE");
});

test("an attempt is told once for each number, ends behind the cursor when its files are gone, and can be watched under the name the pool gives", async () => {
  const scene = await openScene();
  const { pool } = scene;
  await pool.tellAttempt("here", "demo--S01-value--9", 1, "the contract changed");
  await pool.tellAttempt("here", "demo--S01-value--9", 1, "again");
  const notices = join(home, "attempts", "demo--S01-value--9", "notices");
  expect(readdirSync(notices)).toEqual(["1.md"]);
  expect(readFileSync(join(notices, "1.md"), "utf8")).toBe("the contract changed");
  expect(await codeOf(pool.tellAttempt("there", "demo--S01-value--9", 1, "nobody"))).toBe("NODE_UNREACHABLE");

  cursors["demo--S01-value--7"] = 4;
  expect(await pool.inventory("here")).not.toContain("demo--S01-value--7");
  await pool.stopAttempt("here", "demo--S01-value--7", "its node forgot it");
  expect(scene.reports).toMatchObject([{ seq: 5, fact: { type: "attempt-ended", outcome: { kind: "stopped" } } }]);

  const base = pushBase(root, await pool.prepareRepository("here", "demo"));
  const job = makeJob(1, base, "echo seen in the pane; sleep 60");
  await pool.startAttempt("here", job);
  const [program = "", ...args] = pool.attachCommand("here", job.attempt);
  const asked = [...args.slice(0, args.indexOf("attach-session")), "has-session", ...args.slice(args.indexOf("-t"))];
  await scene.until("the session", () => scene.reports.some((report) => report.attempt === job.attempt));
  expect(spawnSync(program, asked).status).toBe(0);
  await eventually("the text in the pane", async () => (await pool.tail("here", job.attempt, "pane", 0)).text.includes("seen in the pane"));
  await pool.stopAttempt("here", job.attempt, "seen");
  expect((await scene.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "stopped", because: "seen" } });
});

function createScene(): PoolScene {
  const node: LocalNodeConfig = {
    id: "here",
    slots: 2,
    lowPriority: false,
    labels: ["fast"],
    executors: ["demo"],
    capacity: { cpus: 2, memoryMb: 4096, gpus: 1 },
    ...plainConfig,
    home,
  };
  const scene = makePool({ nodes: [node], workerBundle, knownHostsDir: join(root, "known-hosts"), configFile: join(root, "none"), env: {}, cursors });
  scenes.push(scene);
  return scene;
}

async function openScene(): Promise<PoolScene> {
  const scene = createScene();
  await scene.pool.open();
  return scene;
}

const statusOf = ({ pool }: PoolScene) => pool.nodes()[0]?.status.kind;

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
