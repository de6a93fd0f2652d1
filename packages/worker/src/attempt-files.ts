import { join } from "node:path";
import type { AttemptId } from "@dispatch/core";

/** Where everything about one attempt lies in a node's home. The only place that knows. */
export interface AttemptFiles {
  home: string;
  dir: string;
  job: string;
  identity: string;
  events: string;
  status: string;
  stop: string;
  /** The control group of what the attempt starts, where there is one. */
  group: string;
  spec: string;
  fifo: string;
  /** Index of the worktree as the wrapper keeps it. Exists from when the worktree is complete. */
  index: string;
  worktree: string;
  discardedWorktree: string;
  /** Folder of the notices; outside of the worktree, so that none is ever part of a change. */
  notices: string;
  notice(n: number): string;
  prompt(round: number): string;
  agentLog(round: number): string;
  verifyLog(round: number): string;
  usage(round: number): string;
  /** What failed on the base already, as this attempt saw it. */
  baseline: string;
}

export function attemptFiles(home: string, attempt: AttemptId): AttemptFiles {
  const dir = join(home, "attempts", attempt);
  const notices = join(dir, "notices");
  return {
    home,
    dir,
    job: join(dir, "job.json"),
    identity: join(dir, "identity.json"),
    events: join(dir, "events.ndjson"),
    status: join(dir, "status.json"),
    stop: join(dir, "stop.json"),
    group: join(dir, "group.json"),
    spec: join(dir, "spec.md"),
    fifo: join(dir, "output.fifo"),
    index: join(dir, "index"),
    worktree: join(home, "work", attempt),
    discardedWorktree: join(home, "work", `.discarded-${attempt}`),
    notices,
    notice: (n) => join(notices, `${n}.md`),
    prompt: (round) => join(dir, `prompt-${round}.md`),
    agentLog: (round) => join(dir, `agent-${round}.log`),
    verifyLog: (round) => join(dir, `verify-${round}.log`),
    baseline: join(dir, "baseline.json"),
    usage: (round) => join(dir, `usage-${round}.json`),
  };
}
