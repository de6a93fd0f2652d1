import type { CommandResult, Finding } from "@dispatch/core";
import { cutText, quoteLine } from "./clean-output.ts";
import type { GateInput } from "./policy.ts";
import { quoteFailure } from "./quote-failure.ts";
import { isExcused } from "./results/baseline.ts";
import { readResults } from "./results/read-results.ts";
import { ranOf } from "./results/test-report.ts";

/**
 * G01: every verify command ended by itself with code 0 and, where its test runner is known, ran at least one test.
 * `verify: null` is not judged; an empty list is red, for nothing was shown. What was just as red on the base is G15's.
 */
export function judgeVerify({ verify, baseline }: Pick<GateInput, "verify" | "baseline">): Finding[] {
  if (verify === null) return [];
  if (verify.length === 0) {
    return [
      blocked(
        "no verify command was run",
        "nothing was shown to work",
        "name a verify command in the spec or for the project; the lead has to do this",
      ),
    ];
  }
  return verify.flatMap((result) => (baseline !== undefined && isExcused(result, baseline) ? [] : (judgeResult(result) ?? [])));
}

/** What a result rests on, in one line: the count of a known runner, or the exit code alone. */
export function describeEvidence(result: CommandResult): string {
  const report = readResults(result);
  const seen =
    report === null
      ? "judged by the exit code alone: no known test runner in the output"
      : `${ranOf(report.totals)} tests ran, as ${report.runner} says (${report.format})`;
  return `${nameOf(result)} ${endOf(result)}; ${seen}`;
}

function judgeResult(result: CommandResult): Finding | undefined {
  const name = nameOf(result);
  const end = `${name} ${endOf(result)}`;
  if (result.outcome !== "exited" || result.exitCode !== 0) {
    const { failing, quote } = quoteFailure(result.outputTail, readResults(result));
    const names = failing.length === 0 ? "" : `\nfailing: ${cutText(failing.join("; "), 1000)}`;
    return blocked(`${end}${names}${quote.trim() === "" ? "\nit printed nothing" : `\n\n${quote}`}`, whyOf(result), hintOf(result));
  }
  const report = readResults(result);
  if (report === null || ranOf(report.totals) > 0) return undefined;
  const { quote } = quoteFailure(result.outputTail);
  return blocked(
    `${end}, but ${report.runner} ran no test\n\n${quote}`,
    "a command that tests nothing shows nothing; skipped tests and files without tests do not count",
    `make sure that the tests lie where ${name} looks for them, and that they are neither skipped nor filtered out`,
  );
}

function blocked(found: string, why: string, hint: string): Finding {
  return { gate: "G01", severity: "block", found, why, hint };
}

function nameOf(result: CommandResult): string {
  return `\`${quoteLine(result.command)}\``;
}

function endOf(result: CommandResult): string {
  switch (result.outcome) {
    case "exited":
      return `exited with ${result.exitCode ?? "no code"}`;
    case "timed-out":
      return "did not end within its time limit";
    case "killed":
      return `was killed${result.signal === null ? "" : ` by ${quoteLine(result.signal)}`}`;
    case "not-started":
      return "could not be started";
  }
}

function whyOf(result: CommandResult): string {
  if (result.outcome === "exited" && result.exitCode === 127) return "the shell did not find a command: nothing was tested";
  if (result.outcome === "exited" && result.exitCode === 126) return "the shell found the command but may not run it: nothing was tested";
  if (result.outcome === "exited") return "only a verify command that exits with 0 shows that the work is done";
  return "a verify command that does not end by itself shows nothing";
}

function hintOf(result: CommandResult): string {
  switch (result.outcome) {
    case "timed-out":
      return "find what hangs: an open server, a timer, a wait for input; close it at the end of the test";
    case "killed":
      return "find what ended it: too much memory, or a process that kills its own group";
    case "not-started":
      return "the command or its folder does not exist in the worktree; create what it needs, or the lead must correct the verify command";
    case "exited":
      if (result.exitCode === 127)
        return "the command does not exist: create the script it names or declare the missing dependency; a wrong verify command is the lead's to correct";
      if (result.exitCode === 126) return "the file is not executable: give it mode 755 in git";
      return "run the command, read the first failure, and mend the code; do not weaken the test";
  }
}
