import { type Finding, type GateId, hasBlocking, type TaskSpec } from "@dispatch/core";
import { gateList } from "@dispatch/gates";

/** A gate that did not judge, or not all it could, and why. */
export interface LeftOut {
  gate: GateId;
  because: string;
}

export interface ChosenGates {
  run: readonly GateId[];
  leftOut: readonly LeftOut[];
}

/** What was there for the gates to look at. */
export interface Judged {
  /** Null: no spec was given. */
  spec: TaskSpec | null;
  /** Why no command was run; null: they were run. */
  notRun: string | null;
  verifyGreen: boolean;
  /** Whether the verify commands were run on the base as well. */
  comparedWithBase: boolean;
  /** Whether the change's tests were run on the base sources. */
  proven: boolean;
  /** What blocked before these tests would have been run. */
  findings: readonly Finding[];
}

/** Which gates judged, and why the others did not: what was not looked at is never taken for good. */
export function chooseGates(judged: Judged): ChosenGates {
  const leftOut = gateList.flatMap(({ id }): LeftOut[] => {
    const because = reasonAgainst(id, judged);
    return because === undefined ? [] : [{ gate: id, because }];
  });
  const out = new Set(leftOut.map(({ gate }) => gate));
  return { run: gateList.map(({ id }) => id).filter((id) => !out.has(id)), leftOut };
}

const noSpec = "no spec was given (--spec FILE)";

function reasonAgainst(gate: GateId, judged: Judged): string | undefined {
  const { spec, notRun } = judged;
  switch (gate) {
    case "G01":
    case "G11":
      return notRun ?? undefined;
    case "G03":
      return spec === null
        ? `${noSpec}, so nothing says which paths may be touched; only links that leave the repository were looked for`
        : undefined;
    case "G04":
    case "G13":
      return spec === null ? noSpec : undefined;
    case "G10":
      return spec === null ? noSpec : (notRun ?? reasonAgainstProof(judged, spec));
    case "G12":
      return spec === null ? noSpec : (notRun ?? reasonAgainstAcceptance(judged, spec));
    case "G14":
      return "what the shared contract is stands in a factory's dispatch.yaml";
    case "G15":
      if (notRun !== null || judged.verifyGreen || judged.comparedWithBase) return notRun ?? undefined;
      return "verify is red and names no failing test that could be compared with the base";
    case "G02":
    case "G05":
    case "G06":
    case "G07":
    case "G08":
    case "G09":
      return undefined;
  }
}

function reasonAgainstProof({ proven, findings }: Judged, { type }: TaskSpec): string | undefined {
  if (proven) return undefined;
  if (type !== "feature" && type !== "bugfix") return `a spec of type ${type} has nothing to prove by a failing test`;
  return hasBlocking(findings) ? "it comes last, when nothing else blocks" : "the change has no test to prove, or nothing but tests";
}

function reasonAgainstAcceptance({ verifyGreen }: Judged, { acceptance }: TaskSpec): string | undefined {
  if (acceptance.length === 0) return "no acceptance item of the spec names a command";
  return verifyGreen ? undefined : "verify is red, and that comes first";
}
