import type { SpecProblem } from "@dispatch/protocol";
import { problemLine } from "./feed-lines.ts";
import { plural } from "./figures.ts";
import type { Paint } from "./paint.ts";
import { tableLines } from "./table.ts";
import { oneLine } from "./text-width.ts";
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
  const mendable = problems.filter((problem) => problem.fix !== undefined).length;
  const remedy = mendable === 0 ? "" : `; dispatch lint --fix mends ${mendable} of them`;
  return `${plural(errors, "error")}, ${plural(problems.length - errors, "warning")} in ${plural(files, "file")}${remedy}`;
}

/** What --fix did to a file. */
export interface Mended {
  file: string;
  fixes: readonly { id: string; line: number; what: string }[];
  leftBecause: string | null;
}

/** One line per fix; a file that was left as it is says why. */
export function mendedLines(mended: readonly Mended[], paint: Paint): string[] {
  return mended.flatMap(({ file, fixes, leftBecause }) => {
    const lines = fixes.map(
      ({ id, line, what }) => `${file}:${line} ${id} ${leftBecause === null ? paint.good("fixed") : "not fixed"} ${oneLine(what)}`,
    );
    return leftBecause === null ? lines : [...lines, `${file} ${paint.warn("left as it is")}: ${oneLine(leftBecause)}`];
  });
}

export interface Rule {
  id: string;
  level: string;
  otherwise: string;
  english: string;
  fixable: boolean;
}

/** The rules, one per line; --json has their Chinese words and what to do. */
export function ruleLines(rules: readonly Rule[], view: View): string[] {
  const columns = [{ title: "rule" }, { title: "severity" }, { title: "--fix" }, { title: "fires when", grow: true }];
  const rows = rules.map(({ id, level, otherwise, english, fixable }) => [
    { text: id },
    { text: level },
    { text: fixable ? "yes" : "" },
    { text: otherwise === "" ? english : `${english} (${otherwise})` },
  ]);
  return tableLines(columns, rows, view.columns, view.paint.faint);
}
