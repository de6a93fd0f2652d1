import { version } from "@dispatch/protocol";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { findFactory, lookForFactory } from "../find-factory.ts";
import { catchInterruption } from "../interruption.ts";
import { lintLines, lintSummary, mendedLines, ruleLines } from "../render/lint-lines.ts";

export interface LintInput {
  paths: readonly string[];
  project: string | undefined;
  fix: boolean;
  preflight: boolean;
  strict: boolean;
  format: "text" | "json" | "sarif";
}

/** `dispatch lint [PATHS...]`: 0 clean, 1 errors, and with --strict 2 when there are only warnings. */
export async function lintSpecs(context: CommandContext, input: LintInput): Promise<number> {
  const { terminal, namedFactory, cwd } = context;
  const factory = namedFactory === undefined ? await lookForFactory(undefined, cwd) : await findFactory(namedFactory, cwd);
  const { lintSpecFiles, toJsonReport, toSarif } = await import("@dispatch/controller");
  // Only a preflight has something to end in order.
  const interruption = input.preflight ? catchInterruption() : undefined;
  const { problems, mended } = await lintSpecFiles(factory, input.paths, {
    ...(input.project === undefined ? {} : { project: input.project }),
    ...(interruption === undefined ? {} : { signal: interruption.signal }),
    fix: input.fix,
    preflight: input.preflight,
    say: (line) => terminal.note([line]),
  }).finally(() => interruption?.release());
  if (interruption?.signal.aborted === true) {
    terminal.note(["interrupted; what was checked out for it is gone"]);
    return exitCodes.interrupted;
  }
  if (input.format === "sarif") terminal.json(toSarif(problems, version));
  else if (input.format === "json") terminal.json({ ...toJsonReport(problems), mended });
  else {
    terminal.out([...mendedLines(mended, terminal.paint), ...lintLines(problems, terminal.view())]);
    terminal.note([lintSummary(problems)]);
  }
  if (problems.some((problem) => problem.severity === "error")) return exitCodes.failed;
  return input.strict && problems.length > 0 ? exitCodes.warnings : exitCodes.ok;
}

/** `dispatch lint --rules` */
export async function listRules(context: CommandContext, json: boolean): Promise<number> {
  const { terminal } = context;
  const { lintRules } = await import("@dispatch/controller");
  if (json) terminal.json(lintRules);
  else terminal.out(ruleLines(lintRules, terminal.view()));
  return exitCodes.ok;
}
