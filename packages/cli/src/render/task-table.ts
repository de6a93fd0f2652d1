import type { TaskRow } from "@dispatch/protocol";
import { ageText } from "./figures.ts";
import type { Paint } from "./paint.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

const columns: readonly Column[] = [
  { title: "TASK" },
  { title: "STATE" },
  { title: "TRY", align: "end" },
  { title: "ROUND", align: "end" },
  { title: "FOR", align: "end" },
  { title: "BECAUSE", grow: true },
];

/** What moves first, then what waits for the lead, then what waits, then what is over. */
const order: readonly TaskRow["state"][] = [
  "landing",
  "checking",
  "collecting",
  "running",
  "starting",
  "cancelling",
  "parked",
  "backoff",
  "queued",
  "planned",
  "merged",
  "cancelled",
];

/** The tasks, those first that a person wants to see first. */
export function sortRows(rows: readonly TaskRow[]): TaskRow[] {
  return [...rows].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || readyFirst(a, b) || compare(a.id, b.id));
}

/** One line per task under a head. Ids are shown without the project. */
export function taskTable(rows: readonly TaskRow[], view: View): string[] {
  return tableLines(
    columns,
    rows.map((row) => taskCells(row, view)),
    view.columns,
    view.paint.faint,
  );
}

function taskCells(row: TaskRow, view: View): Cell[] {
  const over = row.state === "merged" || row.state === "cancelled";
  return [
    { text: specIdOf(row.id) },
    { text: row.display, paint: statePaint(row, view.paint) },
    { text: row.attempt === 0 ? "" : String(row.attempt) },
    { text: row.round === 0 ? "" : String(row.round) },
    { text: over || row.since === 0 ? "" : ageText(row.since, view.now) },
    { text: reasonOf(row), paint: view.paint.faint },
  ];
}

export function statePaint(row: Pick<TaskRow, "state" | "display">, paint: Paint): (text: string) => string {
  switch (row.state) {
    case "merged":
      return paint.good;
    case "parked":
      return paint.bad;
    case "backoff":
    case "cancelling":
    case "cancelled":
      return paint.warn;
    case "planned":
      return row.display === "ready" ? paint.strong : paint.faint;
    case "starting":
    case "running":
    case "collecting":
    case "checking":
    case "queued":
    case "landing":
      return paint.active;
  }
}

/** Why it is where it is, without the state that stands before it already. */
export function reasonOf(row: Pick<TaskRow, "state" | "because">): string {
  const opening = `${row.state}: `;
  return oneLine(row.because.startsWith(opening) ? row.because.slice(opening.length) : row.because);
}

/** The part of a task id after its project. */
export function specIdOf(task: string): string {
  return task.slice(task.indexOf("/") + 1);
}

function readyFirst(a: TaskRow, b: TaskRow): number {
  return Number(b.display === "ready") - Number(a.display === "ready");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
