import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob, Finding } from "@dispatch/core";
import { noLimits } from "@dispatch/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { groupParent } from "../process/limit/find-cgroup.ts";
import { limitWay } from "../process/limit/limit-way.ts";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

let node: TestNode;
let host: HostClient;

beforeAll(async () => {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
});

afterAll(async () => {
  await node.close();
});

async function run(job: AttemptJob): Promise<{ outcome: string; findings: readonly Finding[]; agents: unknown[] }> {
  await host.call("start", { job });
  const { fact } = await host.ended(job.attempt);
  const facts = host.reportsOf(job.attempt).map((report) => report.fact);
  return {
    outcome: fact.type === "attempt-ended" ? fact.outcome.kind : "",
    findings: facts.flatMap((said) => (said.type === "round-checked" ? said.findings : [])),
    agents: facts.flatMap((said) => (said.type === "agent-ended" ? [said.result] : [])),
  };
}

function remarks(findings: readonly Finding[], word: RegExp): Finding[] {
  return findings.filter((finding) => finding.gate === "agent" && word.test(finding.found));
}

test("an agent that prints without end is ended, its log is cut, and the round says so", async () => {
  const job = node.job({ n: 1, script: "echo 'export const value = 2;' > lib/value.js; yes", limits: { ...noLimits, outputMb: 1 } });
  const { outcome, findings, agents } = await run(job);
  // Nothing of the allowance is left for the verify command, which prints too.
  expect(outcome).toBe("exhausted");
  expect(agents[0]).toMatchObject({ outcome: "killed", exitCode: null });
  expect(statSync(join(node.home, "attempts", job.attempt, "agent-1.log")).size).toBe(1024 * 1024);
  expect(remarks(findings, /1 MiB/).length).toBeGreaterThan(0);
  expect(node.read(`attempts/${job.attempt}/prompt-2.md`)).toMatch(/1 MiB/);
});

test("a verify command that prints without end fails, whatever it says when it is ended", async () => {
  const loud = verify("trap 'exit 0' TERM PIPE; while :; do head -c 65536 /dev/zero || exit 0; done");
  const { outcome, findings } = await run(node.job({ n: 2, maxRounds: 1, verify: [loud], limits: { ...noLimits, outputMb: 1 } }));
  expect(outcome).toBe("exhausted");
  expect(remarks(findings, /1 MiB/)).toHaveLength(1);
});

test("memory that is used up ends what used it; the record says so, or that it cannot be told here", async () => {
  const take = `${process.execPath} -e 'const all = []; for (let i = 0; i < 60; i++) all.push(Buffer.alloc(8 * 1024 * 1024, 1));'`;
  const script = `echo 'export const value = 2;' > lib/value.js; ${take} && echo took it all`;
  const job = node.job({ n: 3, script, limits: { memoryMb: 128, cpus: 1, processes: 100, outputMb: 10 } });
  const { outcome, findings } = await run(job);
  expect(outcome).toBe("succeeded");
  expect(readFileSync(join(node.home, "attempts", job.attempt, "agent-1.log"), "utf8")).not.toContain("took it all");
  const status = JSON.parse(node.read(`attempts/${job.attempt}/status.json`));
  if (limitWay() === "rlimit") {
    expect(remarks(findings, /cpus, processes/)).toHaveLength(1);
    expect(status.limits).toMatchObject({ way: "rlimit", unheld: ["cpus", "processes"] });
  } else {
    expect(remarks(findings, /oom_kill/)).toHaveLength(1);
    expect(status.limits).toMatchObject({ unheld: [] });
  }
});

test("what hid from its attempt in every way is gone when the attempt has ended, also when its wrapper was killed", async () => {
  const hide = "env -i setsid sh -c 'sleep 1079 >/dev/null 2>&1 & :'";
  const ended = node.job({ n: 4, script: `${hide}; echo 'export const value = 2;' > lib/value.js` });
  const killed = node.job({ n: 5, script: `${hide}; touch "${node.home}/hidden"; sleep 1080` });
  expect((await run(ended)).outcome).toBe("succeeded");
  await host.call("start", { job: killed });
  await eventually(() => existsSync(join(node.home, "hidden")));
  const { fact } = await host.until(() => host.reportsOf(killed.attempt)[0]);
  if (fact.type !== "attempt-started") throw new Error("not a start");
  process.kill(fact.identity.pid, "SIGKILL");
  await host.ended(killed.attempt);
  const left = node.processesOf("sleep\x001079");
  for (const pid of left) process.kill(pid, "SIGKILL");
  // Without a control group nothing tells of them.
  expect(left.length).toBe(groupParent() === undefined ? 2 : 0);
});
