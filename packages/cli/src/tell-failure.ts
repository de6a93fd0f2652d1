import { isFactoryError } from "@dispatch/core";
import type { CommanderError } from "commander";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { errorLines, errorObject, type Failure } from "./render/error-lines.ts";
import type { Terminal } from "./terminal.ts";

/** Prints a failure, on stderr or as JSON on stdout, and gives the exit code it stands for. */
export function tellFailure(error: unknown, terminal: Terminal, json: boolean): number {
  const failure = asFailure(error);
  tell(failure, terminal, json);
  return exitCodeOf(failure.code);
}

/** Prints what is wrong with a command line; the nearest known word becomes the hint. */
export function tellUsageError(error: CommanderError, terminal: Terminal, json: boolean): number {
  // The help was printed in place of a message.
  if (error.code === "commander.help" && !json) return exitCodes.usage;
  const text = error.code === "commander.help" ? "a command is missing" : error.message.replace(/^error: /, "");
  const suggestion = /\n?\(Did you mean (.*)\?\)$/.exec(text);
  const message = suggestion === null ? text : text.slice(0, suggestion.index);
  const hint = suggestion === null ? "dispatch --help, or dispatch help COMMAND" : suggestion[1];
  tell({ code: "USAGE", message, hint, facts: {} }, terminal, json);
  return exitCodes.usage;
}

function tell(failure: Failure, terminal: Terminal, json: boolean): void {
  if (json) terminal.json(errorObject(failure));
  else terminal.note(errorLines(failure, terminal.paint));
}

/** A thrown value as it is told to a person; what is no failure of ours comes with its stack. */
export function asFailure(error: unknown): Failure {
  if (isFactoryError(error)) return { code: error.code, message: error.message, hint: error.hint, facts: error.facts };
  if (!(error instanceof Error)) return { code: "UNEXPECTED", message: String(error), hint: undefined, facts: {} };
  const { code } = error as NodeJS.ErrnoException;
  // What the operating system refuses says enough by itself; everything else is a defect and needs its stack.
  if (code !== undefined) return { code: "UNEXPECTED", message: error.message, hint: undefined, facts: {} };
  return {
    code: "UNEXPECTED",
    message: `${error.message}, which is a defect of dispatch`,
    hint: "report it with these lines",
    facts: { problems: stackOf(error) },
  };
}

function stackOf(error: Error): string[] {
  return (error.stack ?? "")
    .split("\n")
    .slice(1, 9)
    .map((line) => line.trim());
}
