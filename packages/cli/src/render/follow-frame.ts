import type { ProjectRow, StatusView } from "@dispatch/protocol";
import { standingLines } from "./cause-lines.ts";
import { ageText, plural, tokensText } from "./figures.ts";
import { fitPainted } from "./fit-painted.ts";
import { progressLine, projectLine, slotsLine, troubleLines } from "./status-lines.ts";
import { type Column, tableLines } from "./table.ts";
import { sortRows, specIdOf, taskTable } from "./task-table.ts";
import type { View } from "./view.ts";

const slotColumns: readonly Column[] = [
  { title: "SLOT" },
  { title: "TASK" },
  { title: "ROUND", align: "end" },
  { title: "FOR", align: "end" },
  { title: "STATE" },
  { title: "TOKENS", grow: true },
];

/**
 * One screen of a project at work: what it is, how far it is, its slots, its tasks.
 * At most `height` lines of at most `view.columns` columns; tasks that do not fit are counted.
 */
export function followFrame(status: StatusView, project: ProjectRow, note: string, view: View, height: number): string[] {
  const { paint } = view;
  const rows = sortRows(status.tasks.filter((task) => task.project === project.id));
  const head = [projectLine(project, view), progressLine(rows, view), slotsLine(status, view)];
  const standing = status.standings.find((row) => row.project === project.id);
  if (standing !== undefined) head.push(...standingLines(standing, view).slice(0, 5));
  if (status.signals.advice !== "none") head.push(paint.warn(`advice: ${status.signals.text}`));
  if (status.draining) head.push(paint.warn("draining: nothing new starts"));
  head.push(...status.troubles.slice(0, 2).flatMap((trouble) => troubleLines(trouble, view)));
  const foot = note === "" ? [] : ["", paint.faint(note)];
  const slots = slotLines(status, project.id, view);
  const room = height - head.length - foot.length;
  const withSlots = slots.length > 0 && room >= slots.length + 5 ? ["", ...slots] : [];
  const table = taskTable(rows, view);
  const left = room - withSlots.length - 1;
  const tasks =
    table.length <= left
      ? table
      : cutTable(
          table,
          rows.map((row) => row.display),
          left,
          view,
        );
  const body = left >= 2 && rows.length > 0 ? ["", ...tasks] : [];
  return [...head, ...withSlots, ...body, ...foot].slice(0, height).map((line) => fitPainted(line, view.columns));
}

function slotLines(status: StatusView, project: string, view: View): string[] {
  const sessions = status.sessions.filter((session) => session.task.startsWith(`${project}/`));
  if (sessions.length === 0) return [];
  return tableLines(
    slotColumns,
    sessions.map((session) => [
      { text: session.node },
      { text: specIdOf(session.task) },
      { text: session.round === 0 ? "" : String(session.round) },
      { text: ageText(session.since, view.now) },
      { text: session.state, paint: session.state === "stopping" || session.state === "fenced" ? view.paint.warn : view.paint.active },
      { text: tokensText(session.tokens), paint: view.paint.faint },
    ]),
    view.columns,
    view.paint.faint,
  );
}

/** The first lines of a table that has a head, and how many of what it does not show. */
function cutTable(table: readonly string[], displays: readonly string[], height: number, view: View): string[] {
  const shown = Math.max(0, height - 2);
  const hidden = displays.slice(shown);
  const kinds = [...new Set(hidden)].map((kind) => `${hidden.filter((display) => display === kind).length} ${kind}`);
  return [...table.slice(0, shown + 1), view.paint.faint(`… and ${plural(hidden.length, "more task")}: ${kinds.join(", ")}`)];
}
