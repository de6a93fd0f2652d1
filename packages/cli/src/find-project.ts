import { FactoryError } from "@dispatch/core";
import type { ProjectRow, StatusView } from "@dispatch/protocol";

/** The project's row; NOT_FOUND when the daemon has none. */
export function projectOf(status: StatusView, project: string): ProjectRow {
  const row = status.projects.find((candidate) => candidate.id === project);
  if (row !== undefined) return row;
  const hint = `dispatch start ${project}; dispatch project list shows what is registered`;
  throw new FactoryError("NOT_FOUND", `project ${project} was never started`, { fault: "user", hint });
}
