import { createHash } from "node:crypto";
import type { CommandResult, NodePool, Repositories } from "@dispatch/core";
import type { Preflight } from "@dispatch/spec";
import type { RunOnBase } from "./preflight-specs.ts";

/** Runs commands on the base as a landing would: on a node that is up. Without one nothing is run. */
export function runOnNode(parts: {
  nodes: Pick<NodePool, "nodes" | "prepareRepository" | "runVerify">;
  repositories: Pick<Repositories, "sendCommit">;
}): RunOnBase {
  return async (project, base, verify) => {
    const up = parts.nodes.nodes().filter((node) => node.status.kind === "up");
    const node = up.find((candidate) => !candidate.lowPriority) ?? up[0];
    if (node === undefined) return "not-run";
    const url = await parts.nodes.prepareRepository(node.id, project);
    await parts.repositories.sendCommit(project, base.revision, url);
    const commands = createHash("sha256").update(JSON.stringify(verify)).digest("hex").slice(0, 16);
    return judge(await parts.nodes.runVerify(node.id, { id: `preflight@${base.tree}@${commands}`, project, commit: base.revision, verify, bay: 0 }));
  };
}

/** A folder or program that is not there yet fails as well as a test does; what did not end in time says nothing. */
function judge(results: readonly CommandResult[]): Preflight["outcome"] {
  if (results.some((result) => result.outcome === "timed-out")) return "not-run";
  return results.every((result) => result.outcome === "exited" && result.exitCode === 0) ? "passes" : "fails";
}
