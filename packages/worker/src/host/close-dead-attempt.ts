import type { AttemptOutcome, SessionIdentity } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { readFileIfAny } from "../durable-files.ts";
import { closeEventLog } from "../event-log.ts";
import { endProcesses } from "../process/end-processes.ts";
import type { Host } from "./host.ts";

const graceMs = 1000;

/** Ends what a dead wrapper left running, then writes the end that it could not write. The host is the only writer by now. */
export async function closeDeadAttempt(host: Host, files: AttemptFiles, identity: SessionIdentity, cursor: number): Promise<void> {
  if (identity.bootId === host.bootId && identity.token !== "") {
    await endProcesses({ token: identity.token, ...(identity.pidStart === "" ? {} : { since: identity.pidStart }) }, graceMs);
  }
  closeEventLog(files.events, outcomeOfDead(files, identity), { at: Date.now(), cursor });
}

function outcomeOfDead(files: AttemptFiles, identity: SessionIdentity): AttemptOutcome {
  const stop = readFileIfAny(files.stop);
  if (stop !== undefined) return { kind: "stopped", because: (JSON.parse(stop) as { because: string }).because };
  return { kind: "lost", because: `the wrapper (pid ${identity.pid}) is gone` };
}
