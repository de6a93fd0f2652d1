import type { Finding } from "@dispatch/core";
import type { GateInput } from "./policy.ts";

/** G04: a change that changes nothing, unless the spec expects that. */
export function judgeEmpty({ spec, changes }: GateInput): Finding[] {
  if (changes.length > 0 || spec.allowEmpty) return [];
  return [
    {
      gate: "G04",
      severity: "block",
      found: "no file was changed, created or deleted",
      why: "a task that changes nothing did nothing; that it was already complete has to be shown, not said",
      hint: "make the change the spec asks for; if nothing is to be done, the lead must set allow_empty in the spec",
    },
  ];
}
