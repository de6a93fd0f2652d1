import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob, WrapperFact } from "@dispatch/core";
import type { SeenAttempt } from "@dispatch/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findMarked, send } from "../process/end-processes.ts";
import { startOf } from "../process/list-processes.ts";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

let node: TestNode;
let host: HostClient;
let last = 0;

async function openHome(): Promise<void> {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
}

/** Another host in place of the one that ended. */
async function nextHost(cursors: Record<string, number>): Promise<readonly SeenAttempt[]> {
  host = await node.host();
  return (await host.call("hello", { cursors })).attempts;
}

/** An agent that makes its change, says so, and waits for the gate. */
function gated(change: Partial<AttemptJob> = {}): { job: AttemptJob; open: () => void; atGate: () => Promise<unknown> } {
  const n = ++last;
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

describe("in a home of its own", () => {
  beforeEach(openHome);
  afterEach(() => node.close());

  test("starting twice, also at once and after the end, and a second wrapper give one wrapper and one history", async () => {
    const { job, open, atGate } = gated();
    await Promise.all([host.call("start", { job }), host.call("start", { job }), host.call("start", { job })]);
    const pid = await wrapperPid(host, job);
    await atGate();
    const before = node.read(`attempts/${job.attempt}/events.ndjson`);
    const second = spawnSync(process.execPath, [node.bundle, "wrap", join(node.home, "attempts", job.attempt)]);
    expect(second.status).toBe(0);
    expect(node.read(`attempts/${job.attempt}/events.ndjson`)).toBe(before);
    open();
    await host.ended(job.attempt);
    await host.call("start", { job });
    expect(seqs(host, job)).toEqual([1, 2, 3, 4, 5]);
    expect(linesOf(job)).toHaveLength(5);
    expect(JSON.parse(node.read(`attempts/${job.attempt}/identity.json`)).pid).toBe(pid);
    // Of the same name, with another token, it is not ours.
    expect(await host.refusal("start", { job: { ...job, token: "some-other-token" } })).toMatchObject({ code: "SESSION_FAILED", retry: "never" });
  });

  test("two hosts of one home start an attempt at once: one wrapper", async () => {
    const other = await node.host();
    await other.call("hello", { cursors: {} });
    const { job, open } = gated();
    await Promise.all([host.call("start", { job }), other.call("start", { job })]);
    open();
    await host.ended(job.attempt);
    await other.ended(job.attempt);
    expect(seqs(host, job)).toEqual([1, 2, 3, 4, 5]);
    expect(seqs(other, job)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a host killed at any moment of a start leaves something the next start completes, with one wrapper", async () => {
    for (const delay of [0, 14, 28, 42, 56]) {
      const { job, open } = gated();
      const doomed = await node.host();
      await doomed.call("hello", { cursors: {} });
      doomed.call("start", { job }).catch(() => {});
      // From before the first file to after the session is there.
      await new Promise((resolve) => setTimeout(resolve, delay));
      doomed.child.kill("SIGKILL");
      open();
      await host.call("start", { job });
      expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
      expect(seqs(host, job)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  test("a wrapper killed at any moment ends as one lost attempt whose files can be salvaged and discarded", async () => {
    for (const delay of [0, 14, 28, 43, 57, 72]) {
      const job = node.job({ n: ++last, script: "echo 'export const value = 2;' > lib/value.js; echo x > lib/new.js" });
      await host.call("start", { job });
      const pid = await wrapperPid(host, job);
      await new Promise((resolve) => setTimeout(resolve, delay));
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

  test("a wrapper that cannot run loses the attempt with its reason, and the next one begins", async () => {
    const { job } = gated();
    const bundle = readFileSync(node.bundle, "utf8");
    writeFileSync(node.bundle, "process.exit(5);\n");
    await host.call("start", { job });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
    expect(seqs(host, job)).toEqual([1]);
    expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
    writeFileSync(node.bundle, bundle);
    const next = gated();
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

  test("many attempts at once in one repository all get their worktree", async () => {
    const jobs = Array.from({ length: 8 }, (_, i) => node.job({ n: i + 1 }));
    await Promise.all(jobs.map((job) => host.call("start", { job })));
    for (const job of jobs) expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
    const held = await Promise.all(jobs.map((job) => host.call("salvage", { attempt: job.attempt })));
    await Promise.all(jobs.map((job, i) => host.call("discard", { attempt: job.attempt, held: held[i] ?? { tip: null, salvage: null } })));
    expect(readdirSync(join(node.home, "work"))).toEqual([]);
    expect(node.git("fsck", "--no-dangling")).toBe("");
  });
});

describe("in a home that has seen others", () => {
  beforeAll(openHome);
  afterAll(() => node.close());

  test("a killed agent is judged by what it left", async () => {
    const { job, atGate } = gated();
    await host.call("start", { job });
    await atGate();
    for (const seen of findMarked({ token: job.token })) send(seen.pid, "SIGKILL");
    const { fact } = await host.ended(job.attempt);
    expect(fact).toMatchObject({ outcome: { kind: "succeeded" } });
  });

  test("a killed wrapper loses the attempt, ends its agent, and its work is salvaged", async () => {
    const { job, atGate } = gated();
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

  test("keys of a watching person and a tmux server that ends or is killed with -9 change nothing for the attempt", async () => {
    const first = gated();
    await host.call("start", { job: first.job });
    await first.atGate();
    const pid = await wrapperPid(host, first.job);
    for (const key of ["C-c", "C-z", "C-\\", "C-s", "C-d", "q"]) {
      spawnSync("tmux", ["-L", node.socket, "send-keys", "-t", `=${first.job.attempt}:`, key]);
    }
    await node.endTmux();
    expect(startOf(pid)).toBeDefined();
    first.open();
    expect((await host.ended(first.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
    const second = gated();
    await host.call("start", { job: second.job });
    await second.atGate();
    const servers = node.processesOf(`tmux\0-L\0${node.socket}`).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("tmux"));
    expect(servers).not.toEqual([]);
    for (const pid of servers) process.kill(pid, "SIGKILL");
    second.open();
    expect((await host.ended(second.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
    const third = gated();
    third.open();
    await host.call("start", { job: third.job });
    expect((await host.ended(third.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  });

  test("a host killed and started again goes on from any cursor, nothing lost or repeated", async () => {
    const { job, open, atGate } = gated();
    await host.call("start", { job });
    await atGate();
    for (const cursor of [0, 1, 2, 3, 4, 5]) {
      host.child.kill("SIGKILL");
      const attempts = await nextHost({ [job.attempt]: cursor });
      expect(attempts.filter(({ attempt }) => attempt === job.attempt)).toMatchObject([{ identity: { token: job.token } }]);
      if (cursor < 2) await host.until(() => seqs(host, job).length >= 2 - cursor);
      if (cursor === 2) open();
      if (cursor >= 2 && cursor < 5) await host.ended(job.attempt);
      if (cursor === 5) await host.until(() => host.heartbeats.length > 0);
      expect(seqs(host, job)).toEqual((cursor < 2 ? [1, 2] : [1, 2, 3, 4, 5]).slice(cursor));
    }
    expect(linesOf(job).map((line) => line.seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test("an identity of another boot is dead, whatever its pid does now", async () => {
    const { job } = gated();
    mkdirSync(join(node.home, "attempts", job.attempt), { recursive: true });
    writeFileSync(join(node.home, "attempts", job.attempt, "job.json"), JSON.stringify(job));
    const identity = { bootId: "another", tmuxStart: 1, pid: process.pid, pidStart: startOf(process.pid), token: job.token };
    writeFileSync(join(node.home, "attempts", job.attempt, "identity.json"), JSON.stringify(identity));
    await host.end();
    const attempts = await nextHost({ [job.attempt]: 0 });
    expect(attempts.filter(({ attempt }) => attempt === job.attempt)).toMatchObject([{ alive: false, lastSeq: 0 }]);
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
    expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
  });

  test("a recycled pid is not taken for the wrapper", async () => {
    const { job, atGate } = gated();
    await host.call("start", { job });
    await atGate();
    await host.end();
    const path = join(node.home, "attempts", job.attempt, "identity.json");
    const identity = JSON.parse(readFileSync(path, "utf8"));
    process.kill(identity.pid, "SIGKILL");
    const stranger = spawn("sleep", ["1011"]);
    writeFileSync(path, JSON.stringify({ ...identity, pid: stranger.pid }));
    await nextHost({ [job.attempt]: 2 });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
    expect(stranger.exitCode).toBeNull();
    stranger.kill("SIGKILL");
  });

  test("stopping ends everything and says why; again it does nothing", async () => {
    const { job, atGate } = gated({
      executor: {
        ...node.job().executor,
        command: [
          "sh",
          "-c",
          `trap '' TERM; (setsid sleep 1012 &); echo x > lib/x; touch "${join(node.home, `gate-${last + 1}`)}.reached"; sleep 1013; sleep 1014`,
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
    const job = node.job({ n: ++last, verify: [verify("touch ../../verifying; sleep 1015")] });
    await host.call("start", { job });
    await eventually(() => existsSync(join(node.home, "verifying")));
    await host.call("stop", { attempt: job.attempt, because: "enough", cursor: 0 });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "stopped" } });
    expect(node.processesOf("sleep\x001015")).toEqual([]);
  });

  test("stopping what never began keeps it from beginning", async () => {
    const { job } = gated();
    await host.call("stop", { attempt: job.attempt, because: "too late", cursor: 0 });
    expect(host.reportsOf(job.attempt)).toMatchObject([{ seq: 1, fact: { type: "attempt-ended", outcome: { kind: "stopped" } } }]);
    await host.call("start", { job });
    expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
    expect(linesOf(job)).toHaveLength(1);
    expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
  });

  test("stopping a stopped wrapper that answers to nothing ends it all the same", { timeout: 90_000 }, async () => {
    const { job, atGate } = gated();
    await host.call("start", { job });
    await atGate();
    // While tmux lives it wakes what was stopped.
    await node.endTmux();
    process.kill(await wrapperPid(host, job), "SIGSTOP");
    await host.call("stop", { attempt: job.attempt, because: "hung", cursor: 2 });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "stopped", because: "hung" } });
    expect(findMarked({ token: job.token })).toEqual([]);
  });

  test("what another left dead is left alone; its own host drops the event that was cut off, and the numbers go on", async () => {
    const { job, atGate } = gated();
    await host.call("start", { job });
    await atGate();
    const pid = await wrapperPid(host, job);
    await host.end();
    const attempts = await nextHost({});
    expect(attempts.filter(({ attempt }) => attempt === job.attempt)).toMatchObject([{ alive: true }]);
    process.kill(pid, "SIGKILL");
    await host.until(() => host.heartbeats.length >= 2);
    expect(linesOf(job).some((line) => line.fact.type === "attempt-ended")).toBe(false);
    expect(host.reports).toEqual([]);
    await host.end();
    appendFileSync(join(node.home, "attempts", job.attempt, "events.ndjson"), '{"seq":3,"at":1,"fact":{"type":"agent-en');
    await nextHost({ [job.attempt]: 2 });
    await host.ended(job.attempt);
    expect(seqs(host, job)).toEqual([3]);
    expect(linesOf(job).map((line) => line.seq)).toEqual([1, 2, 3]);
  });

  test("a base that the node does not have loses the attempt, with a word", async () => {
    const job = node.job({ n: ++last, base: "2".repeat(40) });
    await host.call("start", { job });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
    expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip: null, salvage: null });
    await host.call("discard", { attempt: job.attempt, held: { tip: null, salvage: null } });
  });
});
