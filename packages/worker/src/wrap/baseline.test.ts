import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob, Finding, WrapperFact } from "@dispatch/core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

let node: TestNode;
let host: HostClient;
let n = 0;
/** Where the commands of a test write down what they ran on. */
let ran: string;

beforeAll(async () => {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
});

beforeEach(({ task }) => {
  ran = join(node.home, `runs of ${task.id}`);
});

afterAll(async () => {
  await node.close();
});

type Checked = Extract<WrapperFact, { type: "round-checked" }>;

async function run(job: AttemptJob): Promise<{ outcome: string; rounds: Checked[] }> {
  await host.call("start", { job });
  const { fact } = await host.ended(job.attempt);
  const facts = host.reportsOf(job.attempt).map((report) => report.fact);
  return {
    outcome: fact.type === "attempt-ended" ? fact.outcome.kind : "",
    rounds: facts.flatMap((said) => (said.type === "round-checked" ? [said] : [])),
  };
}

function told(findings: readonly Finding[]): string[] {
  return findings.map(({ gate, severity }) => `${gate} ${severity}`);
}

/** A verify command that says in TAP what a few lines of shell found, and writes down where it ran. */
function tapOf(lines: string, env: Record<string, string> = {}): ReturnType<typeof verify> {
  const say = 'red=0; n=0; t() { n=$((n+1)); if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; red=1; fi; }';
  return verify(`grep -o 'value = .*;' lib/value.js >> "$RUNS"; echo TAP version 13; ${say}; ${lines}; echo 1..$n; exit $red`, {
    env: { RUNS: ran, ...env },
  });
}

const runs = (): string[] => readFileSync(ran, "utf8").trim().split("\n");
const set = (value: string): string => `echo "export const value = ${value};" > lib/value.js`;

test("what failed on the base already blocks nothing, and the agent's tree is what is committed", async () => {
  const job = node.job({
    n: ++n,
    script: `${set("2")}; mkdir -p ignored; echo kept > ignored/dependency`,
    verify: [tapOf("t ancient 1; test -e ignored/dependency; t installed $?")],
  });
  const { outcome, rounds } = await run(job);
  expect(outcome).toBe("succeeded");
  expect(runs()).toEqual(["value = 2;", "value = 1;"]);
  // What is ignored stays: had it been gone on the base, "installed" would have failed there.
  expect(JSON.parse(node.read(`attempts/${job.attempt}/baseline.json`)).commands[0].failures).toMatchObject([{ name: "ancient" }]);
  expect(told(rounds[0]?.findings ?? [])).toEqual(["G15 note"]);
  expect(node.git("show", `refs/heads/${job.branch}:lib/value.js`)).toBe("export const value = 2;");
  expect(readdirSync(join(node.home, "attempts", job.attempt)).filter((name) => name.includes("swapped"))).toEqual([]);
});

test("a new failure blocks beside an old one, is named to the agent, and the base is run once", async () => {
  const script = `if [ "$DISPATCH_ROUND" = 1 ]; then ${set("three")}; else ${set("3")}; fi`;
  const job = node.job({ n: ++n, script, verify: [tapOf("t ancient 1; grep -q 'value = [0-9]' lib/value.js; t 'is a number' $?")] });
  const { outcome, rounds } = await run(job);
  expect(outcome).toBe("succeeded");
  expect(rounds.map((round) => told(round.findings))).toEqual([["G01 block", "G15 block", "G15 note"], ["G15 note"]]);
  expect(runs()).toEqual(["value = three;", "value = 1;", "value = 3;"]);
  expect(node.read(`attempts/${job.attempt}/prompt-2.md`)).toContain("is a number fails");
});

test("a base that is known to be green is not run again for another attempt, and excuses nothing", async () => {
  const command = tapOf("grep -q 'value = [12]' lib/value.js; t small $?");
  const first = await run(node.job({ n: ++n, script: set("8"), maxRounds: 1, verify: [command] }));
  const second = await run(node.job({ n: ++n, script: set("9"), maxRounds: 1, verify: [command] }));
  expect([first.outcome, second.outcome]).toEqual(["exhausted", "exhausted"]);
  expect(runs()).toEqual(["value = 8;", "value = 1;", "value = 9;"]);
  expect(told(second.rounds[0]?.findings ?? [])).toEqual(["G01 block", "G15 block"]);
});

test("a test that was red and then green on one tree is known as flaky, and run again before it blames anybody", async () => {
  const once = 'if [ -e "$SEEN" ]; then t unsteady 0; else touch "$SEEN"; t unsteady 1; fi';
  const onBase = `if grep -q 'value = 1' lib/value.js; then t unsteady 0; else ${once}; fi`;
  const job = (seen: string): AttemptJob => node.job({ n: ++n, script: set("2"), verify: [tapOf(onBase, { SEEN: join(node.home, seen) })] });
  const unknown = await run(job("seen"));
  expect(unknown.rounds.map((round) => [told(round.findings), round.flaky?.map((each) => each.name)])).toEqual([
    [["G01 block", "G15 block"], undefined],
    [["G15 note"], ["unsteady"]],
  ]);
  const known = await run(job("seen again"));
  expect(known.rounds.map((round) => [told(round.findings), round.flaky?.map((each) => each.name)])).toEqual([[["G15 note"], ["unsteady"]]]);
  expect(runs().filter((value) => value === "value = 2;")).toHaveLength(4);
});

test("what the agent made is salvaged when the wrapper is killed while the base lies in the worktree", async () => {
  const there = join(node.home, "base is there");
  const wait = `if grep -q 'value = 1' lib/value.js; then touch "$THERE"; sleep 1081; fi; t fails 1`;
  const job = node.job({ n: ++n, script: `${set("2")}; echo new > lib/new.js`, verify: [tapOf(wait, { THERE: there })] });
  await host.call("start", { job });
  await eventually(() => existsSync(there));
  const started = host.reportsOf(job.attempt)[0]?.fact;
  if (started?.type !== "attempt-started") throw new Error("not a start");
  expect(existsSync(join(node.home, "work", job.attempt, "lib/new.js"))).toBe(false);
  process.kill(started.identity.pid, "SIGKILL");
  await host.ended(job.attempt);
  const held = await host.call("salvage", { attempt: job.attempt });
  expect(node.git("show", `refs/dispatch/salvage/${job.attempt}:lib/value.js`)).toBe("export const value = 2;");
  expect(node.git("show", `refs/dispatch/salvage/${job.attempt}:lib/new.js`)).toBe("new");
  await host.call("discard", { attempt: job.attempt, held });
  expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
});
