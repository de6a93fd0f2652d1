import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob, WrapperFact } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findMarked, send } from "../process/end-processes.ts";
import { startOf } from "../process/list-processes.ts";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

let node: TestNode;
let host: HostClient;

beforeEach(async () => {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
});

afterEach(async () => {
  await node.close();
});

/** An agent that makes its change, says so, and waits for the gate. */
function gated(n: number, change: Partial<AttemptJob> = {}): { job: AttemptJob; open: () => void; atGate: () => Promise<unknown> } {
  const gate = join(node.home, `gate-${n}`);
  const script = `echo 'export const value = 2;' > lib/value.js; touch "${gate}.reached"; while [ ! -e "${gate}" ]; do sleep 0.02; done`;
  const job = node.job({ n, script });
  return {
    job: { ...job, ...change },
    open: () => writeFileSync(gate, ""),
    atGate: () => eventually(() => existsSync(`${gate}.reached`)),
  };
}

function seqs(client: HostClient, job: AttemptJob): number[] {
  return client.reportsOf(job.attempt).map((report) => report.seq);
}

function linesOf(job: AttemptJob): { seq: number; fact: WrapperFact }[] {
  return node
    .read(`attempts/${job.attempt}/events.ndjson`)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function wrapperPid(client: HostClient, job: AttemptJob): Promise<number> {
  const { fact } = await client.until(() => client.reportsOf(job.attempt)[0]);
  if (fact.type !== "attempt-started") throw new Error("not a start");
  expect(startOf(fact.identity.pid)).toBe(fact.identity.pidStart);
  return fact.identity.pid;
}

test("starting twice, also at once and after the end, gives one wrapper and one history", async () => {
  const { job, open } = gated(1);
  await Promise.all([host.call("start", { job }), host.call("start", { job }), host.call("start", { job })]);
  const pid = await wrapperPid(host, job);
  open();
  await host.ended(job.attempt);
  await host.call("start", { job });
  expect(seqs(host, job)).toEqual([1, 2, 3, 4, 5]);
  expect(linesOf(job)).toHaveLength(5);
  expect(JSON.parse(node.read(`attempts/${job.attempt}/identity.json`)).pid).toBe(pid);
});

test("a second wrapper of an attempt ends at once and writes nothing", async () => {
  const { job, open, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  const before = node.read(`attempts/${job.attempt}/events.ndjson`);
  const second = spawnSync(process.execPath, [node.bundle, "wrap", join(node.home, "attempts", job.attempt)]);
  expect(second.status).toBe(0);
  expect(node.read(`attempts/${job.attempt}/events.ndjson`)).toBe(before);
  open();
  await host.ended(job.attempt);
});

test("two hosts of one home start an attempt at once: one wrapper", async () => {
  const other = await node.host();
  await other.call("hello", { cursors: {} });
  const { job, open } = gated(1);
  await Promise.all([host.call("start", { job }), other.call("start", { job })]);
  open();
  await host.ended(job.attempt);
  await other.ended(job.attempt);
  expect(seqs(host, job)).toEqual([1, 2, 3, 4, 5]);
  expect(seqs(other, job)).toEqual([1, 2, 3, 4, 5]);
});

test("a killed agent is judged by what it left", async () => {
  const { job, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  for (const seen of findMarked({ token: job.token })) send(seen.pid, "SIGKILL");
  const { fact } = await host.ended(job.attempt);
  expect(fact).toMatchObject({ outcome: { kind: "succeeded" } });
});

test("a killed wrapper loses the attempt, ends its agent, and its work is salvaged", async () => {
  const { job, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  process.kill(await wrapperPid(host, job), "SIGKILL");
  const { fact } = await host.ended(job.attempt);
  expect(fact).toMatchObject({ outcome: { kind: "lost" } });
  expect(seqs(host, job)).toEqual([1, 2, 3]);
  expect(findMarked({ token: job.token })).toEqual([]);
  const held = await host.call("salvage", { attempt: job.attempt });
  expect(held.tip).toBe(node.base);
  expect(node.git("show", `${held.salvage}:lib/value.js`)).toBe("export const value = 2;");
  await host.call("discard", { attempt: job.attempt, held });
});

test("an event that was cut off by the wrapper's death is dropped, and the numbers go on", async () => {
  const { job, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  const pid = await wrapperPid(host, job);
  await host.end();
  process.kill(pid, "SIGKILL");
  appendFileSync(join(node.home, "attempts", job.attempt, "events.ndjson"), '{"seq":3,"at":1,"fact":{"type":"agent-en');
  const next = await node.host();
  await next.call("hello", { cursors: { [job.attempt]: 2 } });
  await next.ended(job.attempt);
  expect(seqs(next, job)).toEqual([3]);
  expect(linesOf(job).map((line) => line.seq)).toEqual([1, 2, 3]);
});

test("a killed tmux server changes nothing for the attempt", async () => {
  const { job, open, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  const pid = await wrapperPid(host, job);
  await node.endTmux();
  expect(startOf(pid)).toBeDefined();
  open();
  const { fact } = await host.ended(job.attempt);
  expect(fact).toMatchObject({ outcome: { kind: "succeeded" } });
  const second = gated(2);
  second.open();
  await host.call("start", { job: second.job });
  expect((await host.ended(second.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
});

test("a tmux server killed with -9 changes nothing either", async () => {
  const { job, open, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  const servers = node.processesOf(`tmux\0-L\0${node.socket}`).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("tmux"));
  for (const pid of servers) process.kill(pid, "SIGKILL");
  open();
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  const second = gated(2);
  second.open();
  await host.call("start", { job: second.job });
  expect((await host.ended(second.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
});

test("keys of a watching person do not end the attempt", async () => {
  const { job, open, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  for (const key of ["C-c", "C-z", "C-\\", "C-s", "C-d", "q"]) spawnSync("tmux", ["-L", node.socket, "send-keys", "-t", `=${job.attempt}:`, key]);
  open();
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
});

test.each([0, 1, 2, 3, 4, 5])("a host killed and started again goes on from cursor %i, nothing lost or repeated", async (cursor) => {
  const { job, open, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  if (cursor > 2) {
    open();
    await host.ended(job.attempt);
  }
  host.child.kill("SIGKILL");
  const next = await node.host();
  const { attempts } = await next.call("hello", { cursors: { [job.attempt]: cursor } });
  expect(attempts).toMatchObject([{ attempt: job.attempt, identity: { token: job.token } }]);
  open();
  if (cursor < 5) await next.ended(job.attempt);
  expect(seqs(next, job)).toEqual([1, 2, 3, 4, 5].slice(cursor));
  expect(linesOf(job).map((line) => line.seq)).toEqual([1, 2, 3, 4, 5]);
});

test("a host killed at any moment of a start leaves something the next start completes, with one wrapper", async () => {
  for (let n = 1; n <= 8; n++) {
    const { job, open } = gated(n);
    const doomed = await node.host();
    await doomed.call("hello", { cursors: {} });
    doomed.call("start", { job }).catch(() => {});
    // From before the first file to after the session is there.
    await new Promise((resolve) => setTimeout(resolve, (n - 1) * 8));
    doomed.child.kill("SIGKILL");
    open();
    await host.call("start", { job });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
    expect(seqs(host, job)).toEqual([1, 2, 3, 4, 5]);
  }
});

test("a wrapper killed at any moment ends as one lost attempt whose files can be salvaged and discarded", async () => {
  for (let n = 1; n <= 10; n++) {
    const job = node.job({ n, script: "echo 'export const value = 2;' > lib/value.js; echo x > lib/new.js" });
    await host.call("start", { job });
    const pid = await wrapperPid(host, job);
    await new Promise((resolve) => setTimeout(resolve, (n - 1) * 8));
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It was done already.
    }
    const { fact, seq } = await host.ended(job.attempt);
    if (fact.type !== "attempt-ended") throw new Error("not an end");
    expect(["lost", "succeeded"]).toContain(fact.outcome.kind);
    expect(seqs(host, job)).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
    expect(findMarked({ token: job.token })).toEqual([]);
    const held = await host.call("salvage", { attempt: job.attempt });
    if (fact.outcome.kind === "succeeded") expect(held.tip).toBe(fact.outcome.tip);
    await host.call("discard", { attempt: job.attempt, held });
    expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
    expect(node.git("for-each-ref", "refs/heads")).toBe("");
  }
  // Nobody may have lived long enough to make the folder.
  if (existsSync(join(node.home, "work"))) expect(readdirSync(join(node.home, "work"))).toEqual([]);
});

test("an identity of another boot is dead, whatever its pid does now", async () => {
  const { job } = gated(1);
  mkdirSync(join(node.home, "attempts", job.attempt), { recursive: true });
  writeFileSync(join(node.home, "attempts", job.attempt, "job.json"), JSON.stringify(job));
  const identity = { bootId: "another", tmuxStart: 1, pid: process.pid, pidStart: startOf(process.pid), token: job.token };
  writeFileSync(join(node.home, "attempts", job.attempt, "identity.json"), JSON.stringify(identity));
  const next = await node.host();
  const { attempts } = await next.call("hello", { cursors: { [job.attempt]: 0 } });
  expect(attempts).toMatchObject([{ alive: false, lastSeq: 0 }]);
  expect((await next.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
  expect(await next.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
});

test("a recycled pid is not taken for the wrapper", async () => {
  const { job, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  await host.end();
  const path = join(node.home, "attempts", job.attempt, "identity.json");
  const identity = JSON.parse(readFileSync(path, "utf8"));
  process.kill(identity.pid, "SIGKILL");
  const stranger = spawn("sleep", ["1011"]);
  writeFileSync(path, JSON.stringify({ ...identity, pid: stranger.pid }));
  const next = await node.host();
  await next.call("hello", { cursors: { [job.attempt]: 2 } });
  expect((await next.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
  expect(stranger.exitCode).toBeNull();
  stranger.kill("SIGKILL");
});

test("stopping ends everything and says why; again it does nothing", async () => {
  const { job, atGate } = gated(1, {
    executor: {
      ...node.job().executor,
      command: [
        "sh",
        "-c",
        `trap '' TERM; (setsid sleep 1012 &); echo x > lib/x; touch "${join(node.home, "gate-1")}.reached"; sleep 1013; sleep 1014`,
      ],
    },
  });
  await host.call("start", { job });
  await atGate();
  await host.call("stop", { attempt: job.attempt, because: "the lead said so", cursor: 2 });
  expect(findMarked({ token: job.token })).toEqual([]);
  expect((await host.ended(job.attempt)).fact).toEqual({ type: "attempt-ended", outcome: { kind: "stopped", because: "the lead said so" } });
  await host.call("stop", { attempt: job.attempt, because: "again", cursor: 9 });
  expect(linesOf(job).filter((line) => line.fact.type === "attempt-ended")).toHaveLength(1);
  expect(existsSync(join(node.home, "work", job.attempt, "lib", "x"))).toBe(true);
});

test("stopping while verify runs ends verify", async () => {
  const job = node.job({ n: 1, verify: [verify("touch ../../verifying; sleep 1015")] });
  await host.call("start", { job });
  await eventually(() => existsSync(join(node.home, "verifying")));
  await host.call("stop", { attempt: job.attempt, because: "enough", cursor: 0 });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "stopped" } });
  expect(node.processesOf("sleep\x001015")).toEqual([]);
});

test("stopping what never began keeps it from beginning", async () => {
  const { job } = gated(1);
  await host.call("stop", { attempt: job.attempt, because: "too late", cursor: 0 });
  expect(host.reportsOf(job.attempt)).toMatchObject([{ seq: 1, fact: { type: "attempt-ended", outcome: { kind: "stopped" } } }]);
  await host.call("start", { job });
  expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
  expect(linesOf(job)).toHaveLength(1);
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
});

test("stopping a stopped wrapper that answers to nothing ends it all the same", { timeout: 90_000 }, async () => {
  const { job, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  // While tmux lives it wakes what was stopped.
  await node.endTmux();
  process.kill(await wrapperPid(host, job), "SIGSTOP");
  await host.call("stop", { attempt: job.attempt, because: "hung", cursor: 2 });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "stopped", because: "hung" } });
  expect(findMarked({ token: job.token })).toEqual([]);
});

test("attempts of others are left alone", async () => {
  const { job, atGate } = gated(1);
  await host.call("start", { job });
  await atGate();
  await host.end();
  const next = await node.host();
  expect((await next.call("hello", { cursors: {} })).attempts).toMatchObject([{ attempt: job.attempt, alive: true }]);
  process.kill(JSON.parse(node.read(`attempts/${job.attempt}/identity.json`)).pid, "SIGKILL");
  await next.until(() => next.heartbeats.length >= 2);
  expect(linesOf(job).some((line) => line.fact.type === "attempt-ended")).toBe(false);
  expect(next.reports).toEqual([]);
});

test("an attempt of the same name with another token is not taken for ours", async () => {
  const { job, open } = gated(1);
  open();
  await host.call("start", { job });
  await host.ended(job.attempt);
  expect(await host.refusal("start", { job: { ...job, token: "some-other-token" } })).toMatchObject({ code: "SESSION_FAILED", retry: "never" });
});

test("a wrapper that cannot run loses the attempt with its reason, and the next one begins", async () => {
  const { job } = gated(1);
  const bundle = readFileSync(node.bundle, "utf8");
  writeFileSync(node.bundle, "process.exit(5);\n");
  await host.call("start", { job });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
  expect(seqs(host, job)).toEqual([1]);
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
  writeFileSync(node.bundle, bundle);
  const next = gated(2);
  next.open();
  await host.call("start", { job: next.job });
  expect((await host.ended(next.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
});

test("lines that are no requests are answered, and the host lives on", async () => {
  for (const line of [
    "",
    "nonsense",
    "[]",
    "null",
    '{"id":"x","method":"hello","params":{}}',
    '{"method":"hello","params":{"cursors":{}}}',
    "{".repeat(5000),
  ])
    host.sendRaw(line);
  await host.until(() => host.orphans.length === 6);
  for (const answer of host.orphans) expect(answer).toMatchObject({ id: null, error: { code: "USAGE" } });
  const bad = async (method: string, params: unknown) =>
    await host.refusal(method as "tail", params as { attempt: string; file: "agent"; from: number });
  for (const [method, params] of [
    ["nothing", {}],
    ["constructor", {}],
    ["toString", {}],
    ["hello", {}],
    ["tail", { attempt: "../../etc", file: "agent", from: 0 }],
    ["tail", { attempt: "a--B1--1", file: "passwd", from: 0 }],
    ["tail", { attempt: "a--B1--1", file: "agent", from: "0" }],
    ["salvage", { attempt: "x/../y" }],
    ["discard", { attempt: "a--B1--1" }],
    ["ensureRepo", { project: "../evil" }],
    ["verify", { id: "1", project: "demo", commit: "--upload-pack=x", verify: [] }],
    ["start", {}],
    ["start", { job: { ...node.job(), base: "HEAD" } }],
    ["start", { job: { ...node.job(), branch: "-x" } }],
    ["start", { job: { ...node.job(), executor: { name: "x", command: [] } } }],
  ] as const)
    expect(await bad(method, params)).toMatchObject({ code: "USAGE" });
  expect(await host.call("list", { attempts: [] })).toEqual([]);
});

test("a base that the node does not have loses the attempt, with a word", async () => {
  const job = node.job({ n: 1, base: "2".repeat(40) });
  await host.call("start", { job });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
  await host.call("discard", { attempt: job.attempt, held: { tip: null, salvage: null } });
});

test("many attempts at once in one repository all get their worktree", async () => {
  const jobs = Array.from({ length: 16 }, (_, i) => node.job({ n: i + 1 }));
  await Promise.all(jobs.map((job) => host.call("start", { job })));
  for (const job of jobs) expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  const held = await Promise.all(jobs.map((job) => host.call("salvage", { attempt: job.attempt })));
  await Promise.all(jobs.map((job, i) => host.call("discard", { attempt: job.attempt, held: held[i] ?? { tip: null, salvage: null } })));
  expect(readdirSync(join(node.home, "work"))).toEqual([]);
  expect(node.git("fsck", "--no-dangling")).toBe("");
});
