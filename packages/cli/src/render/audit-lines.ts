import type { AuditReport, ProjectAudit } from "@dispatch/controller";
import { plural } from "./figures.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** One line for each violation and note, one that sums up each project, and the verdict. */
export function auditLines({ projects, whole }: AuditReport, view: View): string[] {
  const { paint } = view;
  if (projects.length === 0) return ["there is nothing to audit: no project was started yet"];
  const violations = projects.reduce((sum, project) => sum + project.violations.length, 0);
  const verdict = whole ? `${paint.good("whole")}: nothing is lost` : paint.bad(plural(violations, "violation"));
  return [...projects.flatMap((project) => projectLines(project, view)), verdict];
}

function projectLines({ project, violations, notes, counts }: ProjectAudit, { paint }: View): string[] {
  const line = (word: string, { kind, about, text }: { kind: string; about: string; text: string }): string =>
    `${project} ${word} ${kind}${about === "" ? "" : ` ${about}`}: ${oneLine(text)}`;
  const parts = [
    `${plural(counts.merged, "merged task")} on main`,
    `${plural(counts.landings, "commit")} of main tested`,
    `${plural(counts.works, "commit")} of attempts held`,
    plural(counts.refs, "ref"),
    ...(counts.pruned === 0 ? [] : [`${counts.pruned} let go of by policy`]),
  ];
  const sum =
    violations.length === 0
      ? parts.join(", ")
      : `${plural(violations.length, "violation")} among ${parts.join(", ").replace(/ (on main|tested|held)/g, "")}`;
  return [
    ...violations.map((violation) => line(paint.bad("violation"), violation)),
    ...notes.map((note) => line(paint.warn("note"), note)),
    `${project}: ${sum}`,
  ];
}
