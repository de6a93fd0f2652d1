import type { Attempt, ParkReason, Round } from "@dispatch/core";
import type { TaskView } from "@dispatch/protocol";
import { outcomeText } from "./event-text.ts";
import { durationText, plural, shortOid, tokensText } from "./figures.ts";
import { findingLines, findingText } from "./finding-lines.ts";
import { reasonOf, statePaint } from "./task-table.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** Everything about one task: what it may touch, its attempts and rounds with findings, the refs that hold its work. */
export function taskLines(task: TaskView, view: View): string[] {
  const { paint } = view;
  const { row, task: stored } = task;
  const lines = [
    `${paint.strong(row.id)}  ${oneLine(row.title)}`,
    `  state      ${statePaint(row, paint)(row.display)}: ${reasonOf(row)}`,
    `  spec       ${stored.path} (revision ${stored.revision}, ${stored.digest.slice(0, 12)})`,
    `  priority   ${row.priority}`,
    ...listLine("depends on", stored.spec.dependsOn),
    ...listLine("modifies", stored.spec.modifies),
    ...listLine("creates", stored.spec.creates),
    ...listLine("deletes", stored.spec.deletes),
    ...listLine("contract", stored.spec.contract),
  ];
  const open = stored.state.kind === "parked" ? undefined : task.attempts.at(-1)?.rounds.at(-1);
  for (const attempt of task.attempts) lines.push("", ...attemptLines(attempt, open, view));
  if (stored.state.kind === "parked") lines.push("", ...parkLines(row.id, stored.state.because, view));
  if (task.refs.length > 0) {
    lines.push("", `refs in ${task.hub}`, ...task.refs.map((ref) => `  ${ref}`));
    lines.push(`  ${paint.faint(`try: git --git-dir=${task.hub} show ${task.refs[0]}`)}`);
  }
  return lines;
}

function listLine(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`  ${name.padEnd(10)} ${items.join(", ")}`];
}

/** Findings are told at length where something is to be done about them: in the round that is `open`, or where the task was parked. */
function attemptLines(attempt: Attempt, open: Round | undefined, view: View): string[] {
  const ended = attempt.endedAt === 0 ? "" : `, ${durationText(attempt.endedAt - attempt.placedAt)}`;
  const head = `attempt ${attempt.n}  ${stateText(attempt)} on ${attempt.node} with ${attempt.executor} from ${shortOid(attempt.base)}`;
  return [
    `${head}, placed ${view.timeOf(attempt.placedAt)}${ended}`,
    ...noticeLines(attempt),
    ...attempt.rounds.flatMap((round) => roundLines(round, round === open, view)),
  ];
}

/** The moves of main with which the contract changed while it was at work. */
function noticeLines(attempt: Attempt): string[] {
  if (attempt.notices.length === 0) return [];
  return [`  told     the shared contract changed with ${attempt.notices.map(shortOid).join(", ")}`];
}

function stateText(attempt: Attempt): string {
  const { state } = attempt;
  switch (state.kind) {
    case "starting":
      return "starting";
    case "running":
      return `running round ${state.round}`;
    case "stopping":
      return `stopping: ${oneLine(state.because)},`;
    case "fenced":
      return `fenced: ${oneLine(state.because)},`;
    case "ended":
    case "collected":
    case "discarded":
      return `${oneLine(outcomeText(state.outcome))},`;
  }
}

function roundLines(round: Round, atLength: boolean, view: View): string[] {
  const facts: string[] = [];
  if (round.agent === null) facts.push("the agent is at work");
  else {
    const { outcome, exitCode, endedAt } = round.agent;
    const ended = outcome === "exited" ? (exitCode === 0 ? "done" : `exit code ${exitCode}`) : outcome;
    facts.push(`agent ${ended} after ${durationText(endedAt - round.startedAt)}`);
    const tokens = tokensText(round.agent.usage);
    if (tokens !== "") facts.push(`tokens ${tokens}`);
  }
  const blocking = round.checked?.findings.filter((finding) => finding.severity === "block").length ?? 0;
  if (round.checked !== null) {
    const verdict = blocking === 0 ? view.paint.good("green") : view.paint.bad(plural(blocking, "finding"));
    facts.push(`${verdict} (verify took ${durationText(round.checked.verifyMs)})`);
  }
  const findings = round.checked?.findings ?? [];
  const told = atLength
    ? findings.flatMap((finding) => findingLines(finding, view, "    "))
    : findings.filter((finding) => finding.severity === "block").map((finding) => `    ${findingText(finding)}`);
  return [`  round ${round.n}  ${facts.join(" · ")}`, ...told];
}

function parkLines(task: string, reason: ParkReason, view: View): string[] {
  const lines = [
    `${view.paint.bad("parked")}  ${oneLine(reason.text)} (${reason.code})`,
    ...reason.findings.flatMap((one) => findingLines(one, view, "  ")),
  ];
  for (const path of reason.conflict?.paths ?? []) {
    const others = path.changedBy.map((change) => change.spec ?? shortOid(change.commit)).join(", ");
    lines.push(`  ${path.path}${others === "" ? "" : ` was changed by ${others}`}`);
  }
  if (reason.salvage !== "") lines.push(`  its work is kept at ${reason.salvage}`);
  lines.push(`  try: dispatch retry ${task} (with --edited after a change of the spec), or dispatch cancel ${task}`);
  return lines;
}
