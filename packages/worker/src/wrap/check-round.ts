import { existsSync } from "node:fs";
import { type CommandResult, FactoryError, type Finding, type TestName } from "@dispatch/core";
import { judgeChange, parseDiff } from "@dispatch/gates";
import { type CapturedTree, captureTree, type Workspace } from "../git/capture-tree.ts";
import { runGit } from "../git/run-git.ts";
import { headOf } from "../git/workspace.ts";
import { unheldFindings } from "./hold-limits.ts";
import type { CommandPlace } from "./run-verify-commands.ts";
import { type SeenTree, type VerifiedRound, verifyRound } from "./verify-round.ts";
import { type Wrapper, waitForRoom } from "./wrapper.ts";

const patchLimitBytes = 64 * 1024 * 1024;

/** What the agent's part of the round gives to judge. */
export interface AgentPart {
  result: CommandResult;
  remarks: readonly Finding[];
}

export interface CheckedRound {
  captured: CapturedTree;
  head: string | undefined;
  verify: readonly CommandResult[];
  /** Tests that were red and then green on this tree. */
  flaky: readonly TestName[];
  findings: readonly Finding[];
  /** Those among them that a limit of the node caused. */
  remarks: readonly Finding[];
}

/**
 * Judges what is in the worktree. The tree is taken before the verify commands run, and taken back to after them:
 * what they produce is not the agent's, neither now nor in the next round.
 */
export async function checkRound(place: CommandPlace, agent: AgentPart, before: SeenTree | null): Promise<CheckedRound> {
  const { wrapper, workspace } = place;
  if (!existsSync(workspace.worktree)) throw new FactoryError("NODE_FAILED", "the worktree was deleted");
  const captured = await waitForRoom(wrapper, () => captureTree(workspace, undefined));
  const head = await headOf(workspace.adminDir, workspace.repository);
  const patch = captured.raw === "" ? "" : await patchOf(workspace, captured.tree);
  const verified = await verifyRound(place, captured.tree, before);
  const remarks = [...agent.remarks, ...verified.remarks];
  const unheld = wrapper.group === null ? [] : unheldFindings(wrapper.group);
  const produced = verified.produced.length === 0 ? [] : [producedByVerify(verified.produced)];
  const findings = [...judged(wrapper, captured, patch, verified), ...remarksOn(agent.result), ...remarks, ...unheld, ...produced];
  return { captured, head, verify: verified.verify, flaky: verified.flaky, findings, remarks };
}

function judged(wrapper: Wrapper, captured: CapturedTree, patch: string | undefined, verified: VerifiedRound): readonly Finding[] {
  const { spec, gates } = wrapper.job;
  const { verify, baseline, flaky } = verified;
  const changes = parseDiff({ raw: captured.raw ?? "", patch: patch ?? "" });
  const findings = judgeChange({ spec, changes, verify, policy: gates, flaky, ...(baseline === undefined ? {} : { baseline }) });
  return patch === undefined ? [...findings, tooLarge] : findings;
}

/** The change as text; undefined when it is too large to be read. */
async function patchOf(workspace: Workspace, tree: string): Promise<string | undefined> {
  const flags = ["-r", "-p", "-U0", "--no-renames", "--no-abbrev", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color"];
  try {
    const args = ["diff-tree", ...flags, "--src-prefix=a/", "--dst-prefix=b/", workspace.base, tree];
    return (await runGit(args, { gitDir: workspace.repository, maxBytes: patchLimitBytes })).toString("utf8");
  } catch (error) {
    if (error instanceof FactoryError && error.facts["tooLarge"] === true) return undefined;
    throw error;
  }
}

const tooLarge: Finding = {
  gate: "agent",
  severity: "block",
  found: "more than 64 MiB of changed text",
  why: "a change of this size cannot be judged",
  hint: "Remove generated or vendored files from the change, or add them to .gitignore.",
};

function remarksOn(agent: CommandResult): Finding[] {
  if (agent.outcome === "exited" && agent.exitCode === 0) return [];
  const ended =
    agent.outcome === "exited" ? `ended with exit code ${agent.exitCode}` : agent.outcome === "timed-out" ? "ran out of time" : "was killed";
  return [
    {
      gate: "agent",
      severity: "note",
      found: `the agent ${ended}${agent.signal === null ? "" : ` (${agent.signal})`}`,
      why: "an agent's own exit decides nothing, but it may explain what is missing",
      hint: "See the agent's log.",
    },
  ];
}

function producedByVerify(paths: readonly string[]): Finding {
  const named = paths.slice(0, 10).join(", ") + (paths.length > 10 ? ` and ${paths.length - 10} more` : "");
  return {
    gate: "agent",
    severity: "note",
    found: `the verify command changed ${named}`,
    why: "what a verify command writes is not part of the agent's change and was taken back",
    hint: "Ignore what the command produces in .gitignore.",
  };
}
