import { type Attempt, coversAny, type Finding, type GeneratedFiles, lockedPaths, type Task, type VerifyCommand } from "@dispatch/core";
import { quoted } from "./contract-words.ts";
import type { TaskContract } from "./perform-contract.ts";

const feedbackLimit = 8000;
const contractLimit = 24_000;

export interface PromptInput {
  task: Task;
  attempt: Attempt;
  verify: readonly VerifyCommand[];
  maxRounds: number;
  /** What every task of the project may change besides. */
  generated: readonly GeneratedFiles[];
  /** As it is at the attempt's base. */
  contract: TaskContract;
}

/** The first prompt of an attempt: the shared contract, the spec, the borders, how it will be judged, and why the last attempt did not land. */
export function composePrompt({ task, attempt, verify, maxRounds, generated, contract }: PromptInput): string {
  const { spec } = task;
  const parts = [
    `# Task ${spec.id} of project ${spec.project}`,
    "",
    "You work alone in a git worktree of the project; your current directory is its root. Read the code you need, decide how, write the code and its tests, run them, and stop when everything below holds.",
    "",
    ...sharedContract(task, contract),
    "## The spec",
    "",
    bodyOf(task.text).trim(),
    "",
    "## Borders",
    "",
    `You may change only: ${lockedPaths(spec).join(", ") || "nothing"}.`,
    ...generated.map(({ paths, command }) => `Where your change needs it, \`${command.run}\` may also make ${paths.join(", ")} anew.`),
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
    ...demandsOf(task),
    "",
    `You have ${maxRounds} rounds. The base is commit ${attempt.base}. Commit or leave your changes in the worktree; both are taken. Do not push, and do not switch branches.`,
    ...noticesOf(contract),
    ...lastAttempt(task, attempt),
  ];
  return `${parts.join("\n")}\n`;
}

/** What the spec asks to be shown besides its verify commands. */
function demandsOf({ spec }: Task): string[] {
  const proves = spec.type === "feature" || spec.type === "bugfix";
  return [
    ...(proves ? ["- Of the tests you add or change at least one must fail without the rest of your change; they are run on the base sources."] : []),
    ...spec.acceptance.map(({ id, command, expected }) => `- ${id}: \`${command}\` must give ${expected === "" ? "exit 0" : expected}.`),
    ...spec.evidence
      .filter(({ manual }) => !manual)
      .map(({ scenario, path }) => `- What scenario "${scenario}" showed must lie, not empty, in ${path}; you may write there.`),
  ];
}

/** What all tasks build on comes before what this one is about. */
function sharedContract(task: Task, { files, cited }: TaskContract): string[] {
  if (files.length === 0) return [];
  const own = files.filter((file) => coversAny(lockedPaths(task.spec), file));
  const others = files.filter((file) => !own.includes(file));
  const lines = ["## The shared contract", "", `Law for every task of the project: ${files.join(", ")}. Read it before you begin.`];
  if (own.length > 0) lines.push(`Your spec has you change ${own.join(", ")}; all who come after you build on what you write there.`);
  if (others.length > 0) lines.push(`You may not change ${own.length === 0 ? "it" : others.join(", ")}. What it says wins over what the code does.`);
  let room = contractLimit;
  for (const { citation, text } of cited) {
    lines.push("", `### ${citation}`, "");
    if (room <= 0) {
      lines.push("(not repeated here: read it in the file)");
      continue;
    }
    lines.push(quoted(text, room));
    room -= text.length;
  }
  return [...lines, ""];
}

function noticesOf({ files }: TaskContract): string[] {
  if (files.length === 0) return [];
  return [
    "",
    "## While you work",
    "",
    "If a file appears in the folder that the environment variable DISPATCH_NOTICES names, the shared contract changed on main while you worked: read it. Your result is checked against the new contract. Look there before you end.",
  ];
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
