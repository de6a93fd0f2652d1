import { coversPath, type DeclaredEvidence, type Finding } from "@dispatch/core";
import type { Change } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import type { GateInput } from "./policy.ts";

/** Blobs without content, in both of git's object formats. */
const emptyBlobs = new Set(["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"]);

/**
 * G13: each QA scenario of the spec has its evidence in the change, and that is not empty. A scenario that a person or a
 * tool of their own goes through is remarked on: no agent can be asked for it.
 */
export function judgeEvidence({ spec, changes }: Pick<GateInput, "spec" | "changes">): Finding[] {
  return spec.evidence.flatMap((declared) => {
    const under = changes.filter(({ path, kind }) => kind !== "deleted" && (path === declared.path || coversPath(declared.path, path)));
    if (under.some(hasContent)) return [];
    return [missing(declared, under.length > 0)];
  });
}

function hasContent({ newOid, newMode }: Change): boolean {
  return newMode.startsWith("100") && !emptyBlobs.has(newOid);
}

function missing({ scenario, path, manual }: DeclaredEvidence, there: boolean): Finding {
  return {
    gate: "G13",
    severity: manual ? "note" : "block",
    path: quoteLine(path),
    found: `scenario "${quoteLine(scenario)}" has ${there ? "only empty evidence" : "no evidence in the change"}`,
    why: "that a scenario was gone through is shown by what it left: output, a response, a picture",
    hint: manual
      ? "a person goes through it and keeps what they saw"
      : `go through its steps and write what they printed to ${quoteLine(path)}; it must not be ignored by git`,
  };
}
