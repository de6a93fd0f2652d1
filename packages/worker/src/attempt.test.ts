import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HostClient } from "./test-kit/host-client.ts";
import { makeNode, type TestNode, verify } from "./test-kit/node-home.ts";

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

test("an attempt goes from start to a commit, is salvaged and discarded", async () => {
  const job = node.job({ executor: { ...node.job().executor, env: { EXTRA: "1" } } });
  await host.call("start", { job });
  const ended = await host.ended(job.attempt);
  const facts = host.reportsOf(job.attempt);
  expect(facts.map((report) => report.seq)).toEqual([1, 2, 3, 4, 5]);
  expect(facts.map((report) => report.fact.type)).toEqual(["attempt-started", "round-started", "agent-ended", "round-checked", "attempt-ended"]);
  if (ended.fact.type !== "attempt-ended" || ended.fact.outcome.kind !== "succeeded") throw new Error(JSON.stringify(ended.fact));
  const { tip, base, rounds } = ended.fact.outcome;
  expect({ base, rounds }).toEqual({ base: node.base, rounds: 1 });
  expect(node.git("rev-parse", `refs/heads/${job.branch}`)).toBe(tip);
  expect(node.git("show", `${tip}:lib/value.js`)).toBe("export const value = 2;");
  expect(node.git("log", "-1", "--format=%s|%an|%P|%(trailers:key=Attempt,valueonly)", tip)).toBe(
    `feat: raise the value|Dispatch|${node.base}|${job.attempt}`,
  );

  const held = await host.call("salvage", { attempt: job.attempt });
  expect(held).toEqual({ tip, salvage: null });
  expect(node.git("rev-parse", `refs/dispatch/result/${job.attempt}`)).toBe(tip);
  expect(node.git("rev-parse", `refs/dispatch/salvage/${job.attempt}`)).toBe(tip);
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual(held);

  await host.call("discard", { attempt: job.attempt, held });
  await host.call("discard", { attempt: job.attempt, held });
  expect(existsSync(join(node.home, "work", job.attempt))).toBe(false);
  expect(node.git("for-each-ref", "refs/heads/dispatch")).toBe("");
  expect(node.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(await host.call("salvage", { attempt: job.attempt })).toEqual(held);
  expect(JSON.parse(readFileSync(join(node.home, "attempts", job.attempt, "status.json"), "utf8")).outcome.kind).toBe("succeeded");
  expect((await host.call("tail", { attempt: job.attempt, file: "verify", from: 0 })).text).toBe("verified\n");
});
