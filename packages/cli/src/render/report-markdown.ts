import type { ReportView } from "@dispatch/protocol";
import { durationText, shortOid } from "./figures.ts";
import { findingHead, placeOf } from "./finding-lines.ts";
import { figuresOf, lossText, summaryOf } from "./report-lines.ts";
import { specIdOf } from "./task-table.ts";
import { oneLine } from "./text-width.ts";

/** The report as a Markdown file, without the newline at its end. */
export function reportMarkdown(report: ReportView): string[] {
  const lines = [`# ${report.project}`, "", `${summaryOf(report)}.`, `From ${isoText(report.from)} to ${isoText(report.to)}.`, ""];
  lines.push("| Task | State | Tries | Rounds | Took | In slot | Commit | Title |", "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |");
  for (const task of report.tasks) {
    const cells = [
      specIdOf(task.id),
      task.state,
      String(task.attempts),
      String(task.rounds),
      task.durationMs === 0 ? "" : durationText(task.durationMs),
      task.sessionMs === 0 ? "" : durationText(task.sessionMs),
      task.commit === null ? "" : `\`${shortOid(task.commit)}\``,
      task.title,
    ];
    lines.push(`| ${cells.map(escapeText).join(" | ")} |`);
  }
  lines.push("", ...figuresOf(report).map(([name, value]) => `- ${name}: ${value}`));
  if (report.losses.length > 0) lines.push("", "## Lost nodes", "", ...report.losses.map((loss) => `- ${escapeText(lossText(loss, isoText))}`));
  if (report.waiting.length > 0) lines.push("", "## Waits for the lead", "", ...report.waiting.flatMap(waitingLines));
  if (report.landings.length > 0) {
    lines.push("", "## Landings", "", ...report.landings.map((one) => `1. \`${shortOid(one.commit)}\` ${escapeText(one.task)}, ${isoText(one.at)}`));
  }
  return lines;
}

function waitingLines(waiting: ReportView["waiting"][number]): string[] {
  const lines = [`- **${escapeText(waiting.task ?? "the project")}** (${waiting.code}): ${escapeText(waiting.because)}`];
  for (const finding of waiting.findings.filter((one) => one.severity === "block")) {
    const place = placeOf(finding) === "" ? "" : ` ${codeText(placeOf(finding))}`;
    lines.push(`  - ${finding.gate}${place}: ${escapeText(findingHead(finding))}`);
  }
  if (waiting.salvage !== null && waiting.salvage !== "") lines.push(`  - kept at ${codeText(waiting.salvage)}`);
  lines.push(`  - next: ${escapeText(waiting.next)}`);
  return lines;
}

function isoText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** Text that Markdown leaves as it is; a code span stays one. */
function escapeText(text: string): string {
  return oneLine(text)
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part.replaceAll("|", "\\|") : part.replace(/[\\*_[\]<>|`]/g, "\\$&")))
    .join("");
}

function codeText(text: string): string {
  return `\`${oneLine(text).replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}
