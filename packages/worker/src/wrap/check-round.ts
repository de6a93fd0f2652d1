import { existsSync } from "node:fs";
import { type CommandResult, FactoryError, type Finding } from "@dispatch/core";
import { blobsToRead, judgeChange, parseDiff } from "@dispatch/gates";
import { type CapturedTree, captureTree, type Workspace } from "../git/capture-tree.ts";
import { readBlobs, sizesOf } from "../git/read-blobs.ts";
import { restoreTree } from "../git/restore-tree.ts";
import { runGit } from "../git/run-git.ts";
import { headOf } from "../git/workspace.ts";
import { startVerify } from "../process/run-verify.ts";
import { type RoundLimits, unheldFindings } from "./hold-limits.ts";
import { supervise, throwIfStopped, type Wrapper, waitForRoom } from "./wrapper.ts";

const patchLimitBytes = 64 * 1024 * 1024;
const paneBytesOfVerify = 256 * 1024;

/** What the agent's part of the round gives to judge. */
export interface AgentPart {
  result: CommandResult;
  remarks: readonly Finding[];
  limits: RoundLimits;
}

export interface CheckedRound {
  captured: CapturedTree;
  head: string | undefined;
  verify: readonly CommandResult[];
  findings: readonly Finding[];
  /** Those among them that a limit of the node caused. */
  remarks: readonly Finding[];
}

/**
 * Judges what is in the worktree. The tree is taken before the verify commands run, and taken back to after them:
 * what they produce is not the agent's, neither now nor in the next round.
 */
export async function checkRound(wrapper: Wrapper, workspace: Workspace, round: number, agent: AgentPart): Promise<CheckedRound> {
  if (!existsSync(workspace.worktree)) throw new FactoryError("NODE_FAILED", "the worktree was deleted");
  const captured = await waitForRoom(wrapper, () => captureTree(workspace, undefined));
  const head = await headOf(workspace.adminDir, workspace.repository);
  const patch = captured.raw === "" ? "" : await patchOf(workspace, captured.tree);
  const verify: CommandResult[] = [];
  const remarks = [...agent.remarks];
  for (const command of wrapper.job.verify) {
    wrapper.pane.say(`verify: ${command.run}`);
    let room = paneBytesOfVerify;
    const onOutput = (chunk: Buffer): void => {
      if (room > 0) wrapper.pane.copy(chunk.subarray(0, room));
      room -= chunk.length;
    };
    const { files, job, since } = wrapper;
    const place = { root: workspace.worktree, token: job.token, since, fifo: files.fifo, log: files.verifyLog(round), onOutput };
    const group = wrapper.group === null ? {} : { group: wrapper.group };
    const ran = await supervise(wrapper, () => startVerify(command, { ...place, ...group, allowance: agent.limits.allowance }));
    const { startError: _, tooMuch: __, ...result } = ran;
    verify.push(result);
    remarks.push(...agent.limits.after(ran, `verify command ${command.run}`));
  }
  throwIfStopped(wrapper);
  const produced = verify.length === 0 ? [] : await waitForRoom(wrapper, () => restoreTree(workspace));
  const unheld = wrapper.group === null ? [] : unheldFindings(wrapper.group);
  const beside = [...remarksOn(agent.result), ...remarks, ...unheld, ...(produced.length === 0 ? [] : [producedByVerify(produced)])];
  return {
    captured,
    head,
    verify,
    findings: [...(await judged(wrapper, workspace, { raw: captured.raw ?? "", patch }, verify)), ...beside],
    remarks,
  };
}

async function judged(
  wrapper: Wrapper,
  { repository }: Workspace,
  { raw, patch }: { raw: string; patch: string | undefined },
  verify: readonly CommandResult[],
): Promise<readonly Finding[]> {
  const { spec, gates } = wrapper.job;
  const sizes = await sizesOf(repository, raw);
  const changes = parseDiff({ raw, patch: patch ?? "", sizes });
  const texts = await readBlobs(repository, blobsToRead(changes, gates.contracts), sizes);
  const findings = judgeChange({ spec, changes, texts, verify, policy: gates });
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
