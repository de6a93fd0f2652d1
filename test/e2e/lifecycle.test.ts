import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Door, type ErrorView, factoryPaths, type StatusView } from "@dispatch/protocol";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { commandOf } from "./kit/leftovers.ts";
import { addFunction } from "./kit/library.ts";
import { post } from "./kit/post.ts";
import { openScene, requestOf, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

const project = "words";
let scene: Scene;

beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  await declareProject(scene, project);
});
afterAll(() => scene.end());

const id = (spec: string): string => `${project}/${spec}`;
const attemptNumbers = async (spec: string): Promise<number[]> => (await scene.task(id(spec))).attempts.map((attempt) => attempt.n);
const untilDown = (): Promise<true> => until("the daemon has ended", async () => (await scene.daemonPid()) === undefined && true);
const untilAtWork = (attempt: string): Promise<true> => until("the agent is at work", () => scene.reached(attempt) && true);

/** A task whose agent leaves a first file, then waits until its attempt is released. */
function specHeld(spec: string, name: string, ...dependsOn: string[]): void {
  scene.spec({ id: spec, project, creates: [`src/${name}.js`, `test/${name}.test.js`], dependsOn });
  scene.answer(spec, `echo 'export const half = 1;' > src/${name}.js\nhold "$DISPATCH_ATTEMPT"\n${addFunction(name, "return text;")}`);
}

describe("down, and up again", () => {
  test("down --stop ends the session, keeps its work, and the task is placed again at the next start", async () => {
    specHeld("S01-one", "one");
    await scene.must("start", project);
    await untilAtWork("words--S01-one--1");
    await scene.must("down", "--stop");
    await scene.must("start", project);
    await untilAtWork("words--S01-one--2");
    expect(await attemptNumbers("S01-one")).toEqual([1, 2]);
    const { hub, refs } = await scene.task(id("S01-one"));
    const salvage = refs.find((ref) => ref.includes("/salvage/") && ref.endsWith("--1")) ?? "";
    expect(await scene.git(hub, "show", `${salvage}:src/one.js`)).toContain("half");
  });

  test("down --drain starts nothing new, lets the session end and land, then ends", async () => {
    specHeld("S02-two", "two", "S01-one");
    await post(scene, `projects/${project}/feed`);
    const draining = scene.dispatch("down", "--drain", "--json");
    await until("the daemon drains", async () => (await scene.status()).draining);
    scene.release("words--S01-one--2");
    expect(await draining).toMatchObject({ code: 0 });
    expect(await scene.daemonPid()).toBeUndefined();
    expect(scene.reached("words--S02-two--1")).toBe(false);
    await scene.must("start", project);
    expect((await scene.task(id("S01-one"))).task.state.kind).toBe("merged");
    expect(await attemptNumbers("S01-one")).toEqual([1, 2]);
    await untilAtWork("words--S02-two--1");
  });

  test("down leaves the session at work, and it is adopted at the next start: one attempt, never two", async () => {
    const down = await scene.must<{ running: boolean; sessions: number }>("down");
    expect(down).toMatchObject({ running: false, sessions: 1 });
    expect(await scene.daemonPid()).toBeUndefined();
    await scene.must("start", project);
    const status = await scene.must<StatusView>("status", project);
    expect(status.sessions).toMatchObject([{ attempt: "words--S02-two--1", state: "running" }]);
  });

  test("what a session did while there was no daemon is taken over at the next start", async () => {
    await scene.must("down");
    scene.release("words--S02-two--1");
    await until("the agent has ended without a daemon", () => {
      const events = join(scene.factory, factoryPaths.localNode, "local/attempts/words--S02-two--1/events.ndjson");
      return readFileSync(events, "utf8").includes("attempt-ended");
    });
    await scene.must("start", project);
    await scene.untilTask(id("S02-two"), "merged");
    expect(await attemptNumbers("S02-two")).toEqual([1]);
  });
});

describe("one daemon a factory", () => {
  test("a second one is refused and the first goes on undisturbed", async () => {
    const pid = await scene.daemonPid();
    const door = scene.read(factoryPaths.door);
    const second = await scene.dispatch("up");
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("dispatch down");
    expect(await scene.daemonPid()).toBe(pid);
    expect(scene.read(factoryPaths.door)).toBe(door);
    expect(existsSync(join(scene.factory, factoryPaths.socket))).toBe(true);
  });

  test("after kill -9 its socket file is no daemon, and the next start takes its place", async () => {
    const pid = await scene.daemonPid();
    if (pid === undefined || !commandOf(pid).includes(scene.factory)) throw new Error(`${pid} is not the daemon of this factory`);
    process.kill(pid, "SIGKILL");
    await untilDown();
    expect(existsSync(join(scene.factory, factoryPaths.socket))).toBe(true);
    expect(await scene.json<ErrorView>("status")).toMatchObject({ code: 3 });
    await scene.must("start", project);
    expect(await scene.daemonPid()).not.toBe(pid);
  });
});

describe("its doors", () => {
  const get = (headers: Record<string, string>) => {
    const { url } = JSON.parse(scene.read(factoryPaths.door)) as Door;
    const { hostname, port } = new URL(url);
    return requestOf({ hostname, port, path: "/v1/status", headers });
  };

  test("socket and door file are for their owner alone", () => {
    expect(statSync(join(scene.factory, factoryPaths.door)).mode & 0o777).toBe(0o600);
    expect(statSync(join(scene.factory, factoryPaths.socket)).mode & 0o777).toBe(0o600);
    expect(statSync(join(scene.factory, factoryPaths.state)).mode & 0o777).toBe(0o700);
  });

  test("the port is on loopback and opens to the token alone, and to nobody who came under another name", async () => {
    const { token, url } = JSON.parse(scene.read(factoryPaths.door)) as Door;
    expect(new URL(url).hostname).toBe("127.0.0.1");
    expect((await get({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await get({})).status).toBe(401);
    expect((await get({ authorization: `Bearer ${token.slice(1)}0` })).status).toBe(401);
    expect((await get({ authorization: `Basic ${token}` })).status).toBe(401);
    expect((await get({ authorization: `Bearer ${token}`, host: "dispatch.example.org" })).status).toBe(403);
    expect((await get({ authorization: `Bearer ${token}`, host: "127.0.0.1.example.org" })).status).toBe(403);
  });

  test("what is no endpoint, no JSON or no value is told as such", async () => {
    expect((await scene.ask("GET", "/v1/nothing")).status).toBe(404);
    expect((await scene.ask("GET", "/v1/tasks/a/b")).status).toBe(404);
    expect((await scene.ask("GET", "/v1/events?after=x")).status).toBe(400);
  });
});

describe("with the daemon down", () => {
  const ledger = (): string => join(scene.factory, factoryPaths.ledger);
  const rows = (status: StatusView) => status.tasks.map(({ id: task, state, attempt }) => ({ task, state, attempt }));
  let before: ReturnType<typeof rows>;
  beforeAll(async () => {
    before = rows(await scene.status());
    await scene.must("down");
  });

  function setVersion(version: number): void {
    const sqlite = new Database(ledger());
    sqlite.pragma(`user_version = ${version}`);
    sqlite.close();
  }

  test("commands that need it end with 3, and down is down", async () => {
    for (const command of [["status"], ["why", "S01"], ["collect", project], ["feed", project], ["pause"], ["retry", "S01"], ["report", project]]) {
      const ran = await scene.json<ErrorView>(...command);
      expect(ran).toMatchObject({ code: 3, value: { error: { code: "DAEMON_UNREACHABLE" } } });
      expect(ran.value.error.hint).not.toBeNull();
    }
    expect(await scene.json("down")).toMatchObject({ code: 0, value: { running: false } });
  });

  test.each([
    ["an older", 0],
    ["a newer", 99],
  ])("%s version of the ledger is refused and left as it is", async (_, version) => {
    const current = new Database(ledger(), { readonly: true });
    const known = current.pragma("user_version", { simple: true }) as number;
    current.close();
    setVersion(version);
    const found = readFileSync(ledger());
    const up = await scene.dispatch("up");
    expect(up.code).toBe(1);
    expect(up.stderr).toContain(factoryPaths.ledger);
    const started = await scene.json<ErrorView>("start", project);
    expect(started).toMatchObject({ code: 1, value: { error: { code: "LEDGER_VERSION" } } });
    expect(readFileSync(ledger()).equals(found)).toBe(true);
    setVersion(known);
  });

  test("a damaged ledger is refused and left as it is", async () => {
    const sound = readFileSync(ledger());
    scene.write(factoryPaths.ledger, "this is no ledger, but it is long enough to be looked at as if it were one, by everyone\n".repeat(20));
    expect(await scene.json<ErrorView>("start", project)).toMatchObject({ code: 1, value: { error: { code: "LEDGER_CORRUPT" } } });
    expect(scene.read(factoryPaths.ledger)).toMatch(/^this is no ledger/);
    writeFileSync(ledger(), sound);
  });

  test("two starts at the same moment end up with one daemon, both succeed, and what is over is as it was", async () => {
    const both = await Promise.all([scene.dispatch("start", project), scene.dispatch("start", project)]);
    expect(both.map((ran) => ran.code)).toEqual([0, 0]);
    expect(await scene.daemonPid()).toBeDefined();
    expect(before.map(({ state }) => state)).toEqual(["merged", "merged"]);
    expect(rows(await scene.status())).toEqual(before);
  });
});
