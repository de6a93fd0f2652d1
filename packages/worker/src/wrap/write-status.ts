import type { AttemptJob } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { isDiskFull } from "../disk-room.ts";
import { replaceFile } from "../durable-files.ts";
import type { LoggedFact } from "../event-log.ts";

/** Replaces status.json: what a person on the node can read without a session. A view; the events are the truth. */
export function writeStatus(files: AttemptFiles, job: AttemptJob, logged: LoggedFact): void {
  const { fact } = logged;
  const status = {
    attempt: job.attempt,
    project: job.project,
    spec: job.specId,
    branch: job.branch,
    base: job.base,
    executor: job.executor.name,
    maxRounds: job.maxRounds,
    pid: process.pid,
    seq: logged.seq,
    updatedAt: new Date(logged.at).toISOString(),
    last: fact.type,
    round: "round" in fact ? fact.round : null,
    outcome: fact.type === "attempt-ended" ? fact.outcome : null,
  };
  try {
    replaceFile(files.status, `${JSON.stringify(status, null, 2)}\n`, false);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
