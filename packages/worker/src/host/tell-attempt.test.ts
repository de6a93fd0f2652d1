import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob } from "@dispatch/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

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

const raise = "echo 'export const value = 2;' > lib/value.js";
const noticesOf = (job: AttemptJob): string => join(node.home, "attempts", job.attempt, "notices");

/** A job whose agent keeps its prompts and then does what the script says; `OUT` is a path of its own. */
function recording(script: string, change: Partial<AttemptJob> = {}): { job: AttemptJob; out: string } {
  n += 1;
  const out = join(node.home, `out-${n}`);
  const command = ["sh", "-c", `cat "$DISPATCH_PROMPT_FILE" > "$OUT.$DISPATCH_ROUND"; ${script}`];
  return {
    job: { ...node.job({ n }), executor: { name: "script", command, prompt: "file", timeoutSeconds: 30, env: { OUT: out } }, ...change },
    out,
  };
}

test("an agent at work sees a notice appear, and it is no part of the change", async () => {
  const { job, out } = recording(
    `touch "$OUT.ready"; while [ ! -e "$DISPATCH_NOTICES/1.md" ]; do sleep 0.02; done; cat "$DISPATCH_NOTICES/1.md" > "$OUT.seen"; ${raise}`,
  );
  await host.call("start", { job });
  await eventually(() => existsSync(`${out}.ready`));
  await host.call("tell", { attempt: job.attempt, n: 1, text: "the contract is another one\n" });
  const { fact } = await host.ended(job.attempt);
  if (fact.type !== "attempt-ended" || fact.outcome.kind !== "succeeded") throw new Error(JSON.stringify(fact));
  expect(readFileSync(`${out}.seen`, "utf8")).toBe("the contract is another one\n");
  expect(node.git("diff-tree", "-r", "--name-only", node.base, fact.outcome.tip)).toBe("lib/value.js");
});

test("the same number twice is one notice, as it was first told, also over a restart of the host", async () => {
  const { job } = recording(raise);
  await host.call("tell", { attempt: job.attempt, n: 1, text: "first" });
  await host.call("tell", { attempt: job.attempt, n: 1, text: "again" });
  const other = await node.host();
  await other.call("hello", { cursors: {} });
  await Promise.all([
    host.call("tell", { attempt: job.attempt, n: 2, text: "second" }),
    other.call("tell", { attempt: job.attempt, n: 2, text: "second" }),
  ]);
  expect(readdirSync(noticesOf(job)).sort()).toEqual(["1.md", "2.md"]);
  expect(readFileSync(join(noticesOf(job), "1.md"), "utf8")).toBe("first");
});

test("an attempt that was told before it started finds it in its first prompt, and is not taken for a known one", async () => {
  const { job, out } = recording(raise);
  await host.call("tell", { attempt: job.attempt, n: 1, text: "told early" });
  expect((await host.call("list", { attempts: [job.attempt] })).map((seen) => seen.attempt)).not.toContain(job.attempt);
  await host.call("start", { job });
  await host.ended(job.attempt);
  const prompt = readFileSync(`${out}.1`, "utf8");
  expect(prompt.startsWith(job.prompt)).toBe(true);
  expect(prompt).toContain("told early");
});

test("the next round's prompt holds the findings and every notice, newest first", async () => {
  const { job, out } = recording(
    `if [ "$DISPATCH_ROUND" = 1 ]; then touch "$OUT.ready"; while [ ! -e "$OUT.go" ]; do sleep 0.02; done; echo wrong > lib/value.js; else ${raise}; fi`,
    { verify: [verify("grep -q 'value = 2' lib/value.js || { echo the value is wrong; exit 4; }")] },
  );
  await host.call("start", { job });
  await eventually(() => existsSync(`${out}.ready`));
  for (const [i, text] of ["one thing", "another thing"].entries()) await host.call("tell", { attempt: job.attempt, n: i + 1, text });
  writeFileSync(`${out}.go`, "");
  await host.ended(job.attempt);
  expect(readFileSync(`${out}.1`, "utf8")).toBe(job.prompt);
  const second = readFileSync(`${out}.2`, "utf8");
  const places = [job.prompt, "the value is wrong", "another thing", "one thing"].map((text) => second.indexOf(text));
  expect(places.every((place) => place >= 0)).toBe(true);
  expect([...places].sort((a, b) => a - b)).toEqual(places);
});

test.each([
  { attempt: "../x", n: 1, text: "a" },
  { attempt: "demo--S01-value--1", n: 0, text: "a" },
  { attempt: "demo--S01-value--1", n: 1.5, text: "a" },
  { attempt: "demo--S01-value--1", n: 1, text: "x".repeat(256 * 1024 + 1) },
])("a notice that is none is refused", async (params) => {
  expect(await host.refusal("tell", params)).toMatchObject({ code: "USAGE", retry: "never" });
});

test("an agent is ended when the time of the attempt is over; what it made is judged, and no further round begins", async () => {
  const green = recording(`${raise}; sleep 60`, { spec: { ...node.job().spec, timeoutMinutes: 0.05 } });
  await host.call("start", { job: green.job });
  expect((await host.ended(green.job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded", rounds: 1 } });
  const ended = host.reportsOf(green.job.attempt).find(({ fact }) => fact.type === "agent-ended")?.fact;
  expect(ended).toMatchObject({ result: { outcome: "timed-out" } });

  const red = recording("sleep 60", { spec: { ...node.job().spec, timeoutMinutes: 0.02 } });
  await host.call("start", { job: red.job });
  const { fact } = await host.ended(red.job.attempt);
  if (fact.type !== "attempt-ended" || fact.outcome.kind !== "exhausted") throw new Error(JSON.stringify(fact));
  expect(fact.outcome.rounds).toBe(1);
  expect(fact.outcome.findings.filter((finding) => finding.gate === "agent" && finding.severity === "block")).toHaveLength(1);
});

test.each([
  [{ tokens: 25, usd: null, turns: null }, '{"inputTokens": 10, "outputTokens": 3}', 2],
  [{ tokens: null, usd: null, turns: 4 }, '{"inputTokens": 1, "outputTokens": 1, "turns": 5}', 1],
  [{ tokens: 100, usd: null, turns: 4 }, '{"turns": 1}', 3],
  [{ tokens: 1, usd: null, turns: 1 }, "nothing that counts", 3],
])("with a budget of %j an agent that reports %s in every round gets %i rounds", async (budget, usage, rounds) => {
  const { job } = recording(`echo '${usage}' > "$DISPATCH_USAGE_FILE"`, { spec: { ...node.job().spec, budget } });
  await host.call("start", { job });
  const { fact } = await host.ended(job.attempt);
  if (fact.type !== "attempt-ended" || fact.outcome.kind !== "exhausted") throw new Error(JSON.stringify(fact));
  expect(fact.outcome.rounds).toBe(rounds);
  const limits = fact.outcome.findings.filter((finding) => finding.gate === "agent" && finding.severity === "block");
  expect(limits).toHaveLength(rounds < 3 ? 1 : 0);
});

test("a change that is accepted is accepted, whatever it cost", async () => {
  const { job } = recording(`${raise}; echo '{"inputTokens": 100, "outputTokens": 3, "turns": 9}' > "$DISPATCH_USAGE_FILE"`, {
    spec: { ...node.job().spec, budget: { tokens: 1, usd: null, turns: 1 } },
  });
  await host.call("start", { job });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
});
