import type { NodeLossRow, ReportTask, ReportView, WaitingForLead } from "@dispatch/protocol";
import { barText, durationText, plural, shortOid, tokensText } from "./figures.ts";
import { findingText } from "./finding-lines.ts";
import { type Column, tableLines } from "./table.ts";
import { specIdOf, statePaint } from "./task-table.ts";
import { oneLine, wrapText } from "./text-width.ts";
import type { View } from "./view.ts";

const columns: readonly Column[] = [
  { title: "TASK" },
  { title: "STATE" },
  { title: "TRIES", align: "end" },
  { title: "ROUNDS", align: "end" },
  { title: "TOOK", align: "end" },
  { title: "IN SLOT", align: "end" },
  { title: "COMMIT" },
  { title: "TITLE", grow: true },
];

/** What a project has done and what waits for the lead, for a terminal. */
export function reportLines(report: ReportView, view: View): string[] {
  const { paint } = view;
  const lines = [`${paint.strong(report.project)}  ${summaryOf(report)}`, progress(report, view), ""];
  if (report.tasks.length > 0)
    lines.push(
      ...tableLines(
        columns,
        report.tasks.map((task) => cells(task, view)),
        view.columns,
        paint.faint,
      ),
      "",
    );
  for (const [name, value] of figuresOf(report)) lines.push(`${name.padEnd(16)} ${value}`);
  if (report.losses.length > 0) lines.push("", paint.strong("lost nodes"), ...report.losses.map((loss) => `  ${lossText(loss, view.timeOf)}`));
  if (report.waiting.length > 0) lines.push("", paint.strong("waits for you"), ...report.waiting.flatMap((waiting) => waitingLines(waiting, view)));
  return lines;
}

/** `9 tasks in 1m42s: 8 merged, 1 parked`. */
export function summaryOf(report: ReportView): string {
  const states = Object.entries(report.counts).filter(([, count]) => count > 0);
  const took = report.to > report.from ? ` in ${durationText(report.to - report.from)}` : "";
  return `${plural(report.tasks.length, "task")}${took}${states.length === 0 ? "" : `: ${states.map(([state, count]) => `${count} ${state}`).join(", ")}`}`;
}

/** `gpu-1 lost 14:02:11, back 14:20:40 (18m29s): out of reach for 10 min; 3 attempts fenced`. */
export function lossText({ node, lostAt, returnedAt, because, fenced }: NodeLossRow, timeOf: (at: number) => string): string {
  const back = returnedAt === null ? "not back yet" : `back ${timeOf(returnedAt)} (${durationText(returnedAt - lostAt)})`;
  return `${node} lost ${timeOf(lostAt)}, ${back}: ${oneLine(because)}; ${plural(fenced, "attempt")} fenced`;
}

/** The figures of a report by name, in the order in which they are shown. */
export function figuresOf(report: ReportView): [string, string][] {
  const gates = Object.entries(report.findings).filter(([, count]) => count > 0);
  const figures: [string, string][] = [
    ["main", shortOid(report.main)],
    ["published", report.published === null ? "not yet" : shortOid(report.published)],
    ["at once, at most", String(report.maxParallel)],
    ["slots used", `${Math.round(report.utilisation * 100)}% of the time work was there`],
    ["findings", gates.length === 0 ? "none" : gates.map(([gate, count]) => `${gate} ${count}`).join(", ")],
    ["conflicts", String(report.conflicts)],
  ];
  if (report.tokens !== null) figures.push(["tokens", tokensText(report.tokens)]);
  const { pending, startable, running, firstRounds, firstRoundsFailed, landings, conflicts, utilisation, windowMs } = report.signals.figures;
  const last = `last ${Math.round(windowMs / 60_000)} min, all projects`;
  figures.push(
    ["backlog", `${pending} without a session, ${startable} of them for want of room, ${running} running`],
    ["first rounds", `${firstRoundsFailed} of ${firstRounds} red (${last})`],
    ["landings", `${conflicts} of ${landings} met a conflict (${last})`],
    ["slots lately", `${Math.round(utilisation * 100)}% used while work was there (${last})`],
  );
  if (report.signals.advice !== "none") figures.push(["advice", report.signals.text]);
  return figures;
}

function progress(report: ReportView, view: View): string {
  const merged = report.counts["merged"] ?? 0;
  const all = report.tasks.length - (report.counts["cancelled"] ?? 0);
  const bar = barText(merged, all, Math.max(8, Math.min(30, Math.floor(view.columns / 4))));
  return `${view.paint.good(bar.done)}${view.paint.faint(bar.rest)}  ${merged}/${all} merged`;
}

function cells(task: ReportTask, view: View) {
  return [
    { text: specIdOf(task.id) },
    { text: task.state, paint: statePaint({ state: task.state, display: task.state }, view.paint) },
    { text: String(task.attempts) },
    { text: String(task.rounds) },
    { text: task.durationMs === 0 ? "" : durationText(task.durationMs) },
    { text: task.sessionMs === 0 ? "" : durationText(task.sessionMs) },
    { text: task.commit === null ? "" : shortOid(task.commit) },
    { text: task.title, paint: view.paint.faint },
  ];
}

function waitingLines(waiting: WaitingForLead, view: View): string[] {
  const { paint } = view;
  const width = Math.max(20, view.columns - 4);
  const lines = [`  ${paint.bad(waiting.code)} ${waiting.task ?? "the project"}: ${oneLine(waiting.because)}`];
  for (const finding of waiting.findings.filter((one) => one.severity === "block")) {
    lines.push(...wrapText(findingText(finding), width).map((line) => `    ${line}`));
  }
  if (waiting.salvage !== null && waiting.salvage !== "") lines.push(`    kept at ${waiting.salvage}`);
  lines.push(`    try: ${oneLine(waiting.next)}`);
  return lines;
}
