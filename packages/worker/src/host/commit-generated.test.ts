import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

let node: TestNode;
let host: HostClient;
const ref = "refs/dispatch/generated/0";

beforeAll(async () => {
  node = await makeNode();
  host = await node.host();
  await host.call("hello", { cursors: {} });
});
afterAll(() => node.close());

const generate = (id: string, run: string, paths: readonly string[]) =>
  host.call("generate", { id, project: "demo", commit: node.base, bay: 0, files: [{ paths, command: verify(run) }] });
const changedBy = (commit: string | null): string[] => node.git("diff-tree", "-r", "--name-status", node.base, commit ?? "").split("\n");

test("what a command wrote of its files is a commit on the job's, and nothing else that it left", async () => {
  const { results, commit } = await generate(
    "1",
    "echo made > lock.json; mkdir -p 'gen ä'; echo x > 'gen ä/x'; rm lib/value.js; echo stray > README.md",
    ["lock.json", "gen*/**", "lib/value.js"],
  );
  expect(results).toMatchObject([{ outcome: "exited", exitCode: 0 }]);
  expect(changedBy(commit)).toEqual(['A\t"gen \\303\\244/x"', "D\tlib/value.js", "A\tlock.json"]);
  expect(node.git("log", "-1", "--format=%P", commit ?? "")).toBe(node.base);
  expect(node.git("rev-parse", ref)).toBe(commit);
});

test("nothing of one job is left for the next; a command that changes nothing gives the same tree", async () => {
  const { commit } = await generate("2", "test ! -e lock.json && test -e lib/value.js", ["lock.json"]);
  expect(changedBy(commit)).toEqual([""]);
  expect(node.git("rev-parse", ref)).toBe(commit);
});

test("a command that fails makes no commit", async () => {
  const before = node.git("rev-parse", ref);
  const { results, commit } = await generate("3", "echo half > lock.json; echo no network; exit 7", ["lock.json"]);
  expect(results).toMatchObject([{ outcome: "exited", exitCode: 7, outputTail: "no network\n" }]);
  expect(commit).toBeNull();
  expect(node.git("rev-parse", ref)).toBe(before);
});

test("a command that takes the worktree's link away makes no commit, and the next job has a worktree again", async () => {
  const { results, commit, problem } = await generate("gone", "rm .git; echo made > lock.json", ["lock.json"]);
  expect(results).toMatchObject([{ outcome: "exited", exitCode: 0 }]);
  expect([commit, problem]).toEqual([null, "the commands took away the .git of their worktree"]);
  expect(changedBy((await generate("after", "echo made > lock.json", ["lock.json"])).commit)).toEqual(["A\tlock.json"]);
});

test("a job that is none is refused", async () => {
  const job = { id: "4", project: "demo", commit: node.base, bay: 0, files: [] };
  for (const bad of [
    { ...job, files: "all" },
    { ...job, commit: "HEAD" },
    { ...job, project: "../x" },
  ])
    expect(await host.refusal("generate", bad as typeof job), JSON.stringify(bad)).toMatchObject({ code: "USAGE" });
});
