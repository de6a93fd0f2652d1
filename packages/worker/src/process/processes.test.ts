import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult, WrapperFact } from "@dispatch/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";
import { findMarked, parentsFirst } from "./end-processes.ts";
import { listProcesses, psList, startOf } from "./list-processes.ts";
import { tailBytes } from "./output-tail.ts";

let node: TestNode;
let host: HostClient;
let n = 0;

beforeAll(async () => {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
});

afterAll(async () => {
  await node.close();
});

type Change = Parameters<TestNode["job"]>[0];

async function runToEnd(change: Change): Promise<{ token: string; kind: string; facts: WrapperFact[]; attempt: string }> {
  const job = node.job({ n: ++n, maxRounds: 1, ...change });
  await host.call("start", { job });
  const { fact } = await host.ended(job.attempt);
  if (fact.type !== "attempt-ended") throw new Error("not an end");
  return { token: job.token, kind: fact.outcome.kind, facts: host.reportsOf(job.attempt).map((report) => report.fact), attempt: job.attempt };
}

function agentResult(facts: readonly WrapperFact[]): CommandResult {
  const fact = facts.find((one) => one.type === "agent-ended");
  if (fact?.type !== "agent-ended") throw new Error("no agent");
  return fact.result;
}

function verifyResults(facts: readonly WrapperFact[]): readonly CommandResult[] {
  const fact = facts.find((one) => one.type === "round-checked");
  if (fact?.type !== "round-checked") throw new Error("not checked");
  return fact.verify;
}

const raise = "echo 'export const value = 2;' > lib/value.js";

function script(command: string, timeoutSeconds: number): Change {
  return { executor: { name: "script", command: ["sh", "-c", command], prompt: "file", timeoutSeconds, env: {} } };
}

test("an agent that hangs is ended in time with all it started, in whatever session, ignoring what it likes", async () => {
  const stubborn = "trap '' TERM HUP INT; while :; do sleep 0.1; done";
  const hang = `${raise}; setsid sh -c "${stubborn}" & (setsid sleep 1000 &) ; nohup sleep 1001 >/dev/null 2>&1 & env -u DISPATCH_TOKEN sleep 1002 & ${stubborn}`;
  const begin = Date.now();
  const { token, kind, facts } = await runToEnd(script(hang, 1));
  expect(agentResult(facts)).toMatchObject({ outcome: "timed-out", exitCode: null });
  expect(Date.now() - begin).toBeLessThan(15_000);
  expect(kind).toBe("succeeded");
  expect(findMarked({ token })).toEqual([]);
  expect(node.processesOf("sleep\x00100")).toEqual([]);
});

test("what an agent leaves running ends with it, and its end is not waited for", async () => {
  const begin = Date.now();
  const { token, kind, facts } = await runToEnd(
    script(`${raise}; (setsid sleep 1003 &); sleep 1004 & (trap '' TERM; exec sleep 1005) & echo done`, 20),
  );
  expect(kind).toBe("succeeded");
  expect(agentResult(facts)).toMatchObject({ outcome: "exited", exitCode: 0, outputTail: "done\n", outputBytes: 5 });
  expect(agentResult(facts).durationMs).toBeLessThan(2000);
  expect(Date.now() - begin).toBeLessThan(10_000);
  expect(findMarked({ token })).toEqual([]);
});

test("an agent killed from outside counts as killed", async () => {
  const { facts } = await runToEnd(script(`${raise}; kill -9 $$`, 20));
  expect(agentResult(facts)).toMatchObject({ outcome: "killed", signal: "SIGKILL", exitCode: null });
});

test("100 MB of output are counted, kept at their end and cut in the log, quickly", async () => {
  const { kind, facts, attempt } = await runToEnd({ verify: [verify("head -c 100000000 /dev/zero | tr '\\0' 'a'; echo; echo the end; exit 1")] });
  const [result] = verifyResults(facts);
  expect(kind).toBe("exhausted");
  expect(result).toMatchObject({ outcome: "exited", exitCode: 1, outputBytes: 100_000_009 });
  expect(result?.outputTail.endsWith("a\nthe end\n")).toBe(true);
  expect(Buffer.byteLength(result?.outputTail ?? "")).toBe(tailBytes);
  expect(result?.durationMs).toBeLessThan(10_000);
  expect(statSync(join(node.home, "attempts", attempt, "verify-1.log")).size).toBe(20 * 1024 * 1024);
});

test("a verify command that hangs ends by its own clock, with its children", async () => {
  const { token, kind, facts } = await runToEnd({ verify: [verify("echo before; (setsid sleep 1006 &); sleep 1007", { timeoutSeconds: 1 })] });
  expect(kind).toBe("exhausted");
  expect(verifyResults(facts)).toMatchObject([{ outcome: "timed-out", exitCode: null, outputTail: "before\n" }]);
  expect(findMarked({ token })).toEqual([]);
});

test("both outputs arrive in order, also by way of /dev/stderr, and end in whole characters", async () => {
  const { facts } = await runToEnd({
    verify: [
      verify("echo one; echo two >&2; echo three >/dev/stderr; echo four | tee /dev/stderr >/dev/null; echo five"),
      verify("printf 'x'; i=0; while [ $i -lt 30000 ]; do printf 'öö'; i=$((i+1)); done"),
    ],
  });
  const [first, second] = verifyResults(facts);
  expect(first?.outputTail).toBe("one\ntwo\nthree\nfour\nfive\n");
  expect(second?.outputTail).toMatch(/^ö+$/);
  expect(second?.outputBytes).toBe(120_001);
});

test("a session without anybody who reads it does not hold up the work", async () => {
  const job = node.job({
    n: ++n,
    script: `echo begun; while [ ! -e "$GATE" ]; do sleep 0.02; done; head -c 3000000 /dev/zero | tr '\\0' 'b'; ${raise}`,
  });
  const gate = join(node.home, "gate");
  const { executor } = job;
  await host.call("start", { job: { ...job, executor: { ...executor, env: { GATE: gate } } } });
  const server = node.processesOf(`tmux\0-L\0${node.socket}`).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("tmux"));
  expect(server.length).toBeGreaterThan(0);
  for (const pid of server) process.kill(pid, "SIGSTOP");
  try {
    writeFileSync(gate, "");
    const { fact } = await host.ended(job.attempt);
    expect(fact).toMatchObject({ outcome: { kind: "succeeded" } });
  } finally {
    for (const pid of server) process.kill(pid, "SIGCONT");
  }
});

test("a verify job runs on exactly its commit and keeps only dependencies", async () => {
  const commands = [
    verify(
      "git rev-parse HEAD; git status --porcelain --ignored; echo junk > junk; mkdir -p node_modules ignored; touch node_modules/kept ignored/gone",
    ),
  ];
  const first = await host.call("verify", { id: "a", project: "demo", bay: 0, commit: node.base, verify: commands });
  expect(first).toMatchObject([{ outcome: "exited", exitCode: 0, outputTail: `${node.base}\n` }]);
  const again = await host.call("verify", { id: "b", project: "demo", bay: 0, commit: node.base, verify: commands });
  expect(again[0]?.outputTail).toBe(`${node.base}\n?? node_modules/\n`);
  expect(existsSync(join(node.home, "verify", "demo.running.json"))).toBe(false);
});

test("verify jobs of a project in one bay take turns, and the same one asked twice runs once", async () => {
  const run = (id: string) =>
    host.call("verify", {
      id,
      project: "demo",
      bay: 0,
      commit: node.base,
      verify: [verify(`mkdir lock || exit 9; echo ${id} >> "$OUT"; sleep 0.2; rmdir lock`, { env: { OUT: join(node.home, "turns") } })],
    });
  const results = await Promise.all([run("x"), run("y"), run("x")]);
  for (const result of results) expect(result).toMatchObject([{ exitCode: 0 }]);
  expect(node.read("turns")).toBe("x\ny\n");
});

test("verify jobs in two bays of a project run beside each other, each in a worktree of its own", async () => {
  const meet = (mine: string, other: string) =>
    `touch "$MEET/${mine}"; for i in $(seq 300); do [ -e "$MEET/${other}" ] && break; sleep 0.1; done; [ -e "$MEET/${other}" ] && pwd && git rev-parse HEAD`;
  const run = (bay: number, mine: string, other: string) =>
    host.call("verify", {
      id: `bay-${bay}`,
      project: "demo",
      bay,
      commit: node.base,
      verify: [verify(meet(mine, other), { env: { MEET: node.home } })],
    });
  const [first, second] = await Promise.all([run(0, "met-a", "met-b"), run(1, "met-b", "met-a")]);
  const place = join(node.home, "verify");
  expect(first).toMatchObject([{ exitCode: 0, outputTail: `${join(place, "demo")}\n${node.base}\n` }]);
  expect(second).toMatchObject([{ exitCode: 0, outputTail: `${join(place, "demo+1")}\n${node.base}\n` }]);
});

test("a cancelled verify job is refused, nothing of it is left, what waited goes on, and its name can be used again", async () => {
  const job = (id: string, command: string) => ({ id, project: "demo", bay: 0, commit: node.base, verify: [verify(command), verify("touch after")] });
  const pending = host.refusal("verify", job("c", "trap '' TERM; (setsid sleep 1013 &); sleep 1014"));
  await eventually(() => node.processesOf("sleep\x001014").length > 0 && node.processesOf("sleep\x001013").length > 0);
  const next = host.call("verify", job("d", "test ! -e after"));
  const waiting = host.refusal("verify", job("e", "sleep 1015"));
  await host.call("cancelVerify", { id: "e" });
  await host.call("cancelVerify", { id: "c" });
  expect(await pending).toMatchObject({ code: "NODE_FAILED" });
  expect([...node.processesOf("sleep\x001013"), ...node.processesOf("sleep\x001014")]).toEqual([]);
  expect(await next).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
  expect(await waiting).toMatchObject({ code: "NODE_FAILED" });
  expect(node.processesOf("sleep\x001015")).toEqual([]);
  expect(await host.call("verify", job("c", "true"))).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
  expect(existsSync(join(node.home, "verify", "demo.running.json"))).toBe(false);
});

test("cancelling a verify job that is not there does nothing, also not to a later one of that name", async () => {
  await host.call("cancelVerify", { id: "later" });
  const job = { id: "later", project: "demo", bay: 0, commit: node.base, verify: [verify("true")] };
  expect(await host.call("verify", job)).toMatchObject([{ exitCode: 0 }]);
  await host.call("cancelVerify", { id: "later" });
  expect(await host.call("verify", job)).toMatchObject([{ exitCode: 0 }]);
});

test("a verify job of a commit that is not there, or with a broken worktree, is told or mended", async () => {
  expect(await host.refusal("verify", { id: "m", project: "demo", bay: 0, commit: "1".repeat(40), verify: [] })).toMatchObject({
    code: "GIT_FAILED",
  });
  expect(await host.refusal("verify", { id: "n", project: "nowhere", bay: 0, commit: node.base, verify: [] })).toMatchObject({ code: "GIT_FAILED" });
  rmSync(join(node.home, "verify", "demo", ".git"));
  expect(await host.call("verify", { id: "o", project: "demo", bay: 0, commit: node.base, verify: [verify("cat lib/value.js")] })).toMatchObject([
    { exitCode: 0 },
  ]);
});

test("the end of its input ends a host and its verify jobs, and no session", async () => {
  const other = await node.host();
  await other.call("hello", { cursors: {} });
  const job = node.job({ n: ++n, script: "sleep 1008" });
  await other.call("start", { job });
  const pending = other.refusal("verify", {
    id: "p",
    project: "demo",
    bay: 0,
    commit: node.base,
    verify: [verify("trap '' TERM; (setsid sleep 1009 &); sleep 1010")],
  });
  pending.catch(() => {});
  await eventually(() => node.processesOf("sleep\x001010").length > 0 && node.processesOf("sleep\x001008").length > 0);
  await other.end();
  expect([...node.processesOf("sleep\x001009"), ...node.processesOf("sleep\x001010")]).toEqual([]);
  expect(node.processesOf("sleep\x001008")).toHaveLength(1);
  await host.call("stop", { attempt: job.attempt, because: "done", cursor: 0 });
  expect(node.processesOf("sleep\x001008")).toEqual([]);
});

test("parents are told to end before their children, whatever their numbers; a circle loses nobody", () => {
  const seen = (pid: number, parent: number) => ({ pid, parent, group: 0, session: 0, start: "0" });
  // Numbers start again from the bottom on a machine that is up for long: the tool 7 is younger than its agent 900.
  const order = parentsFirst([seen(7, 900), seen(8, 7), seen(40, 1), seen(900, 12), seen(30, 31), seen(31, 30)]).map(({ pid }) => pid);
  expect(order.slice(0, 4).sort((a, b) => a - b)).toEqual([7, 8, 40, 900]);
  expect(order.indexOf(900)).toBeLessThan(order.indexOf(7));
  expect(order.indexOf(7)).toBeLessThan(order.indexOf(8));
  expect([...order].sort((a, b) => a - b)).toEqual([7, 8, 30, 31, 40, 900]);
});

test("processes are seen alike by way of /proc and of ps", () => {
  const mine = listProcesses().find((seen) => seen.pid === process.pid);
  const other = psList(["-A"]).find((seen) => seen.pid === process.pid);
  expect(mine).toMatchObject({ pid: process.pid, parent: process.ppid });
  expect(other).toMatchObject({ pid: mine?.pid, parent: mine?.parent, group: mine?.group });
  expect(other?.start).not.toBe("");
  expect(startOf(process.pid)).toBe(mine?.start);
  expect(startOf(0)).toBeUndefined();
  expect(psList(["-p", "4194305"])).toEqual([]);
});
