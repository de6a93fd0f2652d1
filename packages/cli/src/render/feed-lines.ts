import type { FeedView, SpecProblem } from "@dispatch/protocol";
import { plural } from "./figures.ts";
import type { Paint } from "./paint.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** What a feed took in, and what it left out. */
export function feedLines(project: string, feed: FeedView, view: View): string[] {
  const { paint } = view;
  const lines = feed.problems.map((problem) => problemLine(problem, paint));
  for (const id of feed.planned) lines.push(`${paint.good("planned")} ${id}`);
  for (const id of feed.revised) lines.push(`${paint.active("revised")} ${id}`);
  for (const file of feed.refused) lines.push(`${paint.bad("refused")} ${file}`);
  if (feed.moved.length > 0) lines.push(`moved ${plural(feed.moved.length, "file")} from specs/pending to specs/${project}`);
  const refused = feed.refused.length === 0 ? "" : `, ${feed.refused.length} refused`;
  lines.push(`${project}: ${feed.planned.length} planned, ${feed.revised.length} revised, ${feed.unchanged.length} unchanged${refused}`);
  return lines;
}

/** `file:line:col id severity message` on one line, with what --fix would do when it can mend it. */
export function problemLine(problem: SpecProblem, paint: Paint): string {
  const { file, line, column, id, severity, message, fix } = problem;
  const remedy = fix === undefined ? "" : paint.faint(` [--fix: ${oneLine(fix)}]`);
  return `${file}:${line}:${column} ${id} ${(severity === "error" ? paint.bad : paint.warn)(severity)} ${oneLine(message)}${remedy}`;
}
