import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AttemptId } from "@dispatch/core";
import type { SeenAttempt } from "@dispatch/protocol";
import { hasCode } from "../durable-files.ts";
import { readEvents } from "../event-log.ts";
import { isAlive } from "../process/session-identity.ts";
import { filesOf, type Host, readIdentity, readJob } from "./host.ts";

/** The attempts the files tell of: those asked for, and all that still have a worktree, also of others. */
export function seeAttempts(host: Host, asked: readonly AttemptId[]): SeenAttempt[] {
  const names = new Set(asked);
  for (const name of namesIn(join(host.home, "work"))) if (/^[A-Za-z0-9]/.test(name)) names.add(name);
  return [...names].flatMap((attempt) => {
    const files = filesOf(host, attempt);
    const identity = readIdentity(files);
    if (identity === undefined && readJob(files) === undefined) return [];
    const alive = identity !== undefined && isAlive(identity, host.bootId);
    const lastSeq = readEvents(files.events, 0).facts.at(-1)?.seq ?? 0;
    return [{ attempt, alive, identity: identity ?? null, lastSeq }];
  });
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}
