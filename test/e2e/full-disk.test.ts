import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type ErrorView, factoryPaths } from "@dispatch/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { mountSmallDisk, type SmallDisk } from "./kit/small-disk.ts";
import { until } from "./kit/until.ts";

const task = "words/S01-one";
let scene: Scene;
let disk: SmallDisk | undefined;

beforeEach(async () => {
  scene = await openScene({ slots: 1 });
  const repo = await scene.repository("words", library);
  await scene.must("project", "add", "words", "--repo", repo, "--verify", verify, "--executor", "by-file");
  scene.spec({ id: "S01-one", project: "words", creates: ["src/one.js", "test/one.test.js"] });
  scene.answer("S01-one", `hold one\n${addFunction("one", "return text;")}`);
  mkdirSync(join(scene.factory, factoryPaths.state), { mode: 0o700 });
});
afterEach(async () => {
  disk?.free();
  await scene.dispatch("down", "--stop");
  await disk?.unmount();
  disk = undefined;
  await scene.end();
});

async function untilHeld(): Promise<void> {
  await scene.must("start", "words");
  await until("the agent is at work", () => scene.reached("one"));
}

async function expectMergedAndPublished(): Promise<void> {
  await scene.untilTask(task, "merged");
  const { last } = await scene.must<{ last: { outcome: string; commit: string } }>("collect", "words");
  expect(last.outcome).toBe("published");
  expect(await scene.git(join(scene.root, "words"), "rev-parse", "main")).toBe(last.commit);
}

test("the ledger's disk is full: the daemon ends and says so, the session goes on, and with room all of it is taken up again", async () => {
  const outside = join(scene.root, "elsewhere");
  const state = join(scene.factory, factoryPaths.state);
  disk = await mountSmallDisk(state, 8);
  for (const folder of ["hub", "node"]) {
    mkdirSync(join(outside, folder), { recursive: true });
    symlinkSync(join(outside, folder), join(state, folder));
  }
  await untilHeld();
  const { lastSeq } = await scene.status();
  disk.fill();
  const paused = await until("the ledger cannot be written", async () => {
    const ran = await scene.json<ErrorView>("pause", "words");
    return ran.code === 0 ? undefined : ran;
  });
  expect(paused.code === 1 || paused.code === 3).toBe(true);
  await until("the daemon has ended", async () => (await scene.daemonPid()) === undefined);
  // Its door and socket are gone, which made a little room.
  disk.fill();
  const started = await scene.json<ErrorView>("start", "words");
  expect(started).toMatchObject({ code: 1, value: { error: { code: "DISK_FULL" } } });
  expect(started.value.error.hint).not.toBeNull();
  disk.free();
  await scene.must("start", "words");
  expect((await scene.status()).lastSeq).toBeGreaterThanOrEqual(lastSeq);
  scene.release("one");
  await expectMergedAndPublished();
  expect((await scene.task(task)).attempts).toHaveLength(1);
});

test("the hub's disk is full: the work stays where it is, the status names the trouble, and with room it lands", async () => {
  const hub = join(scene.factory, factoryPaths.hubs);
  disk = await mountSmallDisk(hub, 4);
  await untilHeld();
  disk.fill();
  scene.release("one");
  const trouble = await until("the status names the trouble", async () => (await scene.status()).troubles.find((row) => row.code === "DISK_FULL"));
  expect(trouble.effect).toContain("words--S01-one--1");
  expect(trouble.hint).not.toBeNull();
  const why = await scene.must<{ troubles: unknown[] }>("why", task);
  expect(why.troubles).toHaveLength(1);
  expect(await scene.daemonPid()).toBeDefined();
  disk.free();
  await expectMergedAndPublished();
  expect((await scene.status()).troubles).toEqual([]);
});

test("no room for a new hub: the start is refused and nothing of it stays", async () => {
  const hub = join(scene.factory, factoryPaths.hubs);
  disk = await mountSmallDisk(hub, 1);
  disk.fill();
  const ran = await scene.json<ErrorView>("start", "words");
  expect(ran).toMatchObject({ code: 1, value: { error: { code: "DISK_FULL" } } });
  expect(existsSync(join(hub, "words.git"))).toBe(false);
  disk.free();
  await untilHeld();
  scene.release("one");
  await expectMergedAndPublished();
});

test("the node's disk is full while an agent works: nothing is lost, and with room the task lands", async () => {
  const home = join(scene.root, "node-home");
  disk = await mountSmallDisk(home, 8);
  scene.write(factoryPaths.nodes, JSON.stringify({ nodes: [{ name: "local", slots: 1, work_dir: home }] }));
  await untilHeld();
  disk.fill();
  scene.release("one");
  await until("the agent has met the full disk", async () => {
    const log = await scene.json<{ text: string }>("logs", task);
    return log.code === 0 && /No space left/i.test(log.value.text)
      ? true
      : (await scene.status()).tasks.some((row) => row.id === task && row.round > 0);
  });
  disk.free();
  await expectMergedAndPublished();
});
