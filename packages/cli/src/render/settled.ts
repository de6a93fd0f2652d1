import type { ProjectRow, StandingRow, StatusView, TaskRow } from "@dispatch/protocol";
import { reasonOf } from "./task-table.ts";

/** Whether a project's work can still go on by itself. */
export type Settled =
  | { kind: "going" }
  | { kind: "nothing-to-do" }
  | { kind: "all-merged" }
  /** Nothing moves before somebody says so; `waits` names the tasks that are not over. */
  | { kind: "needs-lead"; parked: readonly TaskRow[]; uncollected: readonly TaskRow[]; waits: readonly TaskRow[] };

/** Goes by the daemon's own finding of whether the project moves; before it has one, by the states of its tasks. */
export function settledOf(status: StatusView, project: ProjectRow): Settled {
  const rows = status.tasks.filter((task) => task.project === project.id);
  const standing = status.standings.find((row) => row.project === project.id);
  const moves = standing === undefined ? rows.some((row) => mayMove(row, project)) : goesOn(standing);
  if (project.collect.kind !== "idle" || moves) return { kind: "going" };
  if (rows.length === 0) return { kind: "nothing-to-do" };
  const parked = rows.filter((row) => row.state === "parked");
  const uncollected = rows.filter((row) => row.state === "queued");
  const waits = rows.filter((row) => row.state === "planned" || row.state === "backoff");
  if (parked.length + uncollected.length + waits.length === 0) return { kind: "all-merged" };
  return { kind: "needs-lead", parked, uncollected, waits };
}

function goesOn({ kind }: StandingRow): boolean {
  return kind === "moving" || kind === "waiting-for-time" || kind === "finishing";
}

function mayMove(row: TaskRow, project: ProjectRow): boolean {
  switch (row.state) {
    case "starting":
    case "running":
    case "collecting":
    case "checking":
    case "landing":
    case "cancelling":
      return true;
    case "queued":
      return project.policy === "continuous" && project.landing.kind === "open";
    case "backoff":
      return project.placing.kind === "running";
    case "planned":
      return project.placing.kind === "running" && row.display !== "waits" && row.display !== "locked";
    case "parked":
    case "merged":
    case "cancelled":
      return false;
  }
}

/** The last words of a follow, and whether all is well. */
export function settledLines(settled: Settled, project: ProjectRow): { lines: string[]; parked: boolean } {
  switch (settled.kind) {
    case "going":
      return { lines: [], parked: false };
    case "nothing-to-do":
      return { lines: [`${project.id} has no tasks`, "  try: put specs into specs/pending, then dispatch feed PROJECT"], parked: false };
    case "all-merged":
      return { lines: [`${project.id}: everything is merged or cancelled`, ...afterMerged(project)], parked: false };
    case "needs-lead":
      return { lines: needsLeadLines(settled, project), parked: settled.parked.length > 0 };
  }
}

function afterMerged(project: ProjectRow): string[] {
  return project.policy === "on-collect" ? [`  try: dispatch collect ${project.id}`] : [`  try: dispatch report ${project.id}`];
}

function needsLeadLines(settled: Extract<Settled, { kind: "needs-lead" }>, project: ProjectRow): string[] {
  const lines = [`${project.id}: nothing goes on without you`];
  for (const row of settled.parked)
    lines.push(`  ${row.id} is parked: ${reasonOf(row)}`, `    try: dispatch show ${row.id}, then dispatch retry or dispatch cancel`);
  if (settled.uncollected.length > 0) {
    const { landing } = project;
    const why = landing.kind === "frozen" ? `because landing is frozen: ${landing.because}` : "for dispatch collect";
    lines.push(`  ${settled.uncollected.map((row) => row.id).join(", ")} ${settled.uncollected.length === 1 ? "waits" : "wait"} ${why}`);
    lines.push(`    try: ${landing.kind === "frozen" ? `mend main, then dispatch resume ${project.id}` : `dispatch collect ${project.id}`}`);
  }
  for (const row of settled.waits) lines.push(`  ${row.id} waits: ${reasonOf(row)}`);
  if (project.placing.kind === "paused") lines.push(`    try: dispatch resume ${project.id}`);
  return lines;
}
