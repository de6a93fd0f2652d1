import { invariant } from "@dispatch/core";
import { killGroup } from "./limit/attempt-group.ts";
import { processesIn } from "./limit/find-cgroup.ts";
import { environHolds, hasProc, listProcesses, type SeenProcess } from "./list-processes.ts";

/** What belongs together: all that is in the control group, carries the token, is in the leader's session or group, or descends from these. */
export interface ProcessMark {
  token: string;
  /** Process id of a session leader we started, if one is known. */
  leader?: number;
  /** Control group that holds what it started, and nothing else. */
  group?: string;
  /** Kernel start of the oldest process that could belong; older ones are not looked at. */
  since?: string;
}

export const tokenVariable = "DISPATCH_TOKEN";

/**
 * Parents before their children, so that a signal in this order reaches an agent before its tools:
 * one that outlives its tool takes the tool's death for a result, and goes on writing.
 */
export function parentsFirst(found: readonly SeenProcess[]): SeenProcess[] {
  const pids = new Set(found.map(({ pid }) => pid));
  const ordered = found.filter(({ parent }) => !pids.has(parent));
  const left = new Set(found.filter(({ parent }) => pids.has(parent)));
  for (const { pid } of ordered) {
    for (const child of left) {
      if (child.parent !== pid) continue;
      ordered.push(child);
      left.delete(child);
    }
  }
  // The list is no snapshot: a number given away meanwhile can make a circle of it.
  return [...ordered, ...left];
}

/** Agents start their tools in sessions of their own, so neither the group nor the session alone finds them all. */
export function findMarked(mark: ProcessMark): SeenProcess[] {
  const all = listProcesses();
  const needle = `${tokenVariable}=${mark.token}`;
  // Also what left its session, cleared its environment and outlived its parent.
  const inGroup = new Set(mark.group === undefined ? [] : processesIn(mark.group));
  const chosen = new Set(all.filter((seen) => inGroup.has(seen.pid) && seen.pid !== process.pid).map((seen) => seen.pid));
  for (const seen of all) {
    if (seen.pid === process.pid) continue;
    if (isOlder(seen, mark.since)) continue;
    const led = mark.leader !== undefined && (seen.session === mark.leader || seen.group === mark.leader || seen.pid === mark.leader);
    if (led || environHolds(seen.pid, needle)) chosen.add(seen.pid);
  }
  for (let grew = chosen.size > 0; grew; ) {
    grew = false;
    for (const seen of all) {
      if (!chosen.has(seen.pid) && chosen.has(seen.parent) && seen.pid !== process.pid) {
        chosen.add(seen.pid);
        grew = true;
      }
    }
  }
  return parentsFirst(all.filter((seen) => chosen.has(seen.pid)));
}

function isOlder(seen: SeenProcess, since: string | undefined): boolean {
  return hasProc && since !== undefined && Number(seen.start) < Number(since);
}

/**
 * Ends everything marked: TERM, then KILL after `graceMs`, until nothing is found any more.
 * Gives the number of processes that were found; throws nothing when some cannot be ended.
 */
export async function endProcesses(mark: ProcessMark, graceMs: number): Promise<number> {
  const signalled = new Set<string>();
  const begin = Date.now();
  for (let pauseMs = 2; ; pauseMs = Math.min(50, pauseMs * 2)) {
    const found = findMarked(mark);
    if (found.length === 0) return signalled.size;
    const spent = Date.now() - begin;
    if (spent > graceMs + 10_000) return signalled.size;
    if (spent >= graceMs && mark.group !== undefined) killGroup(mark.group);
    for (const seen of found) {
      const name = `${seen.pid} ${seen.start}`;
      if (spent >= graceMs) send(seen.pid, "SIGKILL");
      else if (!signalled.has(name)) send(seen.pid, "SIGTERM");
      signalled.add(name);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A process that is gone already is what was wanted. */
export function send(pid: number, signal: NodeJS.Signals): void {
  // 0 and negative numbers mean groups to the kernel, 0 our own; 1 is never ours.
  invariant(Number.isInteger(pid) && pid > 1, `a signal to process ${pid}`);
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM"))) throw error;
  }
}
