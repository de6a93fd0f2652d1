import type { CommandResult, NodePool, Repositories, VerifyJob } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid } from "../../../test/kit/build-facts.ts";
import { judgeCommit } from "./judge-commit.ts";

const verify = [{ run: "npm test", cwd: ".", timeoutSeconds: 60, env: {} }];
const run = { project: "shop", commit: anOid(5), verify, run: "shop-7@0123" };
const green: CommandResult = { command: "npm test", outcome: "exited", exitCode: 0, signal: null, durationMs: 5, outputBytes: 0, outputTail: "" };

/** Ports with a slot on one node, on which commands return this; with what was asked for, in order. */
function portsThat(results: readonly CommandResult[]) {
  const asked: unknown[] = [];
  const nodes: Pick<NodePool, "prepareRepository" | "runVerify"> = {
    async prepareRepository(node, project) {
      asked.push(["prepare", node, project]);
      return "/node/shop.git";
    },
    async runVerify(node, job: VerifyJob) {
      asked.push(["run", node, job]);
      return results;
    },
  };
  const repositories: Pick<Repositories, "sendCommit"> = {
    async sendCommit(project, commit, url) {
      asked.push(["send", project, commit, url]);
    },
  };
  return {
    asked,
    nodes,
    repositories,
    at: () => {},
    gateSlots: { run: <T>(_: string, act: (slot: { node: string; bay: number }) => Promise<T>) => act({ node: "gpu", bay: 3 }) },
  };
}

describe("the verdict on a commit", () => {
  it.each<[string, CommandResult[], object]>([
    ["every command ended well", [green, green], { kind: "green" }],
    ["one did not", [green, { ...green, exitCode: 1 }], { kind: "red", findings: [{ gate: "G01", severity: "block" }] }],
    ["one was out of time", [{ ...green, outcome: "timed-out", exitCode: null }], { kind: "red" }],
    ["one crashed", [{ ...green, outcome: "killed", exitCode: null, signal: "SIGSEGV" }], { kind: "red" }],
    ["one gave up", [{ ...green, outcome: "killed", exitCode: null, signal: "SIGABRT" }], { kind: "red" }],
    ["one could not be started", [{ ...green, outcome: "not-started", exitCode: null }], { kind: "red" }],
  ])("when %s", async (_, results, expected) => {
    expect(await judgeCommit(portsThat(results), run)).toMatchObject({ ...expected, results });
  });

  it.each(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"])(
    "is none when a command was ended from outside by %s, whatever the others returned",
    async (signal) => {
      const killed: CommandResult = { ...green, outcome: "killed", exitCode: null, signal };
      for (const results of [[killed], [green, killed], [{ ...green, exitCode: 1 }, killed]]) {
        const verdict = await judgeCommit(portsThat(results), run);
        expect(verdict).toEqual({ kind: "broken", because: `\`npm test\` was ended from outside (${signal})` });
      }
    },
  );

  it("is of the commit that was sent there, in the slot's bay, under the run's name", async () => {
    const ports = portsThat([green]);
    await judgeCommit(ports, run);
    expect(ports.asked).toEqual([
      ["prepare", "gpu", "shop"],
      ["send", "shop", anOid(5), "/node/shop.git"],
      ["run", "gpu", { id: "shop-7@0123", project: "shop", commit: anOid(5), verify, bay: 3 }],
    ]);
  });
});
