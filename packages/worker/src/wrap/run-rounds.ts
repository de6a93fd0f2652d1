import { type AttemptOutcome, type Finding, hasBlocking, isFactoryError, type WrapperFact } from "@dispatch/core";
import { composeFeedback } from "@dispatch/gates";
import type { Workspace } from "../git/capture-tree.ts";
import { commitResult } from "../git/commit-result.ts";
import { keepCheckpoint } from "../git/keep-checkpoint.ts";
import { recordWorkspace } from "../git/workspace.ts";
import { type CheckedRound, checkRound } from "./check-round.ts";
import { limitsOfRound } from "./hold-limits.ts";
import { noticesText } from "./read-notices.ts";
import { runAgent } from "./run-agent.ts";
import { addSpent, nothingSpent, usedUp } from "./spend-limits.ts";
import type { SeenTree } from "./verify-round.ts";
import { report, throwIfStopped, type Wrapper, waitForRoom } from "./wrapper.ts";

/** Agent, verify, gates; again with the findings while these block, at most `maxRounds` times and within the limits of the spec. */
export async function runRounds(wrapper: Wrapper, workspace: Workspace): Promise<AttemptOutcome> {
  const { job } = wrapper;
  let prompt = job.prompt;
  let spent = nothingSpent;
  let previous: readonly Finding[] = [];
  let before: SeenTree | null = null;
  for (let round = 1; ; round++) {
    await report(wrapper, { type: "round-started", round });
    const limits = limitsOfRound(wrapper);
    const agent = await runAgent(wrapper, round, prompt + noticesText(wrapper.files), limits);
    const used = agent.outcome === "ran" ? agent.spent : nothingSpent;
    await report(wrapper, { type: "agent-ended", round, result: agent.result, usage: used.usage });
    if (agent.outcome === "not-started") return { kind: agent.forGood ? "unusable" : "lost", because: agent.because };
    throwIfStopped(wrapper);
    spent = addSpent(spent, used);
    const part = { result: agent.result, remarks: agent.remarks };
    const checked = await checkRound({ wrapper, workspace, round, limits }, part, before);
    const { captured, head, verify, findings, remarks } = checked;
    before = { tree: captured.tree, verify };
    await keepCheckpointIfPossible(wrapper, workspace, round, captured.tree);
    await report(wrapper, { type: "round-checked", round, verify, findings, ...kept(checked) });
    if (!hasBlocking(findings)) {
      const result = { job, tree: captured.tree, changed: captured.raw !== "", head, usage: spent.usage };
      const tip = await waitForRoom(wrapper, () => commitResult(workspace, result));
      await waitForRoom(wrapper, () => recordWorkspace(wrapper.files, workspace.adminDir, false));
      return { kind: "succeeded", tip, base: job.base, rounds: round };
    }
    const over = usedUp(job, spent, performance.now(), wrapper.deadline);
    if (round >= job.maxRounds || over.length > 0) return { kind: "exhausted", rounds: round, findings: [...findings, ...over] };
    // A limit of the node blocks nothing by itself, but the agent must know what ended it.
    const told = [
      ...findings.filter((finding) => !remarks.includes(finding)),
      ...remarks.map((remark): Finding => ({ ...remark, severity: "block" })),
    ];
    prompt = `${job.prompt}\n\n${composeFeedback({ findings: told, round: round + 1, maxRounds: job.maxRounds, previous })}`;
    previous = findings;
  }
}

/** Without one, a coming conflict is seen later; that is no reason to end an attempt. */
async function keepCheckpointIfPossible({ job, pane }: Wrapper, workspace: Workspace, round: number, tree: string): Promise<void> {
  try {
    await keepCheckpoint(workspace, job.attempt, round, tree);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    pane.say(`no checkpoint of round ${round}: ${error.message}`);
  }
}

/** What a round's fact holds only where there is something to hold. */
function kept({ acceptance, flaky }: CheckedRound): Pick<Extract<WrapperFact, { type: "round-checked" }>, "acceptance" | "flaky"> {
  return { ...(acceptance.length === 0 ? {} : { acceptance }), ...(flaky.length === 0 ? {} : { flaky }) };
}
