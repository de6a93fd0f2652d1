import type { AcceptanceResult, Finding } from "@dispatch/core";
import { cleanOutput, lastLines, quoteLine } from "./clean-output.ts";
import { meetsExpectation } from "./meets-expectation.ts";
import type { GateInput } from "./policy.ts";

/** G12: each acceptance item with a command gives what the spec expects. What no program can compare is remarked on. */
export function judgeAcceptance({ spec, acceptance = [] }: Pick<GateInput, "spec" | "acceptance">): Finding[] {
  return acceptance.flatMap((each) => {
    const claim = spec.acceptance.find((item) => item.id === each.item)?.text ?? "";
    if (!each.met) return [unmet(each, claim)];
    const { unread } = meetsExpectation(each.expected, each.result);
    return unread === "" ? [] : [uncompared(each, unread)];
  });
}

function unmet({ item, expected, result }: AcceptanceResult, claim: string): Finding {
  const end = result.outcome === "exited" ? `exited with ${result.exitCode}` : `did not end by itself (${result.outcome})`;
  const printed = lastLines(cleanOutput(result.outputTail), 1500, 30);
  return {
    gate: "G12",
    severity: "block",
    found: `${item} "${quoteLine(claim)}": \`${quoteLine(result.command)}\` ${end}; expected ${expected === "" ? "exit 0" : quoteLine(expected)}${printed.trim() === "" ? "" : `\n\n${printed}`}`,
    why: "an acceptance item holds when its command gives what the spec expects, and not before",
    hint: "run the command yourself and mend the code until it gives that; a command or an expectation that is wrong is the lead's to correct in the spec",
  };
}

function uncompared({ item, result }: AcceptanceResult, unread: string): Finding {
  return {
    gate: "G12",
    severity: "note",
    found: `${item}: \`${quoteLine(result.command)}\` was run, but nothing can compare "${quoteLine(unread)}" with what it printed`,
    why: "only exit N, equals, contains, matches, HTTP N and numbers can be compared; the rest was judged by the exit code",
    hint: "the lead should write the expected result in one of these forms, or read the output that is kept with the round",
  };
}
