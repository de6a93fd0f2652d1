import type { AttemptOutcome, SessionIdentity } from "@dispatch/core";
import { decodeLine } from "@dispatch/protocol";
import type { AttemptFiles } from "../attempt-files.ts";
import { readFileIfAny } from "../durable-files.ts";
import { closeEventLog } from "../event-log.ts";
import { endProcesses } from "../process/end-processes.ts";
import { checkedGroup, removeGroup } from "../process/limit/attempt-group.ts";
import { endStatus } from "../wrap/write-status.ts";
import type { Host } from "./host.ts";

const graceMs = 1000;

/**
 * Ends what a dead wrapper left running, then writes the end that it could not write. The host is the only writer by now.
 * What an agent spoiled in the attempt's folder must not keep its end from being told.
 */
export async function closeDeadAttempt(host: Host, files: AttemptFiles, identity: SessionIdentity, cursor: number): Promise<void> {
  if (identity.bootId === host.bootId && identity.token !== "") {
    const group = groupOf(files, identity.token);
    const since = identity.pidStart === "" ? {} : { since: identity.pidStart };
    await endProcesses({ token: identity.token, ...since, ...(group === undefined ? {} : { group }) }, graceMs);
    if (group !== undefined) removeGroup(group);
  }
  const outcome = outcomeOfDead(files, identity);
  const at = Date.now();
  closeEventLog(files.events, outcome, { at, cursor });
  endStatus(files, outcome, at);
}

/** The control group that the attempt's wrapper wrote down; none where something else stands in its place. */
export function groupOf(files: AttemptFiles, token: string): string | undefined {
  const text = readFileIfAny(files.group);
  return text === undefined ? undefined : checkedGroup(decodeLine(text)?.["folder"], token);
}

function outcomeOfDead(files: AttemptFiles, identity: SessionIdentity): AttemptOutcome {
  const stop = readFileIfAny(files.stop);
  if (stop !== undefined) return { kind: "stopped", because: String(decodeLine(stop)?.["because"] ?? "it was asked to stop") };
  return { kind: "lost", because: `the wrapper (pid ${identity.pid}) is gone` };
}
