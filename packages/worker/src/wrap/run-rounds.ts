import { type AttemptOutcome, type Finding, hasBlocking, type TokenUsage } from "@dispatch/core";
import { composeFeedback } from "@dispatch/gates";
import type { Workspace } from "../git/capture-tree.ts";
import { commitResult } from "../git/commit-result.ts";
import { recordWorkspace } from "../git/workspace.ts";
import { checkRound } from "./check-round.ts";
import { runAgent } from "./run-agent.ts";
import { report, throwIfStopped, type Wrapper, waitForRoom } from "./wrapper.ts";

/** Agent, verify, gates; again with the findings while these block, at most `maxRounds` times. */
export async function runRounds(wrapper: Wrapper, workspace: Workspace): Promise<AttemptOutcome> {
  const { job } = wrapper;
  let prompt = job.prompt;
  let usage: TokenUsage | null = null;
  let previous: readonly Finding[] = [];
  for (let round = 1; ; round++) {
    await report(wrapper, { type: "round-started", round });
    const agent = await runAgent(wrapper, round, prompt);
    const used = agent.outcome === "ran" ? agent.usage : null;
    await report(wrapper, { type: "agent-ended", round, result: agent.result, usage: used });
    if (agent.outcome === "not-started") return { kind: agent.forGood ? "unusable" : "lost", because: agent.because };
    throwIfStopped(wrapper);
    usage = sum(usage, used);
    const { captured, head, verify, findings } = await checkRound(wrapper, workspace, round, agent.result);
    await report(wrapper, { type: "round-checked", round, verify, findings });
    if (!hasBlocking(findings)) {
      const result = { job, tree: captured.tree, changed: captured.raw !== "", head, usage };
      const tip = await waitForRoom(wrapper, () => commitResult(workspace, result));
      await waitForRoom(wrapper, () => recordWorkspace(wrapper.files, workspace.adminDir, false));
      return { kind: "succeeded", tip, base: job.base, rounds: round };
    }
    if (round >= job.maxRounds) return { kind: "exhausted", rounds: round, findings };
    prompt = `${job.prompt}\n\n${composeFeedback({ findings, round: round + 1, maxRounds: job.maxRounds, previous })}`;
    previous = findings;
  }
}

function sum(left: TokenUsage | null, right: TokenUsage | null): TokenUsage | null {
  if (left === null || right === null) return left ?? right;
  return { inputTokens: left.inputTokens + right.inputTokens, outputTokens: left.outputTokens + right.outputTokens };
}
