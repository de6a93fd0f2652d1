import { existsSync } from "node:fs";
import { type AcceptanceResult, type CommandResult, FactoryError, type Finding, hasBlocking, type Oid, type TestName } from "@dispatch/core";
import { blobsToRead, type Change, type GateInput, judgeChange, judgeFailToPass, judgeVerify, parseDiff, testsToProve } from "@dispatch/gates";
import { type CapturedTree, captureTree, type Workspace } from "../git/capture-tree.ts";
import { readBlobs, sizesOf } from "../git/read-blobs.ts";
import { runGit } from "../git/run-git.ts";
import { mixTree } from "../git/swap-tree.ts";
import { headOf } from "../git/workspace.ts";
import { unheldFindings } from "./hold-limits.ts";
import { runAcceptance } from "./run-acceptance.ts";
import { runOnTree } from "./run-on-tree.ts";
import type { CommandPlace } from "./run-verify-commands.ts";
import { type SeenTree, type VerifiedRound, verifyRound } from "./verify-round.ts";
import { throwIfStopped, waitForRoom } from "./wrapper.ts";

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
  /** What the commands of the acceptance items returned, where they were run. */
  acceptance: readonly AcceptanceResult[];
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
  const shown = await judgeShown(place, verified, await readChange(place, { raw: captured.raw ?? "", patch: patch ?? "" }));
  const remarks = [...agent.remarks, ...verified.remarks, ...shown.remarks];
  const unheld = wrapper.group === null ? [] : unheldFindings(wrapper.group);
  const produced = verified.produced.length === 0 ? [] : [producedByVerify(verified.produced)];
  const large = patch === undefined ? [tooLarge] : [];
  const findings = [...shown.findings, ...large, ...remarksOn(agent.result), ...remarks, ...unheld, ...produced];
  const { verify, flaky } = verified;
  return { captured, head, verify, flaky, acceptance: shown.acceptance, findings, remarks };
}

interface ShownChange {
  changes: readonly Change[];
  /** Those blobs that the gates want whole. */
  texts: ReadonlyMap<Oid, string>;
}

async function readChange(
  { wrapper, workspace: { repository } }: CommandPlace,
  { raw, patch }: { raw: string; patch: string },
): Promise<ShownChange> {
  const sizes = await sizesOf(repository, raw);
  const changes = parseDiff({ raw, patch, sizes });
  return { changes, texts: await readBlobs(repository, blobsToRead(changes, wrapper.job.gates.contracts), sizes) };
}

interface Shown {
  findings: readonly Finding[];
  acceptance: readonly AcceptanceResult[];
  remarks: readonly Finding[];
}

/**
 * Everything the gates say. The acceptance items are run when verify is green, and the tests on the base sources when
 * nothing else is left to mend: neither says anything about what is red.
 */
async function judgeShown(place: CommandPlace, verified: VerifiedRound, { changes, texts }: ShownChange): Promise<Shown> {
  const { spec, gates } = place.wrapper.job;
  const { verify, baseline, flaky } = verified;
  const input: GateInput = { spec, changes, texts, verify, policy: gates, flaky, ...(baseline === undefined ? {} : { baseline }) };
  const green = !hasBlocking(judgeVerify(input));
  const { acceptance, remarks } = green ? await runAcceptance(place, verify) : { acceptance: [], remarks: [] };
  const findings = judgeChange({ ...input, acceptance });
  const tests = hasBlocking(findings) ? [] : testsToProve(input);
  if (tests.length === 0) return { findings, acceptance, remarks };
  const { job } = place.wrapper;
  const laid = tests.map(({ path, newMode, newOid }) => ({ path, mode: newMode, oid: newOid }));
  const proof = await runOnTree(place, verified.tree, () => mixTree(place.workspace, job.base, laid), "tests on the base sources");
  throwIfStopped(place.wrapper);
  return { findings: [...findings, ...judgeFailToPass(proof === undefined ? {} : { proof })], acceptance, remarks };
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
