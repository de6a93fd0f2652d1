import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode, type NodeId } from "@dispatch/core";
import { tmuxSocketName } from "@dispatch/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../test/kit/eventually.ts";
import { killHard, processesWith } from "../../../test/kit/find-processes.ts";
import { type LocalNodeConfig, plainConfig } from "./node-config.ts";
import { makeJob, makePool, makeWorkerBundle, type PoolScene, pushBase } from "./testing/pool-scene.ts";

let root: string;
let workerBundle: string;
let scene: PoolScene;
let attempts: Map<NodeId, number>;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-configure-")));
  workerBundle = makeWorkerBundle(root);
  attempts = new Map();
});

afterEach(async () => {
  await scene.pool.close();
  for (const name of ["a", "b", "c"]) spawnSync("tmux", ["-L", tmuxSocketName(join(root, name)), "kill-server"], { stdio: "ignore" });
  for (const { pid } of processesWith(root)) killHard(pid);
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

function node(id: NodeId, change: Partial<LocalNodeConfig> = {}): LocalNodeConfig {
  const capacity = { cpus: 2, memoryMb: 4096, gpus: 0 };
  return { id, slots: 2, lowPriority: false, labels: [], executors: null, capacity, ...plainConfig, home: join(root, id), ...change };
}

async function openPool(...nodes: LocalNodeConfig[]): Promise<PoolScene["pool"]> {
  const attemptsOn = (id: NodeId): number => attempts.get(id) ?? 0;
  scene = makePool({ nodes, workerBundle, knownHostsDir: join(root, "known"), configFile: join(root, "none"), env: {}, attemptsOn });
  await scene.pool.open();
  return scene.pool;
}

const snapshotOf = (id: NodeId) => scene.pool.nodes().find((one) => one.id === id);
const hostOf = (id: NodeId) =>
  processesWith(root)
    .filter(({ args }) => args.endsWith(` host --home ${join(root, id)}`))
    .map(({ pid }) => pid);
const isUp = (id: NodeId) => snapshotOf(id)?.status.kind === "up";

test("nodes come and go while the others keep their hosts", async () => {
  const pool = await openPool(node("a"), node("b"));
  const [before, host] = [snapshotOf("a"), hostOf("a")];
  pool.configure([node("a"), node("c", { slots: 7 })]);
  await scene.until("the new node", () => isUp("c"));
  expect(pool.nodes().map(({ id, slots }) => [id, slots])).toEqual([
    ["a", 2],
    ["c", 7],
  ]);
  expect(await errorOf(pool.inventory("b"))).toMatchObject({ code: "NODE_UNREACHABLE", retry: "later" });
  expect(pool.describe("b")).toBeUndefined();
  await eventually("the end of the host of what left", () => hostOf("b").length === 0);
  expect(hostOf("a")).toEqual(host);
  expect(snapshotOf("a")?.status).toBe(before?.status);
});

test("a node that is reached at another place is connected anew, and what it reported before is not lost", async () => {
  const pool = await openPool(node("a"));
  const [host] = hostOf("a");
  pool.configure([node("a", { home: join(root, "b") })]);
  expect(isUp("a")).toBe(false);
  await scene.until("the other place", () => isUp("a"));
  expect(pool.describe("a")?.home).toBe(join(root, "b"));
  await eventually("the end of the old host", () => !hostOf("a").includes(host ?? 0));
  pool.configure([node("a", { home: join(root, "c") })]);
  pool.configure([node("a")]);
  await scene.until("the first place again", () => isUp("a"));
  expect(pool.describe("a")?.home).toBe(join(root, "a"));
  await eventually("one host", () => processesWith(root).filter(({ args }) => args.includes(" host --home ")).length === 1);
});

test("a node that left keeps what it runs, takes nothing new, and goes when it is empty; configured again before, it stays as if nothing had been", async () => {
  const pool = await openPool(node("a"), node("b"));
  const host = hostOf("b");
  attempts.set("b", 1);
  pool.configure([node("a")]);
  pool.configure([node("a"), node("b")]);
  attempts.set("b", 0);
  expect(snapshotOf("b")).toMatchObject({ status: { kind: "up" }, closed: null });
  pool.configure([node("a"), node("b", { slots: 3 })]);
  expect(hostOf("b")).toEqual(host);

  const base = pushBase(root, await pool.prepareRepository("b", "demo"));
  const job = makeJob(1, base, "echo new > lib/new.js");
  attempts.set("b", 1);
  pool.configure([node("a")]);
  expect(snapshotOf("b")).toMatchObject({ status: { kind: "up" }, closed: { kind: "leaving" } });
  await pool.startAttempt("b", job);
  await scene.ended(job.attempt);
  expect(scene.seqsOf(job.attempt)).toEqual([1, 2, 3, 4, 5]);
  await pool.discardAttempt("b", job.attempt, await pool.salvageAttempt("b", job.attempt));
  attempts.set("b", 0);
  await scene.until("its end", () => snapshotOf("b") === undefined);
  await eventually("the end of its host", () => hostOf("b").length === 0);
  expect(existsSync(join(root, "b"))).toBe(true);
});

test("a node is described as it was found; its snapshot is the same object until slots, labels, limits or marks change, at once and with the link left alone", async () => {
  const pool = await openPool(node("a"));
  await scene.until("the first heartbeat", () => pool.heartbeat("a") !== undefined);
  expect(pool.describe("a")).toEqual({
    transport: "local",
    target: null,
    hostKey: null,
    workDir: join(root, "a"),
    home: join(root, "a"),
    nodeVersion: process.version,
    heartbeat: pool.heartbeat("a"),
    heartbeatAt: expect.any(Number),
  });

  const before = snapshotOf("a");
  expect(snapshotOf("a")).toBe(before);
  pool.configure([node("a")]);
  expect(snapshotOf("a")).toBe(before);
  pool.configure([node("a", { lowPriority: true })]);
  expect(snapshotOf("a")).not.toBe(before);

  const host = hostOf("a");
  const limits = { ...plainConfig.limits, memoryMb: 512 };
  pool.configure([node("a", { slots: 5, labels: ["gpu"], limits })]);
  expect(snapshotOf("a")).toMatchObject({ slots: 5, labels: ["gpu"], limits, status: { kind: "up" }, closed: null });
  expect(await pool.inventory("a")).toEqual([]);
  expect(hostOf("a")).toEqual(host);

  // Below its mark it takes nothing new and says why, until there is room.
  pool.configure([node("a", { lowWater: { diskBytes: 2 ** 60, memoryBytes: null } })]);
  expect(snapshotOf("a")).toMatchObject({ status: { kind: "up" }, closed: { kind: "pressure", because: expect.stringContaining("disk") } });
  pool.configure([node("a", { lowWater: { diskBytes: 0, memoryBytes: null } })]);
  expect(snapshotOf("a")?.closed).toBeNull();
});

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => ({ code: errorCode(error), retry: (error as { retry?: string }).retry }),
  );
}
