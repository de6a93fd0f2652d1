import type { SpecProblem } from "@dispatch/protocol";
import { problemLine } from "./feed-lines.ts";
import { plural } from "./figures.ts";
import type { View } from "./view.ts";

/** One line per problem. */
export function lintLines(problems: readonly SpecProblem[], view: View): string[] {
  return problems.map((problem) => problemLine(problem, view.paint));
}

/** `2 errors, 1 warning in 2 files`; `no problems` when there are none. */
export function lintSummary(problems: readonly SpecProblem[]): string {
  if (problems.length === 0) return "no problems";
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const files = new Set(problems.map((problem) => problem.file)).size;
  return `${plural(errors, "error")}, ${plural(problems.length - errors, "warning")} in ${plural(files, "file")}`;
}
