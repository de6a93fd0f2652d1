import type { Car, ConflictReport, Finding, World } from "@dispatch/core";

/** A 409 report as findings, one a path. */
export function conflictFindings(report: ConflictReport): Finding[] {
  if (report.paths.length === 0) {
    return [
      {
        gate: "landing",
        severity: "block",
        found: `409 ${report.kind}`,
        why: "The branch does not belong to main's history.",
        hint: report.hint,
      },
    ];
  }
  return report.paths.map(({ path, changedBy }) => {
    const by = changedBy.map(({ spec, commit, subject }) => `${spec ?? "a commit from outside"} (${commit.slice(0, 12)} ${subject})`);
    return {
      gate: "landing",
      severity: "block",
      path,
      found: `main changed this path since your base ${report.base.slice(0, 12)}: ${by.join(", ") || "unknown commit"}`,
      why: `Your version would overwrite it (409 ${report.kind}).`,
      hint: `Build on main ${report.main.slice(0, 12)}. Your earlier work is in the hub as ${report.attempt}.`,
    };
  });
}

const mostNamed = 20;

/** What landed while a branch was being made: with one of these it may not agree. Nothing for a car of several. */
export function landedMeanwhile(world: World, car: Car): Finding[] {
  const [only, ...others] = car.members;
  const task = only === undefined || others.length > 0 ? undefined : world.tasks.get(only);
  const attempt = task?.state.kind === "landing" ? world.attempts.get(task.state.attempt) : undefined;
  if (task === undefined || attempt === undefined) return [];
  const landed: { id: string; at: number }[] = [];
  for (const { project, spec, state } of world.tasks.values()) {
    if (project === task.project && state.kind === "merged" && state.at >= attempt.placedAt) landed.push({ id: spec.id, at: state.at });
  }
  if (landed.length === 0) return [];
  const names = landed.sort((a, b) => b.at - a.at).map(({ id }) => id);
  return [
    {
      gate: "landing",
      severity: "note",
      found: `landed since this branch was begun: ${names.slice(0, mostNamed).join(", ")}${names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""}`,
      why: "the branch is tested on top of them",
      hint: "Look at what they changed when the failure cannot be explained from your own change.",
    },
  ];
}
