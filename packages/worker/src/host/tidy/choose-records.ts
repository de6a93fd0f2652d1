import type { AttemptId, ProjectId } from "@dispatch/core";
import type { NodeUsage, TidyOrder } from "@dispatch/protocol";

/** The record of an attempt that is over. */
export interface OldRecord {
  attempt: AttemptId;
  project: ProjectId | undefined;
  /** When it ended, in ms since the epoch. */
  endedAt: number;
  bytes: number;
}

/**
 * Which records go, oldest first: all that are older than they need be kept; then, while a project or the node is over its
 * quota, younger ones of that project or of all.
 */
export function chooseRecords(records: readonly OldRecord[], usage: NodeUsage, order: TidyOrder, now: number): OldRecord[] {
  const left = new Map<ProjectId, number>(Object.entries(usage.projects));
  let total = usage.bytes;
  const chosen: OldRecord[] = [];
  const choose = (record: OldRecord): void => {
    chosen.push(record);
    total -= record.bytes;
    if (record.project !== undefined) left.set(record.project, (left.get(record.project) ?? 0) - record.bytes);
  };
  const byAge = [...records].sort((a, b) => a.endedAt - b.endedAt || (a.attempt < b.attempt ? -1 : 1));
  const young = byAge.filter((record) => {
    if (now - record.endedAt <= order.keepMs) return true;
    choose(record);
    return false;
  });
  const kept = young.filter((record) => {
    if (record.project === undefined || !isOver(left.get(record.project) ?? 0, order.projectQuotaBytes)) return true;
    choose(record);
    return false;
  });
  for (const record of kept) if (isOver(total, order.quotaBytes)) choose(record);
  return chosen;
}

export function isOver(bytes: number, quota: number | null): boolean {
  return quota !== null && bytes > quota;
}
