import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AttemptJob, defaultGatePolicy, type Finding, type WrapperFact } from "@dispatch/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

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

type Checked = Extract<WrapperFact, { type: "round-checked" }>;
type Change = NonNullable<Parameters<TestNode["job"]>[0]>;

async function run(change: Change): Promise<{ job: AttemptJob; outcome: string; rounds: Checked[] }> {
  const job = node.job({ n: ++n, maxRounds: 1, ...change });
  await host.call("start", { job });
  const { fact } = await host.ended(job.attempt);
  const facts = host.reportsOf(job.attempt).map((report) => report.fact);
  return {
    job,
    outcome: fact.type === "attempt-ended" ? fact.outcome.kind : "",
    rounds: facts.flatMap((said) => (said.type === "round-checked" ? [said] : [])),
  };
}

function told(findings: readonly Finding[] = []): string[] {
  return findings.map(({ gate, severity }) => `${gate} ${severity}`);
}

const raise = "echo 'export const value = 2;' > lib/value.js";
const acceptance = (command: string, expected: string, id = "AC1") => ({ id, text: "the value", command, expected });

test("acceptance items are run after verify, each result is kept, and what is not met blocks", async () => {
  const items = [
    acceptance("grep -c 'value = 2' lib/value.js", 'equals "1"', "AC1"),
    acceptance("cat lib/value.js; exit 3", 'exit 3 and contains "export"', "AC2"),
    acceptance("grep -c 'value = 3' lib/value.js", 'equals "1"', "AC3"),
  ];
  const { outcome, rounds } = await run({ script: raise, spec: { acceptance: items } });
  expect(outcome).toBe("exhausted");
  expect(told(rounds[0]?.findings)).toEqual(["G12 block"]);
  expect(rounds[0]?.acceptance?.map(({ item, met, result }) => [item, met, result.exitCode, result.outputTail])).toEqual([
    ["AC1", true, 0, "1\n"],
    ["AC2", true, 3, "export const value = 2;\n"],
    ["AC3", false, 1, "0\n"],
  ]);
});

test("an item that verify has run already is not run again, and red tests are mended before items are run", async () => {
  const log = join(node.home, "verified");
  const command = verify('echo run >> "$LOG"', { env: { LOG: log } });
  const spec = { acceptance: [acceptance(command.run, "exit 0")] };
  const { outcome, rounds } = await run({ script: raise, spec, verify: [command] });
  expect([outcome, rounds[0]?.acceptance?.length, readFileSync(log, "utf8")]).toEqual(["succeeded", 1, "run\n"]);
  const red = await run({ script: raise, spec, verify: [verify("exit 1")] });
  expect([red.outcome, red.rounds[0]?.acceptance]).toEqual(["exhausted", undefined]);
});

test("what an acceptance command writes is no part of the change", async () => {
  const { job, outcome } = await run({
    script: raise,
    spec: { acceptance: [acceptance("echo spoiled > lib/value.js; echo x > lib/extra.js", "exit 0")] },
  });
  expect(outcome).toBe("succeeded");
  expect(node.git("show", `refs/heads/${job.branch}:lib/value.js`)).toBe("export const value = 2;");
  expect(node.git("ls-tree", "--name-only", `refs/heads/${job.branch}`, "lib/")).toBe("lib/value.js");
});

test.each([
  ["is written", "mkdir -p lib/seen; echo 'HTTP 400' > lib/seen/limit.txt", "succeeded", []],
  ["is empty", "mkdir -p lib/seen; : > lib/seen/limit.txt", "exhausted", ["G13 block"]],
  ["is missing", "true", "exhausted", ["G13 block"]],
  ["is ignored", "mkdir -p ignored; echo seen > ignored/limit.txt", "exhausted", ["G13 block"]],
])("evidence of a scenario that %s", async (_, write, outcome, findings) => {
  const spec = { evidence: [{ scenario: "limit", path: "lib/seen/limit.txt", manual: false }] };
  const ran = await run({ script: `${raise}; ${write}`, spec });
  expect([ran.outcome, told(ran.rounds[0]?.findings)]).toEqual([outcome, findings]);
});

test("fewer tests than the project demands block", async () => {
  const tap = verify("printf 'TAP version 13\\nok 1 - a\\nok 2 - b\\n1..2\\n'");
  const gates = { ...defaultGatePolicy, testsMin: { unit: 3 } };
  const few = await run({ script: raise, verify: [tap], gates });
  expect([few.outcome, told(few.rounds[0]?.findings)]).toEqual(["exhausted", ["G11 block"]]);
  expect((await run({ script: raise, verify: [tap], gates, spec: { testsMin: { unit: 2 } } })).outcome).toBe("succeeded");
});

/** Runs what the test files under lib say; each is a line of shell. */
const suite = verify(
  'n=0; red=0; echo TAP version 13; for file in lib/*.test.js; do n=$((n+1)); if [ -e "$file" ] && sh "$file"; then echo "ok $n - $file"; else echo "not ok $n - $file"; red=1; fi; done; echo "1..$n"; exit $red',
);

test.each<[string, Change["spec"], string, string, string[]]>([
  ["fails on the base sources", { type: "feature" }, "grep -q 2 lib/value.js", "succeeded", []],
  ["passes on the base sources too", { type: "feature" }, "true", "exhausted", ["G10 block"]],
  ["passes there, in a bugfix", { type: "bugfix" }, "true", "exhausted", ["G10 block"]],
  ["passes there, in a refactoring", { type: "refactor" }, "true", "succeeded", []],
])("a new test that %s", async (_, spec, line, outcome, findings) => {
  const { job, ...ran } = await run({
    script: `${raise}; echo '${line}' > lib/value.test.js`,
    verify: [suite],
    ...(spec === undefined ? {} : { spec }),
  });
  expect([ran.outcome, told(ran.rounds[0]?.findings)]).toEqual([outcome, findings]);
  if (outcome === "succeeded") expect(node.git("show", `refs/heads/${job.branch}:lib/value.js`)).toBe("export const value = 2;");
});

test("a round that is blocked by something else does not run the tests on the base sources", async () => {
  const { job, rounds } = await run({
    script: `${raise}; echo true > lib/value.test.js; echo x > outside.txt`,
    verify: [suite],
    spec: { type: "feature" },
  });
  expect(told(rounds[0]?.findings)).toEqual(["G03 block"]);
  expect(node.read(`attempts/${job.attempt}/verify-1.log`).match(/TAP version/g)).toHaveLength(1);
});
