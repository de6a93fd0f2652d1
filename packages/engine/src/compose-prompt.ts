import type { Attempt, Finding, Task, VerifyCommand } from "@dispatch/core";
import { lockedPaths } from "@dispatch/core";

const feedbackLimit = 8000;

/** The first prompt of an attempt: the spec, the borders, how it will be judged, and why the last attempt did not land. */
export function composePrompt(task: Task, attempt: Attempt, verify: readonly VerifyCommand[], maxRounds: number): string {
  const { spec } = task;
  const parts = [
    `# Task ${spec.id} of project ${spec.project}`,
    "",
    "You work alone in a git worktree of the project; your current directory is its root. Read the code you need, decide how, write the code and its tests, run them, and stop when everything below holds.",
    "",
    "## The spec",
    "",
    bodyOf(task.text).trim(),
    "",
    "## Borders",
    "",
    `You may change only: ${lockedPaths(spec).join(", ") || "nothing"}.`,
    ...(spec.forbids.length > 0 ? [`Never touch: ${spec.forbids.join(", ")}.`] : []),
    "Other agents own the rest of the repository at this moment; a change outside these paths is refused.",
    "",
    "## How you will be judged",
    "",
    "What you say counts for nothing; these are run on what you leave behind:",
    "",
    ...verify.map((command) => `- \`${command.run}\` must succeed${command.cwd === "." ? "" : ` in ${command.cwd}`}, and must run tests.`),
    "- No added line may hold TODO, FIXME, a placeholder or a stub.",
    `- Only the paths above may differ from the base, and something must differ${spec.allowEmpty ? ", unless nothing had to be done" : ""}.`,
    "",
    `You have ${maxRounds} rounds. The base is commit ${attempt.base}. Commit or leave your changes in the worktree; both are taken. Do not push, and do not switch branches.`,
    ...lastAttempt(task, attempt),
  ];
  return `${parts.join("\n")}\n`;
}

function lastAttempt(task: Task, attempt: Attempt): string[] {
  const { state } = task;
  if (!("feedback" in state) || state.feedback.length === 0) return [];
  return [
    "",
    "## Why the last attempt did not land",
    "",
    `Attempt ${attempt.n - 1} was finished but refused. You start again from the newest main.`,
    "",
    ...describe(state.feedback),
  ];
}

function describe(findings: readonly Finding[]): string[] {
  const lines: string[] = [];
  let size = 0;
  for (const finding of findings) {
    const place = finding.path === undefined ? "" : ` ${finding.path}${finding.line === undefined ? "" : `:${finding.line}`}`;
    const text = `- ${finding.gate}${place}: ${finding.found}\n  ${finding.why} ${finding.hint}`;
    size += text.length;
    if (size > feedbackLimit) {
      lines.push("- (more findings were cut)");
      break;
    }
    lines.push(text);
  }
  return lines;
}

/** The spec without its front matter, which is the factory's business. */
function bodyOf(text: string): string {
  const match = /^\uFEFF?---\r?\n[\s\S]*?\r?\n---\r?\n/.exec(text);
  return match === null ? text : text.slice(match[0].length);
}
