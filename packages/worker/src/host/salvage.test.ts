import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AttemptJob, Salvage } from "@dispatch/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { makeNode, type TestNode } from "../test-kit/node-home.ts";

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

/** Runs an agent whose work is red, so that all of it stays uncommitted. */
async function leave(script: string): Promise<{ job: AttemptJob; work: string }> {
  const job = node.job({ n: ++n, script: `${script}\necho outside > out-of-scope.txt`, maxRounds: 1 });
  await host.call("start", { job });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "exhausted" } });
  return { job, work: join(node.home, "work", job.attempt) };
}

const salvage = async (job: AttemptJob) => await host.call("salvage", { attempt: job.attempt });

const adminDirOf = (work: string): string =>
  readFileSync(join(work, ".git"), "utf8")
    .replace(/^gitdir: /, "")
    .trim();

function changes(held: Salvage): string[] {
  return node
    .git("diff-tree", "-r", "-z", "--name-status", "--no-renames", held.tip ?? "", held.salvage ?? "")
    .split("\0")
    .filter(Boolean);
}

test("untracked, binary, changed, deleted, staged, linked and executable files are salvaged; ignored ones are not", async () => {
  const { job } = await leave(
    [
      "mkdir -p 'lib/deep/ö ä' ignored && echo u > 'lib/deep/ö ä/untracked'",
      "head -c 100000 /dev/urandom > lib/binary; cp lib/binary /dev/null",
      "rm README.md; echo changed > lib/value.js",
      "echo staged > lib/staged; git add lib/staged",
      "ln -s nowhere lib/link; echo '#!/bin/sh' > lib/run; chmod +x lib/run",
      "echo i > ignored/i; echo l > some.log; : > lib/empty",
    ].join("\n"),
  );
  const held = await salvage(job);
  expect(held.tip).toBe(node.base);
  expect(changes(held)).toEqual(
    [
      ["D", "README.md"],
      ["A", "lib/binary"],
      ["A", "lib/deep/ö ä/untracked"],
      ["A", "lib/empty"],
      ["A", "lib/link"],
      ["A", "lib/run"],
      ["A", "lib/staged"],
      ["M", "lib/value.js"],
      ["A", "out-of-scope.txt"],
    ].flat(),
  );
  expect(
    node
      .git("ls-tree", held.salvage ?? "", "lib/link", "lib/run")
      .split("\n")
      .map((line) => line.slice(0, 6)),
  ).toEqual(["120000", "100755"]);
  expect(node.git("rev-parse", `refs/dispatch/salvage/${job.attempt}`)).toBe(held.salvage);
  expect(node.git("rev-parse", `${held.salvage}^`)).toBe(held.tip);
  expect(await salvage(job)).toEqual(held);
  await host.call("discard", { attempt: job.attempt, held });
  expect(await salvage(job)).toEqual(held);
});

/** Text of a file as the attempt had staged it, from the commit of its index. */
function staged(held: Salvage, path: string): string {
  const parents = node.git("rev-parse", `${held.salvage}^@`).split("\n");
  expect(parents[0]).toBe(held.tip);
  expect(node.git("log", "-1", "--format=%s", parents.at(-1) ?? "")).toMatch(/^Index of /);
  return node.git("show", `${parents.at(-1)}:${path}`);
}

test("what was staged is held, also where the worktree holds something else or nothing any more", async () => {
  const { job } = await leave("echo staged > lib/both; echo kept > lib/gone; git add lib; echo later > lib/both; rm lib/gone");
  const held = await salvage(job);
  expect(node.git("show", `${held.salvage}:lib/both`)).toBe("later");
  expect([staged(held, "lib/both"), staged(held, "lib/gone")]).toEqual(["staged", "kept"]);
  expect(await salvage(job)).toEqual(held);
  await host.call("discard", { attempt: job.attempt, held });
});

test("an index alone is work, when the worktree is as it was committed", async () => {
  const job = node.job({ n: ++n, script: "echo other > lib/value.js; git add lib; echo 'export const value = 1;' > lib/value.js", maxRounds: 1 });
  await host.call("start", { job });
  await host.ended(job.attempt);
  const held = await salvage(job);
  expect(node.git("rev-parse", `${held.salvage}^{tree}`)).toBe(node.git("rev-parse", `${held.tip}^{tree}`));
  expect(staged(held, "lib/value.js")).toBe("other");
  await host.call("discard", { attempt: job.attempt, held });
});

test("an attempt in the middle of a merge leaves both sides, and a broken index keeps nothing from being salvaged", async () => {
  const side = (text: string) => `echo ${text} > lib/value.js; git commit -qam ${text}`;
  const { job, work } = await leave(
    `git checkout -q --detach; ${side("mine")}; git checkout -q --detach HEAD^; ${side("other")}; git merge -q HEAD@{2} || true`,
  );
  const held = await salvage(job);
  expect([staged(held, "lib/value.js~ours"), staged(held, "lib/value.js~theirs")]).toEqual(["other", "mine"]);
  writeFileSync(join(adminDirOf(work), "index"), "no index at all, and longer than a checksum");
  const again = await salvage(job);
  expect(node.git("rev-parse", `${again.salvage}^{tree}`)).toBe(node.git("rev-parse", `${held.salvage}^{tree}`));
  await host.call("discard", { attempt: job.attempt, held: again });
});

test("a history that the agent threw away is held beside the result", async () => {
  const script = [
    "git checkout -q --orphan other; git commit -qm 'a history of its own'",
    "echo 'export const value = 2;' > lib/value.js; git commit -qam 'the value is 2'",
  ];
  const job = node.job({ n: ++n, script: script.join("\n"), maxRounds: 1 });
  await host.call("start", { job });
  expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  const held = await salvage(job);
  expect(node.git("rev-parse", `${held.tip}^`)).toBe(node.base);
  expect(node.git("log", "--format=%s", `${held.salvage}`).split("\n")).toContain("a history of its own");
  await host.call("discard", { attempt: job.attempt, held });
});

test("discarding refuses what is not held, whatever is new, until it was salvaged", async () => {
  const { job, work } = await leave("true");
  const attempt = job.attempt;
  const first = await salvage(job);
  for (const held of [
    { tip: null, salvage: null },
    { tip: first.tip, salvage: null },
    { tip: first.tip, salvage: first.tip },
  ]) {
    expect(await host.refusal("discard", { attempt, held })).toMatchObject({ code: "SALVAGE_CHANGED" });
  }
  writeFileSync(join(work, "late.txt"), "late");
  expect(await host.refusal("discard", { attempt, held: first })).toMatchObject({ code: "SALVAGE_CHANGED" });
  expect(readFileSync(join(work, "late.txt"), "utf8")).toBe("late");
  const second = await salvage(job);
  expect(second.salvage).not.toBe(first.salvage);
  writeFileSync(join(work, "late.txt"), "LATE");
  expect(await host.refusal("discard", { attempt, held: second })).toMatchObject({ code: "SALVAGE_CHANGED" });
  const third = await salvage(job);
  await host.call("discard", { attempt, held: third });
  expect(existsSync(work)).toBe(false);
  expect(node.git("show", `${third.salvage}:late.txt`)).toBe("LATE");
});

test("new commits are noticed, on the branch and beside it", async () => {
  const { job } = await leave(
    "git commit -q --allow-empty -m one; git checkout -q --detach; git commit -q --allow-empty -m two; git checkout -q HEAD^^",
  );
  const held = await salvage(job);
  expect(held.tip).toBe(node.base);
  expect(node.git("log", "--format=%s", `${node.base}..${held.salvage}`).split("\n")).toContain("one");
  await host.call("discard", { attempt: job.attempt, held });
});

test("nothing is salvaged or discarded while the attempt runs", async () => {
  const job = node.job({ n: ++n, script: "sleep 1020" });
  await host.call("start", { job });
  expect(await host.refusal("salvage", { attempt: job.attempt })).toMatchObject({ code: "SESSION_FAILED", retry: "later" });
  expect(await host.refusal("discard", { attempt: job.attempt, held: { tip: node.base, salvage: null } })).toMatchObject({ code: "SESSION_FAILED" });
  await host.call("stop", { attempt: job.attempt, because: "done", cursor: 0 });
  const held = await salvage(job);
  expect(held).toEqual({ tip: node.base, salvage: null });
  expect(node.git("rev-parse", `refs/dispatch/salvage/${job.attempt}`)).toBe(node.base);
  await host.call("discard", { attempt: job.attempt, held });
});

test("an attempt nobody knows leaves nothing", async () => {
  expect(await host.call("salvage", { attempt: "demo--S09-none--1" })).toEqual({ tip: null, salvage: null });
  await host.call("discard", { attempt: "demo--S09-none--1", held: { tip: null, salvage: null } });
});

test("a discard that was cut off in the middle goes on", async () => {
  const { job, work } = await leave("mkdir lib/a && echo x > lib/a/b");
  const held = await salvage(job);
  // As a host leaves it that is killed between the two steps, or within the second.
  const moved = join(node.home, "work", `.discarded-${job.attempt}`);
  renameSync(work, moved);
  rmSync(join(moved, "lib"), { recursive: true });
  expect(await salvage(job)).toEqual(held);
  await host.call("discard", { attempt: job.attempt, held });
  expect(existsSync(moved)).toBe(false);
  expect(node.git("for-each-ref", `refs/heads/${job.branch}`)).toBe("");
  expect(node.git("worktree", "list", "--porcelain")).not.toContain(job.attempt);
});

test("a discard that was cut off while it removed what git knows of the worktree goes on too, and touches no other one", async () => {
  const { job, work } = await leave("echo x > lib/x");
  const other = await leave("echo y > lib/y");
  const held = await salvage(job);
  const [adminDir, otherDir] = [adminDirOf(work), adminDirOf(other.work)];
  rmSync(work, { recursive: true });
  rmSync(join(adminDir, "gitdir"));
  // It had no time to write down which folder that is, or the record is lost with the disk.
  rmSync(join(node.home, "attempts", job.attempt, "worktree.json"));
  await host.call("discard", { attempt: job.attempt, held });
  expect([existsSync(adminDir), existsSync(otherDir)]).toEqual([false, true]);
  await host.call("discard", { attempt: other.job.attempt, held: await salvage(other.job) });
  expect(existsSync(otherDir)).toBe(false);
});

test("what the agent did to git itself does not keep anything from being salvaged", async () => {
  const { job, work } = await leave("true");
  rmSync(join(work, ".git"));
  mkdirSync(join(work, ".git"));
  mkdirSync(join(work, "closed"));
  writeFileSync(join(work, "closed", "file"), "behind a door");
  symlinkSync("/etc/passwd", join(work, "passwd"));
  chmodSync(join(work, "closed"), 0);
  const held = await salvage(job);
  expect(node.git("show", `${held.salvage}:closed/file`)).toBe("behind a door");
  expect(node.git("show", `${held.salvage}:passwd`)).toBe("/etc/passwd");
  await host.call("discard", { attempt: job.attempt, held });
  expect(existsSync(work)).toBe(false);
  expect(existsSync("/etc/passwd")).toBe(true);
});

test("log pieces put together give the log, by round and from its end", async () => {
  const script = 'i=0; while [ $i -lt 3000 ]; do echo "round $DISPATCH_ROUND line $i äöü"; i=$((i+1)); done';
  const job = node.job({ n: ++n, script, maxRounds: 2 });
  await host.call("start", { job });
  await host.ended(job.attempt);
  let text = "";
  let at = { next: 0, round: 1 };
  for (let i = 0; i < 50; i++) {
    const piece = await host.call("tail", { attempt: job.attempt, file: "agent", from: at.next, round: at.round });
    if (piece.text === "") break;
    text += piece.text;
    at = piece;
  }
  const expected = [1, 2].map((round) => node.read(`attempts/${job.attempt}/agent-${round}.log`)).join("");
  expect(text).toBe(expected);
  expect(expected.split("\n")).toHaveLength(6001);
  const end = await host.call("tail", { attempt: job.attempt, file: "agent", from: -20 });
  expect(end).toMatchObject({ round: 2 });
  expect(expected.endsWith(end.text)).toBe(true);
  expect(end.text.length).toBeGreaterThan(10);
});

test("locks that a killed git left are no obstacle", async () => {
  const { job } = await leave("true");
  const repository = join(node.home, "repos", "demo.git");
  const locks = [`refs/heads/${job.branch}.lock`, `refs/dispatch/result/${job.attempt}.lock`, "packed-refs.lock"].map((name) =>
    join(repository, name),
  );
  node.git("pack-refs", "--all");
  const old = new Date(Date.now() - 60_000);
  for (const lock of locks) {
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, "");
    utimesSync(lock, old, old);
  }
  const held = await salvage(job);
  await host.call("discard", { attempt: job.attempt, held });
  expect(node.git("for-each-ref", `refs/heads/${job.branch}`)).toBe("");
  expect(node.git("rev-parse", `refs/dispatch/salvage/${job.attempt}`)).toBe(held.salvage);
});
