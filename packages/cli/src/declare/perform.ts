import type { CommandContext } from "../command-context.ts";

/** Runs a command that was loaded just now; `json` is how its failure is to be told. */
export type Perform = (json: boolean | undefined, act: (context: CommandContext) => Promise<number>) => Promise<void>;

export interface JsonOption {
  json?: boolean;
}

/** Text below a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ dispatch ${line}`).join("\n")}`;
}

export const jsonFlag = "--json";
export const jsonText = "print JSON";
export const taskText = "PROJECT/S01-name, S01-name, or S01 where that is one task";
