import type { AttemptJob, Finding, TokenUsage } from "@dispatch/core";

/** What the executor said it used; null where it said nothing. */
export interface Spent {
  usage: TokenUsage | null;
  turns: number | null;
}

export const nothingSpent: Spent = { usage: null, turns: null };

export function addSpent(left: Spent, right: Spent): Spent {
  return {
    usage:
      left.usage === null || right.usage === null
        ? (left.usage ?? right.usage)
        : {
            inputTokens: left.usage.inputTokens + right.usage.inputTokens,
            outputTokens: left.usage.outputTokens + right.usage.outputTokens,
          },
    turns: left.turns === null || right.turns === null ? (left.turns ?? right.turns) : left.turns + right.turns,
  };
}

/** When the time of an attempt that began at `beganAt` is over; both in ms of one clock. */
export function deadlineOf(job: AttemptJob, beganAt: number): number {
  return beganAt + job.spec.timeoutMinutes * 60_000;
}

/** Which limits of its spec an attempt has used up; while there is one, no further round begins. */
export function usedUp(job: AttemptJob, spent: Spent, now: number, deadline: number): readonly Finding[] {
  const { timeoutMinutes, budget } = job.spec;
  const tokens = spent.usage === null ? 0 : spent.usage.inputTokens + spent.usage.outputTokens;
  return [
    ...(now < deadline ? [] : [finding(`the ${timeoutMinutes} minutes of the attempt are over`, "timeout_min")]),
    ...(budget.tokens === null || tokens <= budget.tokens
      ? []
      : [finding(`the agent used ${tokens} tokens of a budget of ${budget.tokens}`, "budget.tokens")]),
    ...(budget.turns === null || (spent.turns ?? 0) <= budget.turns
      ? []
      : [finding(`the agent took ${spent.turns} turns of a budget of ${budget.turns}`, "budget.turns")]),
  ];
}

function finding(found: string, field: string): Finding {
  return {
    gate: "agent",
    severity: "block",
    found,
    why: "No further round begins when a limit of the spec is used up.",
    hint: `Split the task, or raise ${field} in the spec and retry it with --edited.`,
  };
}
