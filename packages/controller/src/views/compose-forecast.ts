import { splitTaskId, type World } from "@dispatch/core";
import type { ComingConflict } from "@dispatch/git";
import type { ForecastRow } from "@dispatch/protocol";

const pathsShown = 3;

/** Coming conflicts as rows, each with what it means as a sentence. */
export function forecastRows({ attempts }: World, conflicts: readonly ComingConflict[]): ForecastRow[] {
  return conflicts.flatMap((conflict): ForecastRow[] => {
    const { paths, kind, with: meets } = conflict;
    const task = attempts.get(conflict.attempt)?.task;
    const other = meets.kind === "main" ? null : attempts.get(meets.attempt)?.task;
    if (task === undefined || other === undefined) return [];
    return [{ task, with: other, paths, kind, text: forecastText(task, other, conflict) }];
  });
}

const kinds: Readonly<Record<ComingConflict["kind"], string>> = {
  same_path: "the same file",
  text: "conflict in text",
  file_or_folder: "a file on one side, a folder on the other",
};

function forecastText(task: string, other: string | null, { paths, kind }: ComingConflict): string {
  const shown = paths.length > pathsShown ? `${paths.slice(0, pathsShown).join(", ")} and ${paths.length - pathsShown} more` : paths.join(", ");
  const name = splitTaskId(task).specId;
  if (other === null) return `${name} changes ${shown}, which main changed since it began (${kinds[kind]}): ${name} will have to be redone on main`;
  const first = splitTaskId(other).specId;
  return `${first} and ${name} both change ${shown} (${kinds[kind]}): ${name} will have to be redone on top of ${first}`;
}
