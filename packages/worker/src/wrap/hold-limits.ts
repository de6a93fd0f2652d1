import type { AttemptLimits, Finding } from "@dispatch/core";
import { replaceFile } from "../durable-files.ts";
import { type AttemptGroup, memoryKills, openGroup } from "../process/limit/attempt-group.ts";
import type { OutputAllowance, RunResult } from "../process/run-command.ts";
import type { Wrapper } from "./wrapper.ts";

/** Makes the group of the attempt and writes it down, so that a host finds what a dead wrapper left running. */
export async function openWrapperGroup({ files, job }: Pick<Wrapper, "files" | "job">): Promise<AttemptGroup> {
  const group = await openGroup(job.token, job.limits);
  if (group.folder !== null) replaceFile(files.group, JSON.stringify({ folder: group.folder }), false);
  return group;
}

/** What one round has printed, and how often its memory ran out. */
export interface RoundLimits {
  allowance: OutputAllowance;
  /** Remarks on a command of the round that a limit ended. */
  after(result: RunResult, who: string): Finding[];
}

export function limitsOfRound({ group, job: { limits } }: Pick<Wrapper, "group" | "job">): RoundLimits {
  const allowance = { leftBytes: limits.outputMb === null ? Number.POSITIVE_INFINITY : Math.floor(limits.outputMb * 1024 * 1024) };
  const killsNow = (): number => (group === null ? 0 : memoryKills(group));
  let kills = killsNow();
  return {
    allowance,
    after(result, who) {
      const before = kills;
      kills = killsNow();
      const outOfMemory = kills > before ? [memoryFinding(limits, who)] : [];
      return result.tooMuch === true ? [...outOfMemory, outputFinding(limits, who)] : outOfMemory;
    },
  };
}

/** Says once a round which limits are not held on this machine; nothing where all are. */
export function unheldFindings({ way, unheld }: AttemptGroup): Finding[] {
  if (unheld.length === 0) return [];
  return [
    {
      gate: "agent",
      severity: "note",
      found: `not limited on this node: ${unheld.join(", ")} (way: ${way})`,
      why: "the node can make no control group in which this is limited",
      hint: "See the limits in the operations guide for what a node needs.",
    },
  ];
}

function memoryFinding({ memoryMb }: AttemptLimits, who: string): Finding {
  return {
    gate: "agent",
    severity: "note",
    found:
      memoryMb === null
        ? `${who}: the machine ran out of memory (cgroup oom_kill)`
        : `${who}: memory limit of ${memoryMb} MiB reached (cgroup oom_kill)`,
    why: "the kernel ended a process of the attempt because there was no memory left for all of them together",
    hint: "Use less memory at once: fewer parallel jobs, smaller inputs. The lead can raise limits.memoryMb of the node.",
  };
}

function outputFinding({ outputMb }: AttemptLimits, who: string): Finding {
  return {
    gate: "agent",
    severity: "note",
    found: `${who}: more than ${outputMb} MiB printed in one round, so it was ended`,
    why: "what commands print is kept on the node's disk; a command that prints without end would fill it",
    hint: "Print less: write long output to a file, and show its end. The lead can raise limits.outputMb of the node.",
  };
}
