import type { CommandResult, NodeSnapshot, VerifyJob } from "@dispatch/core";
import type { BaseView } from "@dispatch/git";
import { expect, it } from "vitest";
import { anOid } from "../../../../test/kit/build-facts.ts";
import { createFakeFactory, greenRun, redRun } from "../../../../test/kit/fake-factory.ts";
import { runOnNode } from "./run-on-node.ts";

const base: BaseView = { revision: anOid(1), tree: anOid(2), listFiles: async () => [], readFiles: async () => new Map(), checkOut: async () => {} };
const verify = [{ run: "check", cwd: ".", timeoutSeconds: 60, env: {} }];

function poolOf(nodes: readonly NodeSnapshot[], results: readonly CommandResult[]) {
  const jobs: { node: string; job: VerifyJob }[] = [];
  const sent: string[] = [];
  const run = runOnNode({
    nodes: {
      nodes: () => nodes,
      prepareRepository: async (node, project) => `/${node}/${project}.git`,
      runVerify: async (node, job) => {
        jobs.push({ node, job });
        return results;
      },
    },
    repositories: { sendCommit: async (_, commit, url) => void sent.push(`${commit} ${url}`) },
  });
  return { jobs, sent, run: () => run("shop", base, verify) };
}

const { node } = createFakeFactory();
const down: NodeSnapshot = { ...node, id: "gone", status: { kind: "down", because: "off", since: 0 } };
const low: NodeSnapshot = { ...node, id: "low", lowPriority: true };

it.each<[string, readonly CommandResult[], string]>([
  ["all green", [greenRun, greenRun], "passes"],
  ["one red", [greenRun, redRun], "fails"],
  ["killed", [{ ...greenRun, outcome: "killed", exitCode: null, signal: "SIGSEGV" }], "fails"],
  ["a folder that is not there yet", [{ ...greenRun, outcome: "not-started", exitCode: null }], "fails"],
  ["out of time", [greenRun, { ...greenRun, outcome: "timed-out", exitCode: null }], "not-run"],
])("%s", async (_, results, expected) => {
  expect(await poolOf([node], results).run()).toBe(expected);
});

it("runs exactly the base, on a node that is up, rather not on one of low priority; the same again under the same name", async () => {
  const pool = poolOf([down, low, node], [greenRun]);
  await pool.run();
  await pool.run();
  expect(pool.jobs.map(({ node: id, job }) => [id, job.commit, job.verify])).toEqual(Array(2).fill(["local", anOid(1), verify]));
  expect(new Set(pool.jobs.map(({ job }) => job.id)).size).toBe(1);
  expect(pool.sent[0]).toBe(`${anOid(1)} /local/shop.git`);
  expect(await poolOf([down, low], [greenRun]).run()).toBe("passes");
  expect(await poolOf([down], [greenRun]).run()).toBe("not-run");
});
