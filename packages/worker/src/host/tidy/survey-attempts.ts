import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AttemptId, AttemptJob, ProjectId } from "@dispatch/core";
import type { AttemptFiles } from "../../attempt-files.ts";
import { isAlive } from "../../process/session-identity.ts";
import { filesOf, type Host, readIdentity, readJob } from "../host.ts";
import { namesIn } from "../take-stock.ts";
import { projectOfAttempt } from "./measure-usage.ts";

/** An attempt of which something lies in the node's folder. */
export interface KnownAttempt {
  attempt: AttemptId;
  /** Undefined: it cannot be told. */
  project: ProjectId | undefined;
  /** Undefined: it cannot be told, or is not needed any more. */
  base: string | undefined;
  /** When its job came and when its last event was written, in ms since the epoch. */
  since: number;
  endedAt: number;
  /** The controller said that it is over, and nothing here speaks against it. */
  over: boolean;
  /** Its worktree may be just being made. */
  beginning: boolean;
}

/** Everybody who ever worked here, also for other controllers that share the home; without those that are `known` already. */
export async function surveyAttempts(host: Host, over: ReadonlySet<AttemptId>, known: readonly KnownAttempt[] = []): Promise<KnownAttempt[]> {
  const names = new Set([...namesIn(join(host.home, "attempts")), ...namesIn(join(host.home, "work"))]);
  for (const { attempt } of known) names.delete(attempt);
  const found: KnownAttempt[] = [];
  for (const attempt of names) {
    if (/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(attempt)) found.push(survey(host, attempt, over.has(attempt)));
    // There may be thousands, and others wait for their answers.
    if (found.length % 20 === 0) await new Promise((next) => setImmediate(next));
  }
  return found;
}

function survey(host: Host, attempt: AttemptId, saidOver: boolean): KnownAttempt {
  const files = filesOf(host, attempt);
  const identity = identityOf(files);
  const alive = identity === "damaged" || (identity !== undefined && isAlive(identity, host.bootId));
  const since = timeOf(files.job) ?? timeOf(files.dir) ?? Date.now();
  const over = saidOver && !alive && !existsSync(files.worktree);
  const young = Date.now() - since < 10 * 60_000;
  return {
    attempt,
    project: projectOfAttempt(attempt),
    base: over ? undefined : jobOf(files)?.base,
    since,
    endedAt: timeOf(files.events) ?? since,
    over,
    beginning: !over && (alive || young) && !existsSync(join(files.dir, "worktree.json")),
  };
}

function jobOf(files: AttemptFiles): AttemptJob | undefined {
  try {
    return readJob(files);
  } catch {
    return undefined;
  }
}

function identityOf(files: AttemptFiles): ReturnType<typeof readIdentity> | "damaged" {
  try {
    return readIdentity(files);
  } catch {
    return "damaged";
  }
}

function timeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
