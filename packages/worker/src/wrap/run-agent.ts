import { type CommandResult, FactoryError, type Finding } from "@dispatch/core";
import { readFileIfAny, replaceFile } from "../durable-files.ts";
import { allowedEnvironment } from "../process/environment.ts";
import { runCommand } from "../process/run-command.ts";
import type { RoundLimits } from "./hold-limits.ts";
import { nothingSpent, type Spent } from "./spend-limits.ts";
import { supervise, type Wrapper, waitForRoom } from "./wrapper.ts";

const logLimitBytes = 50 * 1024 * 1024;
const graceMs = 3000;

export type AgentRun =
  | { outcome: "ran"; result: CommandResult; spent: Spent; remarks: readonly Finding[] }
  /** `forGood`: another attempt would fail alike. */
  | { outcome: "not-started"; result: CommandResult; because: string; forGood: boolean };

/** Gives the prompt to the executor and waits until it and everything it started has ended. */
export async function runAgent(wrapper: Wrapper, round: number, prompt: string, limits: RoundLimits): Promise<AgentRun> {
  const { files, job, pane } = wrapper;
  const { executor } = job;
  const promptFile = files.prompt(round);
  await waitForRoom(wrapper, () => replaceFile(promptFile, prompt, false));
  const argv = executor.command.map((part) => part.replaceAll("{promptFile}", () => promptFile).replaceAll("{prompt}", () => prompt));
  const [program, ...args] = argv;
  if (program === undefined) throw new FactoryError("EXECUTOR_UNKNOWN", `executor ${executor.name} has an empty command`);
  pane.say(`round ${round} of ${job.maxRounds}: ${executor.name}`);
  const ran = await supervise(wrapper, () =>
    runCommand({
      argv: [program, ...args],
      label: executor.command.join(" "),
      cwd: files.worktree,
      env: agentEnvironment(wrapper, round),
      stdin: executor.prompt === "stdin" ? promptFile : null,
      timeoutMs: Math.max(1, Math.min(executor.timeoutSeconds * 1000, wrapper.deadline - performance.now())),
      graceMs,
      token: job.token,
      since: wrapper.since,
      fifo: files.fifo,
      log: files.agentLog(round),
      logLimitBytes,
      ...(wrapper.group === null ? {} : { group: wrapper.group }),
      allowance: limits.allowance,
      onOutput: pane.copy,
    }),
  );
  const { startError, tooMuch: _, ...result } = ran;
  if (startError === undefined) {
    return { outcome: "ran", result, spent: readSpent(files.usage(round)), remarks: limits.after(ran, "the agent") };
  }
  const forGood = ["ENOENT", "EACCES", "ENOEXEC", "E2BIG", "ENOTDIR", "ELOOP", "EISDIR"].includes(startError);
  return { outcome: "not-started", result, because: whyNotStarted(executor.name, program, startError), forGood };
}

function whyNotStarted(executor: string, program: string, startError: string): string {
  const reason: Record<string, string> = {
    ENOENT: `the program ${program} was not found on the node`,
    EACCES: `the program ${program} may not be executed`,
    E2BIG: "the prompt is too long for an argument; let the executor take it as a file or on standard input",
  };
  return `executor ${executor}: ${reason[startError] ?? `${program} could not be started (${startError})`}`;
}

function agentEnvironment(wrapper: Wrapper, round: number): Record<string, string> {
  const { files, job } = wrapper;
  return {
    ...allowedEnvironment(),
    GIT_AUTHOR_NAME: "Dispatch",
    GIT_AUTHOR_EMAIL: "dispatch@localhost",
    GIT_COMMITTER_NAME: "Dispatch",
    GIT_COMMITTER_EMAIL: "dispatch@localhost",
    GIT_TERMINAL_PROMPT: "0",
    PWD: files.worktree,
    ...job.executor.env,
    DISPATCH_ATTEMPT: job.attempt,
    DISPATCH_ROUND: String(round),
    DISPATCH_PROMPT_FILE: files.prompt(round),
    DISPATCH_SPEC_FILE: files.spec,
    DISPATCH_NOTICES: files.notices,
    DISPATCH_USAGE_FILE: files.usage(round),
  };
}

/** What the agent says it used: two counts of tokens, a count of turns, or both. Anything else is taken as silence. */
function readSpent(path: string): Spent {
  try {
    const said: unknown = JSON.parse(readFileIfAny(path)?.slice(0, 10_000) ?? "");
    if (typeof said !== "object" || said === null) return nothingSpent;
    const { inputTokens, outputTokens, turns } = said as Readonly<Record<string, unknown>>;
    return {
      usage: isCount(inputTokens) && isCount(outputTokens) ? { inputTokens, outputTokens } : null,
      turns: isCount(turns) ? turns : null,
    };
  } catch {
    return nothingSpent;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
