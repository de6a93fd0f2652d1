import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { findFactory, lookForFactory } from "../find-factory.ts";
import { lintLines, lintSummary } from "../render/lint-lines.ts";

export interface LintInput {
  paths: readonly string[];
  project: string | undefined;
  strict: boolean;
  json: boolean;
}

/** `dispatch lint [PATHS...]`: 0 clean, 1 errors, and with --strict 2 when there are only warnings. */
export async function lintSpecs(context: CommandContext, input: LintInput): Promise<number> {
  const { terminal, namedFactory, cwd } = context;
  const factory = namedFactory === undefined ? await lookForFactory(undefined, cwd) : await findFactory(namedFactory, cwd);
  const { lintFactory } = await import("@dispatch/controller");
  const problems = await lintFactory(factory, input.paths, input.project === undefined ? {} : { project: input.project });
  if (input.json) terminal.json(problems);
  else {
    terminal.out(lintLines(problems, terminal.view()));
    terminal.note([lintSummary(problems)]);
  }
  if (problems.some((problem) => problem.severity === "error")) return exitCodes.failed;
  return input.strict && problems.length > 0 ? exitCodes.usage : exitCodes.ok;
}
