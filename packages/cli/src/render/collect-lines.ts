import type { LastCollect } from "@dispatch/core";
import type { TaskRow } from "@dispatch/protocol";
import { plural, shortOid } from "./figures.ts";
import { specIdOf } from "./task-table.ts";
import type { View } from "./view.ts";

/** What a collect has brought; why one stopped is said as an error, not here. */
export function collectLines(project: string, landed: readonly TaskRow[], last: LastCollect, view: View): string[] {
  const lines = landed.map((row) => `${view.paint.good("landed")} ${specIdOf(row.id)}  ${row.title}`);
  if (last.outcome === "published") {
    const by = last.url === undefined ? "" : ` by ${last.url}`;
    lines.push(`${project}: ${plural(landed.length, "task")} landed, ${view.paint.good("published")} ${shortOid(last.commit)}${by}`);
  }
  return lines;
}
