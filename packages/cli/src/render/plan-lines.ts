import type { PlanView } from "@dispatch/protocol";
import { problemLine } from "./feed-lines.ts";
import { minutesText, plural } from "./figures.ts";
import { ganttLines, widthLine } from "./plan-gantt.ts";
import { tableLines } from "./table.ts";
import { specIdOf } from "./task-table.ts";
import { fitText, wrapText } from "./text-width.ts";
import type { View } from "./view.ts";

const widest = 100;
const neverShown = 10;
const problemsShown = 10;

/** A dry run of a project, at most 100 columns wide. */
export function planLines(plan: PlanView, view: View): string[] {
  const { paint } = view;
  const columns = Math.min(view.columns, widest);
  const lines = problemLines(plan, view);
  if (plan.tasks.length + plan.never.length === 0) return [...lines, `${plan.project}: nothing to plan`, "  try: put specs into specs/pending"];
  const unfed = plan.unfed === 0 ? "" : `, ${plan.unfed} not fed yet`;
  lines.push(`${paint.strong(plan.project)}  ${plural(plan.tasks.length + plan.never.length, "task")}${unfed}, ${plural(plan.slots, "slot")}`);
  if (plan.tasks.length > 0) lines.push(...figureLines(plan, view, columns), "", ...ganttLines(plan, view, columns), widthLine(plan, view, columns));
  if (plan.hotSpots.length > 0) lines.push("", ...hotSpotLines(plan, view, columns));
  if (plan.never.length > 0) lines.push("", ...neverLines(plan, view, columns));
  lines.push("", ...wrapText(`taken for granted: ${plan.assumes.join("; ")}`, columns).map(paint.faint));
  return lines;
}

function figureLines(plan: PlanView, view: View, columns: number): string[] {
  const { bounds, critical, width } = plan;
  const least = Math.max(bounds.criticalPath, bounds.workPerSlot, bounds.lockChain);
  const over = least === 0 ? "" : `, ${(plan.minutes / least).toFixed(2)} times the least possible`;
  const lock = bounds.lockEntry === null ? "" : ` · one lock ${minutesText(bounds.lockChain)} (${bounds.lockEntry})`;
  const average = plan.minutes === 0 ? 0 : plan.workMinutes / plan.minutes;
  const steps = critical.tasks.map(specIdOf);
  const path = steps.length <= 6 ? steps : [...steps.slice(0, 3), `… ${steps.length - 5} more …`, ...steps.slice(-2)];
  const rows = [
    ["finish", `${minutesText(plan.minutes)} after the start${over}; ${view.timeOf(plan.at + plan.minutes * 60_000)} if started now`],
    ["no sooner", `critical path ${minutesText(bounds.criticalPath)} · work over slots ${minutesText(bounds.workPerSlot)}${lock}`],
    ["critical path", `${minutesText(critical.minutes)}: ${path.join(" → ")}`],
    [
      "at once",
      `${width.most} at most, ${average.toFixed(1)} on average; work ${minutesText(plan.workMinutes)} in ${plural(plan.waves.length, "wave")}`,
    ],
  ];
  return rows.map(([name = "", value = ""]) => `${view.paint.faint(name.padEnd(13))}  ${fitText(value, columns - 15)}`);
}

function hotSpotLines(plan: PlanView, view: View, columns: number): string[] {
  return tableLines(
    [
      { title: "HOT SPOT", grow: true },
      { title: "TASKS", align: "end" },
      { title: "LOCKED FOR", align: "end" },
      { title: "COSTS", align: "end" },
    ],
    plan.hotSpots.map((spot) => [
      { text: spot.entry },
      { text: String(spot.tasks.length) },
      { text: minutesText(spot.minutes) },
      { text: spot.addsMinutes < 0.5 ? "nothing" : minutesText(spot.addsMinutes), ...(spot.addsMinutes < 0.5 ? {} : { paint: view.paint.warn }) },
    ]),
    columns,
    view.paint.faint,
  );
}

function neverLines(plan: PlanView, view: View, columns: number): string[] {
  const { paint } = view;
  const lines = [paint.bad(`${plural(plan.never.length, "task")} can never start as things are`)];
  for (const { id, because, release } of plan.never.slice(0, neverShown)) {
    lines.push(...wrapText(`${specIdOf(id)}: ${because}`, columns - 2).map((line) => `  ${line}`));
    if (release !== "") lines.push(...wrapText(`try: ${release}`, columns - 4).map((line) => `    ${line}`));
  }
  const more = plan.never.length - neverShown;
  return more > 0 ? [...lines, paint.faint(`  and ${more} more; --json names all`)] : lines;
}

/** Errors alone: a file that has one is left out of the plan. */
function problemLines(plan: PlanView, view: View): string[] {
  const errors = plan.problems.filter((problem) => problem.severity === "error");
  if (errors.length === 0) return [];
  const files = new Set(errors.map((problem) => problem.file)).size;
  const shown = errors.slice(0, problemsShown).map((problem) => problemLine(problem, view.paint));
  const more = errors.length - problemsShown;
  const rest = more > 0 ? [`and ${plural(more, "more error")}: dispatch lint`] : [];
  return [...shown, ...rest, view.paint.bad(`${plural(files, "file")} left out of the plan because of errors`), ""];
}
