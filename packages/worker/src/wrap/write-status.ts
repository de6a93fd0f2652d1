import type { AttemptOutcome } from "@dispatch/core";
import { decodeLine } from "@dispatch/protocol";
import type { AttemptFiles } from "../attempt-files.ts";
import { isDiskFull } from "../disk-room.ts";
import { readFileIfAny, replaceFile } from "../durable-files.ts";
import type { LoggedFact } from "../event-log.ts";
import type { Wrapper } from "./wrapper.ts";

/** Replaces status.json: what a person on the node can read without a session. A view; the events are the truth. */
export function writeStatus({ files, job, group }: Pick<Wrapper, "files" | "job" | "group">, logged: LoggedFact): void {
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
    limits: { ...job.limits, way: group?.way ?? null, unheld: group?.unheld ?? [] },
    outcome: fact.type === "attempt-ended" ? fact.outcome : null,
  };
  try {
    replaceFile(files.status, `${JSON.stringify(status, null, 2)}\n`, false);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** Puts the end into the status of an attempt whose wrapper died before it could. `at` in ms since the epoch. */
export function endStatus(files: AttemptFiles, outcome: AttemptOutcome, at: number): void {
  const text = readFileIfAny(files.status);
  if (text === undefined) return;
  const ended = { ...decodeLine(text), updatedAt: new Date(at).toISOString(), last: "attempt-ended", outcome };
  try {
    replaceFile(files.status, `${JSON.stringify(ended, null, 2)}\n`, false);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
