import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob, AttemptOutcome, Finding, WrapperFact } from "@dispatch/core";
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

type Change = Parameters<TestNode["job"]>[0];

async function runToEnd(change: Change = {}): Promise<{ job: AttemptJob; outcome: AttemptOutcome; facts: WrapperFact[] }> {
  const job = node.job({ n: ++n, ...change });
  await host.call("start", { job });
  const { fact } = await host.ended(job.attempt);
  if (fact.type !== "attempt-ended") throw new Error("not an end");
  return { job, outcome: fact.outcome, facts: host.reportsOf(job.attempt).map((report) => report.fact) };
}

function succeeded(outcome: AttemptOutcome): Extract<AttemptOutcome, { kind: "succeeded" }> {
  if (outcome.kind !== "succeeded") throw new Error(JSON.stringify(outcome));
  return outcome;
}

function checkedIn(facts: readonly WrapperFact[], round: number): { findings: readonly Finding[]; verify: readonly { outcome: string }[] } {
  const fact = facts.find((one) => one.type === "round-checked" && one.round === round);
  if (fact?.type !== "round-checked") throw new Error(`round ${round} was not checked`);
  return fact;
}

function blocking(findings: readonly Finding[]): string[] {
  return findings.filter((finding) => finding.severity === "block").map((finding) => finding.gate);
}

const raise = "echo 'export const value = 2;' > lib/value.js";

test("an attempt goes from start to a commit, is salvaged and discarded", async () => {
  const { job, outcome, facts } = await runToEnd();
  const checkpoint = `refs/dispatch/checkpoint/${job.attempt}`;
  expect(node.git("show", `${checkpoint}:lib/value.js`)).toBe("export const value = 2;");
  expect(node.git("log", "-1", "--format=%P", checkpoint)).toBe(node.base);
  expect(host.reportsOf(job.attempt).map((report) => report.seq)).toEqual([1, 2, 3, 4, 5]);
  expect(facts.map((fact) => fact.type)).toEqual(["attempt-started", "round-started", "agent-ended", "round-checked", "attempt-ended"]);
  const { tip, base, rounds } = succeeded(outcome);
  expect({ base, rounds }).toEqual({ base: node.base, rounds: 1 });
  expect(node.git("rev-parse", `refs/heads/${job.branch}`)).toBe(tip);
  expect(node.git("show", `${tip}:lib/value.js`)).toBe("export const value = 2;");
  const trailer = (key: string) => node.git("log", "-1", `--format=%(trailers:key=${key},valueonly)`, tip);
  expect(node.git("log", "-1", "--format=%s|%an <%ae>|%P", tip)).toBe(`feat: raise the value|Dispatch <dispatch@localhost>|${node.base}`);
  expect(["Task", "Attempt", "Spec-Digest", "Executor", "Tokens"].map(trailer)).toEqual(["demo/S01-value", job.attempt, "sha256:abc", "script", ""]);

  const held = await host.call("salvage", { attempt: job.attempt });
  expect(held).toEqual({ tip, salvage: null });
  expect(node.git("rev-parse", `refs/dispatch/result/${job.attempt}`)).toBe(tip);
  expect(node.git("rev-parse", `refs/dispatch/salvage/${job.attempt}`)).toBe(tip);
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual(held);

  await host.call("discard", { attempt: job.attempt, held });
  await host.call("discard", { attempt: job.attempt, held });
  expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
  expect(node.git("for-each-ref", "refs/heads/dispatch", checkpoint)).toBe("");
  expect(node.git("worktree", "list", "--porcelain")).not.toContain(job.attempt);
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual(held);
  expect(JSON.parse(node.read(`attempts/${job.attempt}/status.json`)).outcome.kind).toBe("succeeded");
  expect(await host.call("tail", { attempt: job.attempt, file: "verify", from: 0 })).toEqual({ text: "verified\n", next: 9, round: 1 });
});

test("a red verify leads to a second round whose prompt holds the first prompt and what was found", async () => {
  const script = `echo "$DISPATCH_ROUND $DISPATCH_ATTEMPT" >> "$OUT"; cat "$DISPATCH_PROMPT_FILE" > "$OUT.$DISPATCH_ROUND"; if [ "$DISPATCH_ROUND" = 1 ]; then echo wrong > lib/value.js; else ${raise}; fi`;
  const out = join(node.home, "seen");
  const { job, outcome, facts } = await runToEnd({
    executor: { name: "script", command: ["sh", "-c", script], prompt: "file", timeoutSeconds: 30, env: { OUT: out } },
    verify: [verify("grep -q 'value = 2' lib/value.js || { echo the value is wrong; exit 4; }")],
  });
  expect(succeeded(outcome).rounds).toBe(2);
  expect(blocking(checkedIn(facts, 1).findings)).toContain("G01");
  expect(checkedIn(facts, 2).findings).toEqual([]);
  expect(readFileSync(out, "utf8")).toBe(`1 ${job.attempt}\n2 ${job.attempt}\n`);
  expect(readFileSync(`${out}.1`, "utf8")).toBe(job.prompt);
  const second = readFileSync(`${out}.2`, "utf8");
  expect(second.startsWith(job.prompt)).toBe(true);
  expect(second).toContain("the value is wrong");
});

test.each([
  ["nothing", "true", ["G04"]],
  [
    "a TODO, a file out of scope and conflict markers",
    "printf '// TODO later\\n<<<<<<< a\\n=======\\n>>>>>>> b\\n' > lib/value.js; echo x > elsewhere.txt",
    ["G02", "G03", "G07"],
  ],
])("%s: caught in every round, and after the last the attempt is exhausted", async (_, script, gates) => {
  const { job, outcome, facts } = await runToEnd({ script, maxRounds: 2 });
  if (outcome.kind !== "exhausted") throw new Error(JSON.stringify(outcome));
  expect(outcome.rounds).toBe(2);
  expect(blocking(outcome.findings)).toEqual(expect.arrayContaining(gates));
  expect(blocking(checkedIn(facts, 1).findings)).toEqual(expect.arrayContaining(gates));
  expect(existsSync(join(node.home, "work", job.attempt, "lib"))).toBe(true);
});

test("an empty change succeeds where the spec allows it, with the base as tip", async () => {
  const { outcome } = await runToEnd({ script: "true", spec: { allowEmpty: true } });
  expect(succeeded(outcome).tip).toBe(node.base);
});

test("an agent that is not there makes the attempt unusable, and nothing is verified", async () => {
  const proof = join(node.home, "verify ran");
  const { outcome, facts } = await runToEnd({
    executor: { name: "ghost", command: ["no-such-agent-anywhere", "{prompt}"], prompt: "argument", timeoutSeconds: 5, env: {} },
    verify: [verify('touch "$PROOF"', { env: { PROOF: proof } })],
  });
  expect(outcome.kind).toBe("unusable");
  expect(facts.map((fact) => fact.type)).toEqual(["attempt-started", "round-started", "agent-ended", "attempt-ended"]);
  expect(facts.find((fact) => fact.type === "agent-ended")).toMatchObject({ result: { outcome: "not-started", exitCode: null }, usage: null });
  expect(existsSync(proof)).toBe(false);
});

test("a prompt that is too long for an argument makes the attempt unusable; on standard input it arrives", async () => {
  const prompt = "x".repeat(300_000);
  const argument = await runToEnd({
    prompt,
    executor: { name: "a", command: ["sh", "-c", "true", "{prompt}"], prompt: "argument", timeoutSeconds: 5, env: {} },
  });
  expect(argument.outcome.kind).toBe("unusable");
  const stdin = await runToEnd({
    prompt,
    executor: { name: "s", command: ["sh", "-c", "wc -c > lib/size"], prompt: "stdin", timeoutSeconds: 5, env: {} },
  });
  expect(node.git("show", `${succeeded(stdin.outcome).tip}:lib/size`)).toBe("300000");
});

test("placeholders are replaced in arguments as they are, without a shell and without further meaning", async () => {
  const prompt = "a $HOME `date` 'q' \"d\" $& {promptFile} ü\nline";
  const { outcome } = await runToEnd({
    prompt,
    executor: {
      name: "args",
      command: ["sh", "-c", 'printf %s "$1" > lib/one; cat "$2" > lib/two; [ ! -t 0 ] && [ -z "$(cat)" ]', "sh", "{prompt}", "{promptFile}"],
      prompt: "argument",
      timeoutSeconds: 5,
      env: {},
    },
  });
  const { tip } = succeeded(outcome);
  expect([node.git("show", `${tip}:lib/one`), node.git("show", `${tip}:lib/two`)]).toEqual([prompt, prompt]);
});

test("the environment is the allowed one, and the spec lies beside", async () => {
  process.env["SECRET_OF_THE_NODE"] = "s3cret";
  const own = await node.host();
  delete process.env["SECRET_OF_THE_NODE"];
  const waivers = [{ gate: "G08", paths: ["lib/env"], because: "the token of this very attempt" } as const];
  const job = node.job({
    n: ++n,
    spec: { waivers },
    script: 'env > lib/env; cat "$DISPATCH_SPEC_FILE" > lib/spec; git config user.email > lib/mail',
  });
  await own.call("start", { job });
  const { fact } = await own.ended(job.attempt);
  if (fact.type !== "attempt-ended") throw new Error("not an end");
  const { tip } = succeeded(fact.outcome);
  const env = node.git("show", `${tip}:lib/env`);
  expect(env).not.toContain("s3cret");
  expect(env).toContain(`DISPATCH_TOKEN=${job.token}`);
  expect(env).toMatch(/^PATH=./m);
  expect(node.git("show", `${tip}:lib/spec`)).toBe(job.specText.trim());
  expect(node.git("show", `${tip}:lib/mail`)).toBe("dispatch@localhost");
});

test("tokens count when the agent reports them, summed over rounds, and not when what it wrote is no count", async () => {
  const report = `echo '{"inputTokens": 10, "outputTokens": '$DISPATCH_ROUND'}' > "$DISPATCH_USAGE_FILE"`;
  const { outcome, facts } = await runToEnd({ script: `${report}; [ $DISPATCH_ROUND = 1 ] || ${raise}` });
  expect(facts.filter((fact) => fact.type === "agent-ended").map((fact) => fact.usage)).toEqual([
    { inputTokens: 10, outputTokens: 1 },
    { inputTokens: 10, outputTokens: 2 },
  ]);
  expect(node.git("log", "-1", "--format=%(trailers:key=Tokens,valueonly)", succeeded(outcome).tip)).toBe("20 in, 3 out");
  const bad = await runToEnd({ script: `${raise}; echo '{"inputTokens": -1, "outputTokens": "2"}' > "$DISPATCH_USAGE_FILE"` });
  expect(bad.facts.find((fact) => fact.type === "agent-ended")).toMatchObject({ usage: null });
});

test("an agent's exit code decides nothing and is noted", async () => {
  const { outcome, facts } = await runToEnd({ script: `${raise}; exit 7` });
  expect(outcome.kind).toBe("succeeded");
  expect(facts.find((fact) => fact.type === "agent-ended")).toMatchObject({ result: { outcome: "exited", exitCode: 7 } });
  expect(checkedIn(facts, 1).findings).toMatchObject([{ gate: "agent", severity: "note" }]);
});

test("what the agent committed itself is kept; what it left is added on top", async () => {
  const { outcome } = await runToEnd({ script: `${raise}; git commit -qam mine; echo more > lib/more.js` });
  const { tip } = succeeded(outcome);
  expect(node.git("log", "--format=%s", `${node.base}..${tip}`)).toBe("feat: raise the value\nmine");
  const clean = await runToEnd({ script: `${raise}; git commit -qam mine` });
  expect(node.git("log", "--format=%s", `${node.base}..${succeeded(clean.outcome).tip}`)).toBe("mine");
});

test.each([
  ["goes to a branch of its own", `git checkout -qb feature-x && ${raise} && git commit -qam there`],
  ["detaches", `git checkout -q --detach && ${raise} && git commit -qam there`],
  ["rewrites the base away", `git checkout -q --orphan fresh && git rm -rqf --cached . && ${raise} && git add -A && git commit -qm fresh`, "fresh"],
  ["leaves an unborn branch", `${raise}; git checkout -q --orphan nothing`],
  ["amends the base", `${raise}; git commit -qa --amend -m amended`, "amended"],
  ["removes .git", `${raise}; rm -f .git`],
  ["puts a repository of its own in place", `${raise}; rm -f .git; git init -q . ; git add -A; git -c user.name=a -c user.email=a@a commit -qm own`],
  ["hides its change from git", `${raise}; git update-index --assume-unchanged lib/value.js; git update-index --skip-worktree README.md`],
  ["leaves a lock and a broken index", `${raise}; touch "$(git rev-parse --git-dir)/index.lock"; echo junk > "$(git rev-parse --git-dir)/index"`],
])("an agent that %s still delivers its tree on the branch, above the base", async (_, script, leaves = "") => {
  const { job, outcome } = await runToEnd({ script, maxRounds: 1 });
  const { tip } = succeeded(outcome);
  expect(node.git("rev-parse", `refs/heads/${job.branch}`)).toBe(tip);
  expect(node.git("merge-base", node.base, tip)).toBe(node.base);
  expect(node.git("diff-tree", "-r", "--name-status", "--no-renames", node.base, tip)).toBe("M\tlib/value.js");
  const held = await host.call("salvage", { attempt: job.attempt });
  expect(held.tip).toBe(tip);
  // Commits that the tip does not descend from are all that is left beside it.
  const left = held.salvage === null ? "" : node.git("log", "--format=%s", "--grep=^Salvage of", "--invert-grep", held.salvage, `^${tip}`);
  expect(left).toBe(leaves);
  await host.call("discard", { attempt: job.attempt, held });
  expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
});

test("a change of the same length within the same second is seen", async () => {
  for (let i = 0; i < 2; i++) {
    const { outcome } = await runToEnd({ script: "printf 'export const value = 9;\\n' > lib/value.js" });
    expect(node.git("show", `${succeeded(outcome).tip}:lib/value.js`)).toBe("export const value = 9;");
  }
});

test("what verify writes is taken back and belongs to nobody, in this round and the next", async () => {
  const { job, outcome, facts } = await runToEnd({
    script: `[ $DISPATCH_ROUND = 1 ] || ${raise}; echo kept > lib/other.js; mkdir -p ignored; touch ignored/cache`,
    verify: [
      verify("mkdir -p coverage/a && echo x > coverage/a/b && echo spoiled > README.md && rm .gitignore && echo y > ignored/more"),
      verify("grep -q 'value = 2' lib/value.js"),
    ],
  });
  const { tip, rounds } = succeeded(outcome);
  expect(rounds).toBe(2);
  expect(checkedIn(facts, 2).findings).toMatchObject([{ gate: "agent", severity: "note" }]);
  expect(node.git("diff-tree", "-r", "--name-only", node.base, tip)).toBe("lib/other.js\nlib/value.js");
  const work = join(node.home, "work", job.attempt);
  expect(existsSync(join(work, "coverage"))).toBe(false);
  expect(existsSync(join(work, "ignored", "cache"))).toBe(true);
  expect(readFileSync(join(work, "README.md"), "utf8")).toBe("a project\n");
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual({ tip, salvage: null });
});

test("verify commands that do not exist, stand nowhere or lead outside are red, with what happened", async () => {
  const { outcome, facts } = await runToEnd({
    script: `${raise}; ln -s / lib/out`,
    maxRounds: 1,
    verify: [verify("no-such-command-anywhere"), verify("true", { cwd: "missing" }), verify("true", { cwd: "lib/out/etc" }), verify("kill -9 $$")],
  });
  expect(outcome.kind).toBe("exhausted");
  expect(checkedIn(facts, 1).verify).toMatchObject([
    { outcome: "exited", exitCode: 127 },
    { outcome: "not-started", exitCode: null },
    { outcome: "not-started", exitCode: null },
    { outcome: "killed", signal: "SIGKILL", exitCode: null },
  ]);
});

test("a repository inside the worktree counts as its files", async () => {
  const script = [
    "mkdir -p lib/born lib/full && git init -q lib/born && echo a > lib/born/a.js",
    "git init -q lib/full && echo b > 'lib/full/b ö.js' && ln -s b lib/full/link && chmod +x 'lib/full/b ö.js'",
    "git -C lib/full -c user.name=a -c user.email=a@a add -A && git -C lib/full -c user.name=a -c user.email=a@a commit -qm x",
  ].join("\n");
  const { outcome } = await runToEnd({ script, maxRounds: 1 });
  const listed = node.git("-c", "core.quotePath=false", "ls-tree", "-r", succeeded(outcome).tip, "--", "lib/born", "lib/full");
  expect(listed.split("\n").map((line) => line.replace(/ [0-9a-f]{40}/, ""))).toEqual([
    "100644 blob\tlib/born/a.js",
    "100755 blob\tlib/full/b ö.js",
    "120000 blob\tlib/full/link",
  ]);
});

test("names with spaces, quotes, line breaks and letters beyond ASCII arrive; ignored files do not, unless added by force", async () => {
  const names = ["lib/a b.js", "lib/ünï.js", 'lib/q"uote.js', "lib/line\nbreak.js", "lib/-dash", "lib/:(top)x", "lib/*star"];
  for (const [i, name] of names.entries()) writeFileSync(join(node.home, `name-${i}`), name);
  const script = `i=0; while [ -e "$NAMES/name-$i" ]; do cp "$NAMES/name-$i" "$(cat "$NAMES/name-$i")"; i=$((i+1)); done
mkdir -p lib/ignored; echo no > lib/quiet.log; echo yes > lib/loud.log; git add -f lib/loud.log`;
  const { outcome } = await runToEnd({
    spec: { waivers: [{ gate: "G09", paths: ["lib/loud.log"], because: "added by force, on purpose" }] },
    executor: { name: "names", command: ["sh", "-c", script], prompt: "file", timeoutSeconds: 10, env: { NAMES: node.home } },
  });
  const listed = node.git("diff-tree", "-r", "-z", "--name-only", node.base, succeeded(outcome).tip).split("\0").filter(Boolean);
  expect(listed.sort()).toEqual([...names, "lib/loud.log"].sort());
});
