import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob } from "@dispatch/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOf } from "../process/list-processes.ts";
import { connectHost, type HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode } from "../test-kit/node-home.ts";

let node: TestNode;
let host: HostClient;
let last = 0;

beforeAll(async () => {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
  const first = node.job({ n: ++last });
  await host.call("start", { job: first });
  await host.ended(first.attempt);
});

afterAll(async () => {
  await node.close();
});

function argumentsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    // It has ended since it was listed.
    return "";
  }
}

function spares(): number[] {
  const home = Buffer.from(node.home).toString("latin1");
  return node.processesOf("\0spare\0").filter((pid) => !argumentsOf(pid).startsWith("tmux") && argumentsOf(pid).includes(home));
}

async function aSpare(): Promise<number> {
  return await eventually(() => {
    // It has opened its pipe when that has no name any more.
    if (!existsSync(join(node.home, "spare")) || readdirSync(join(node.home, "spare")).length > 0) return undefined;
    const [spare, ...others] = spares();
    // Besides it, the wrapper of an attempt that has just ended.
    return others.length === 0 ? spare : undefined;
  });
}

function sessions(): string[] {
  return spawnSync("tmux", ["-L", node.socket, "list-sessions", "-F", "#{session_name}"], { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
}

function claimedBy(job: AttemptJob): number {
  return JSON.parse(node.read(`attempts/${job.attempt}/identity.json`)).pid;
}

/** An agent that waits until its gate is opened. */
function gated(): { job: AttemptJob; open: () => void } {
  const n = ++last;
  const gate = join(node.home, `gate-${n}`);
  const script = `while [ ! -e "${gate}" ]; do sleep 0.02; done; echo 'export const value = 2;' > lib/value.js`;
  return { job: node.job({ n, script }), open: () => writeFileSync(gate, "") };
}

test("the next attempt runs in the wrapper that waited, in a session of its name, and another one waits then", async () => {
  const spare = await aSpare();
  const { job, open } = gated();
  await host.call("start", { job });
  await host.until(() => host.reportsOf(job.attempt)[1]);
  expect(claimedBy(job)).toBe(spare);
  expect(sessions()).toContain(job.attempt);
  await eventually(() => spares().find((pid) => pid !== spare));
  open();
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
});

test("a spare whose host died before it opened the pipe does not wait for anybody", async () => {
  const fifo = join(node.home, "orphan");
  spawnSync("mkfifo", [fifo]);
  const orphan = spawn(process.execPath, [node.bundle, "spare", fifo], { stdio: "ignore" });
  const [code] = await once(orphan, "exit");
  expect(code).toBe(0);
  expect(existsSync(fifo)).toBe(false);
});

test("a spare that dies while it waits, or with the attempt in its hands, costs nothing but time", async () => {
  process.kill(await aSpare(), "SIGKILL");
  const second = node.job({ n: ++last });
  await host.call("start", { job: second });
  expect((await host.ended(second.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  const doomed = await aSpare();
  // tmux wakes what was stopped, unless it is stopped itself.
  const servers = node.processesOf(`tmux\0-L\0${node.socket}`).filter((pid) => argumentsOf(pid).startsWith("tmux"));
  for (const pid of [...servers, doomed]) process.kill(pid, "SIGSTOP");
  const third = node.job({ n: ++last });
  await host.call("start", { job: third });
  process.kill(doomed, "SIGKILL");
  for (const pid of servers) process.kill(pid, "SIGCONT");
  expect((await host.ended(third.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  expect(claimedBy(third)).not.toBe(doomed);
  expect(host.reportsOf(third.attempt).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
});

test("what agents get of extra certificates does not depend on how their wrapper was started", async () => {
  const job = node.job({ n: ++last, script: 'echo "$NODE_EXTRA_CA_CERTS" > lib/value.js; env | grep -c DISPATCH_EXTRA >> lib/value.js' });
  const doing = connectHost(node.bundle, node.home, { ...process.env, NODE_EXTRA_CA_CERTS: "/etc/none.pem" });
  await doing.call("hello", { cursors: {} });
  await doing.call("start", { job });
  const { fact } = await doing.ended(job.attempt);
  await doing.end();
  if (fact.type !== "attempt-ended" || fact.outcome.kind !== "succeeded") throw new Error("not a result");
  expect(node.git("show", `${fact.outcome.tip}:lib/value.js`)).toBe("/etc/none.pem\n0");
});

test("a spare ends with its host, and what that took and did not live to begin, the next one begins; one that knows nothing of it leaves it alone", async () => {
  const spare = await aSpare();
  await host.end();
  await gone(spare);
  const job = node.job({ n: ++last });
  const dir = join(node.home, "attempts", job.attempt);
  mkdirSync(dir);
  writeFileSync(join(dir, "events.ndjson"), "");
  writeFileSync(join(dir, "job.json"), JSON.stringify(job));
  const stranger = await node.host();
  await stranger.call("hello", { cursors: {} });
  await stranger.end();
  expect(existsSync(join(dir, "identity.json"))).toBe(false);
  const next = await node.host();
  await next.call("hello", { cursors: { [job.attempt]: 0 } });
  expect((await next.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  expect(next.reportsOf(job.attempt).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  // Also with one that is killed.
  const other = await aSpare();
  next.child.kill("SIGKILL");
  await gone(other);
});

/** It has ended and left nothing. */
async function gone(spare: number): Promise<void> {
  await eventually(() => startOf(spare) === undefined);
  await eventually(() => sessions().length === 0);
  expect(readdirSync(join(node.home, "spare"))).toEqual([]);
}
