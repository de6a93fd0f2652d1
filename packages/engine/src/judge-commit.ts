import {
  type CommandResult,
  type Finding,
  hasBlocking,
  type NodePool,
  type Oid,
  type ProjectId,
  type Repositories,
  type VerifyCommand,
} from "@dispatch/core";
import { judgeVerify } from "@dispatch/gates";
import type { GateSlots } from "./gate-slots.ts";
import type { EnginePorts } from "./ports.ts";

export interface GateRun {
  project: ProjectId;
  commit: Oid;
  verify: readonly VerifyCommand[];
  /** Names the run; the same name is the same run. */
  run: string;
}

/** `broken`: the machine failed it, which says nothing of the commit. */
export type Verdict =
  | { kind: "green"; results: readonly CommandResult[] }
  | { kind: "red"; results: readonly CommandResult[]; findings: readonly Finding[] }
  | { kind: "broken"; because: string };

/** What judging works with. */
interface JudgingPorts {
  nodes: Pick<NodePool, "prepareRepository" | "runVerify">;
  repositories: Pick<Repositories, "sendCommit">;
  gateSlots: Pick<GateSlots, "run">;
  at: EnginePorts["at"];
}

/** What commands return on exactly this commit, in a gate slot of a node. */
export async function judgeCommit(ports: JudgingPorts, { project, commit, verify, run }: GateRun): Promise<Verdict> {
  return await ports.gateSlots.run(run, async ({ node, bay }) => {
    const url = await ports.nodes.prepareRepository(node, project);
    await ports.repositories.sendCommit(project, commit, url);
    ports.at("verify-run:before");
    const results = await ports.nodes.runVerify(node, { id: run, project, commit, verify, bay });
    return verdictOf(results);
  });
}

/** What ends a process from outside: somebody, or a machine without memory. A crash of the tests has other names. */
const outsideSignals: readonly (string | null)[] = ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"];

/** What the machine did to a command, in words; undefined when all of them ended by themselves. */
export function endedFromOutside(results: readonly CommandResult[]): string | undefined {
  const broken = results.find(({ outcome, signal }) => outcome === "killed" && outsideSignals.includes(signal));
  return broken === undefined ? undefined : `\`${broken.command}\` was ended from outside (${broken.signal ?? "no signal"})`;
}

function verdictOf(results: readonly CommandResult[]): Verdict {
  const because = endedFromOutside(results);
  if (because !== undefined) return { kind: "broken", because };
  const findings = judgeVerify({ verify: results });
  return hasBlocking(findings) ? { kind: "red", results, findings } : { kind: "green", results };
}
