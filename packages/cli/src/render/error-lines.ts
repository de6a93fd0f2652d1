import type { Paint } from "./paint.ts";
import { oneLine } from "./text-width.ts";

/** A failure as the daemon, a command or the command line itself reports it. */
export interface Failure {
  code: string;
  message: string;
  hint: string | undefined;
  facts: Readonly<Record<string, unknown>>;
}

/** `error: message`, one line per problem, the log's end when there is one, and `  try: hint`. */
export function errorLines(failure: Failure, paint: Paint): string[] {
  const problems = failure.facts["problems"];
  // A message may repeat its problems for logs; here they stand below it, one per line.
  const message = Array.isArray(problems) ? failure.message.split("\n", 1)[0] : failure.message.trimEnd();
  const lines = [`${paint.bad("error:")} ${message}`];
  if (Array.isArray(problems)) lines.push(...problems.map((problem) => `  ${problemLine(problem)}`));
  const log = failure.facts["log"];
  if (Array.isArray(log) && log.length > 0) lines.push("  the end of its log:", ...log.map((line) => `    ${oneLine(String(line))}`));
  if (failure.hint !== undefined && failure.hint !== "") lines.push(`  try: ${failure.hint}`);
  return lines;
}

/** The object that `--json` prints in place of a result. */
export function errorObject(failure: Failure): object {
  return { error: { code: failure.code, message: failure.message, hint: failure.hint ?? null, facts: failure.facts } };
}

/** A spec's problem has a line (`file:line:col id severity message`), a configuration's a path (`file path: message`). */
function problemLine(problem: unknown): string {
  if (typeof problem !== "object" || problem === null) return oneLine(String(problem));
  const { file, line, column, id, severity, path, message, hint } = problem as Record<string, unknown>;
  const text = oneLine(String(message ?? ""));
  const remedy = hint === undefined || hint === null || hint === "" ? "" : `; try: ${oneLine(String(hint))}`;
  if (typeof line === "number") return [`${file}:${line}:${column ?? 1}`, id, severity, text + remedy].filter((part) => part !== undefined).join(" ");
  const where = [file, path].filter((part) => part !== undefined && part !== "").join(" ");
  return where === "" ? text + remedy : `${where}: ${text}${remedy}`;
}
