import type { CauseRow, SignalsView, StandingRow } from "@dispatch/protocol";
import { ageText, plural } from "./figures.ts";
import { specIdOf } from "./task-table.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

const idsShown = 6;

/** One cause: how many tasks wait for it, why, what releases it, and which tasks they are. */
export function causeLines(cause: CauseRow, view: View): string[] {
  const { paint } = view;
  const paintWord = cause.needs === "factory" || cause.needs === "time" ? paint.active : paint.bad;
  const lines = [`${paintWord(plural(cause.tasks.length, "task"))}  ${subjectOf(cause)}${oneLine(cause.because)}`];
  if (cause.release !== "") lines.push(`  ${cause.needs === "lead" || cause.needs === "nobody" ? "try:  " : "moves:"} ${oneLine(cause.release)}`);
  const others = cause.tasks.filter((id) => id !== cause.task);
  if (others.length > 0) {
    const names = others.slice(0, idsShown).map((id) => (others.every((other) => projectOf(other) === projectOf(id)) ? specIdOf(id) : id));
    const more = others.length > idsShown ? ` and ${others.length - idsShown} more` : "";
    lines.push(`  ${paint.faint(`with: ${names.join(", ")}${more}`)}`);
  }
  return lines;
}

/** Causes of the whole project and of the factory name themselves. */
function subjectOf(cause: CauseRow): string {
  const wide = [
    "cycle",
    "slot",
    "project-paused",
    "project-not-configured",
    "landing-frozen",
    "waits-for-collect",
    "waits-for-origin",
    "about-to-start",
  ];
  return wide.includes(cause.kind) ? "" : `${cause.task}: `;
}

/** What stands above everything else when a project has come to a standstill, or will; nothing while it moves. */
export function standingLines(standing: StandingRow, view: View): string[] {
  const { paint } = view;
  const left = plural(standing.unfinished, "task");
  switch (standing.kind) {
    case "idle":
    case "moving":
      return [];
    case "waiting-for-time":
      return [
        paint.warn(
          `${standing.project}: nothing moves for ${standing.until === null ? "a moment" : ageText(view.now, standing.until)}; then the next attempt starts`,
        ),
      ];
    case "finishing":
      return finishingLines(standing, view);
    case "waiting-for-lead":
      return [paint.bad(`! ${standing.project}: nothing moves without you; ${left} left`), ...actLines(standing, view)];
    case "gridlock":
      return [
        paint.bad(`! ${standing.project}: GRIDLOCK, nothing can move; ${left} left`),
        ...standing.cycles.map((cycle) => `    ${paint.bad("circle:")} ${[...cycle, cycle[0] ?? ""].map(specIdOf).join(" waits for ")}`),
        ...actLines(standing, view),
      ];
  }
}

/** The last sessions of a project that lands on collect are no alarm; what waits beside them is. */
function finishingLines(standing: StandingRow, view: View): string[] {
  const line = `${standing.project}: ${standing.underWay} under way; after that nothing goes on without you`;
  const acts = actLines(standing, view);
  return acts.length === 0 ? [view.paint.faint(line)] : [view.paint.warn(line), ...acts];
}

const causesShown = 3;

function actLines(standing: StandingRow, view: View): string[] {
  const causes = standing.causes.filter((cause) => cause.needs !== "factory");
  const shown = causes.slice(0, causesShown).flatMap((cause) => {
    const tasks = cause.tasks.length === 1 ? specIdOf(cause.tasks[0] ?? "") : plural(cause.tasks.length, "task");
    return [`    ${tasks}: ${subjectOf(cause)}${oneLine(cause.because)}`, `      try: ${oneLine(cause.release)}`];
  });
  const more = causes.length - causesShown;
  return more > 0 ? [...shown, `    ${view.paint.faint(`and ${plural(more, "more cause")}: dispatch why --all`)}`] : shown;
}

/** `load   backlog 48 (16 lack only room), 16 running · first rounds red 4/10 (40%) · conflicts 0/9 · slots used 96% (60 min)`, and the advice. */
export function signalLines({ advice, text, figures }: SignalsView, view: View): string[] {
  const { paint } = view;
  const percent = (rate: number) => `${Math.round(rate * 100)}%`;
  const { firstRounds, firstRoundsFailed, landings, conflicts } = figures;
  const parts = [
    figures.pending === 0 ? "no backlog" : `backlog ${figures.pending} (${figures.startable} lack only room), ${figures.running} running`,
    ...(firstRounds === 0 ? [] : [`first rounds red ${firstRoundsFailed}/${firstRounds} (${percent(firstRoundsFailed / firstRounds)})`]),
    ...(landings === 0 ? [] : [`conflicts ${conflicts}/${landings}`]),
    `slots used ${percent(figures.utilisation)}`,
  ];
  const line = `${paint.faint("load")}   ${parts.join(" · ")} ${paint.faint(`(${Math.round(figures.windowMs / 60_000)} min)`)}`;
  return advice === "none" ? [line] : [line, paint.warn(`  advice: ${oneLine(text)}`)];
}

function projectOf(task: string): string {
  return task.slice(0, task.indexOf("/"));
}
