import { FactoryError } from "@dispatch/core";

/** Printed before a program begins, so that what a login shell's start-up files print is told from what the program prints. */
export const beginMark = "dispatch-begins-7d1f";

/** A word that means itself in single quotes to every login shell (sh, bash, zsh, fish, csh). */
const plainWord = /^[^\p{Cc}'\\!]*$/u;

/** The command line of a program for a login shell. Throws NODE_FAILED for a word that a shell could take for something else. */
export function remoteCommand(argv: readonly string[]): string {
  for (const word of argv) {
    if (plainWord.test(word)) continue;
    throw new FactoryError("NODE_FAILED", `${JSON.stringify(word)} cannot be named in a command on the node`, {
      fault: "user",
      hint: "choose a work_dir without quotes, backslashes, exclamation marks and control characters",
    });
  }
  return `echo ${beginMark}; exec ${argv.map((word) => `'${word}'`).join(" ")}`;
}
