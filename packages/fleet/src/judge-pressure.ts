import type { Heartbeat } from "@dispatch/protocol";
import type { NodeConfig } from "./node-config.ts";

/** What a node has too little of to be given new tasks. */
export interface Pressure {
  /** What is tight: `disk`, `inodes`, `memory`, `trouble`, `quota`, and `project NAME` for a project over its quota. */
  tight: readonly string[];
  /** As a sentence without its end; empty when nothing is tight. */
  because: string;
}

export const noPressure: Pressure = { tight: [], because: "" };

export type PressureFacts = Pick<
  Heartbeat,
  "freeDiskBytes" | "totalDiskBytes" | "freeInodes" | "freeMemoryBytes" | "totalMemoryBytes" | "usage" | "trouble"
>;

/** What is tight opens again at so many times its mark, so that a node at the mark does not open and close all the time. */
const openingFactor = 1.2;
const mebibyte = 2 ** 20;
const mostDiskMark = 2048 * mebibyte;
const mostMemoryMark = 512 * mebibyte;
/** A worktree has thousands of files. */
const inodeMark = 2000;

interface Finding {
  measure: string;
  because: string;
}

/** Judges a heartbeat by the node's marks and quotas; `before` is the last judgement. Null marks: a tenth of what there is, within bounds. */
export function judgePressure(facts: PressureFacts, { lowWater, quota }: Pick<NodeConfig, "lowWater" | "quota">, before: Pressure): Pressure {
  const { freeDiskBytes, totalDiskBytes, freeMemoryBytes, totalMemoryBytes, freeInodes, usage, trouble } = facts;
  const marks = lowWaterMarks(lowWater, { diskBytes: totalDiskBytes, memoryBytes: totalMemoryBytes });
  const rooms: Room[] = [
    { measure: "disk", free: freeDiskBytes, mark: marks.diskBytes, show: bytesText, what: "of disk" },
    { measure: "memory", free: freeMemoryBytes, mark: marks.memoryBytes, show: bytesText, what: "of memory" },
  ];
  if (freeInodes !== null) rooms.push({ measure: "inodes", free: freeInodes, mark: inodeMark, show: String, what: "inodes" });
  const uses: Use[] = [];
  if (usage !== null && quota.bytes !== null) uses.push({ measure: "quota", used: usage.bytes, quota: quota.bytes, what: "its folder" });
  for (const [project, used] of Object.entries(usage?.projects ?? {})) {
    const what = `project ${project}`;
    if (quota.projectBytes !== null) uses.push({ measure: what, used, quota: quota.projectBytes, what });
  }
  const tight: Finding[] = [
    ...(trouble === null ? [] : [{ measure: "trouble", because: trouble }]),
    ...rooms.flatMap((room) => tooFew(room, before)),
    ...uses.flatMap((use) => tooMuch(use, before)),
  ];
  if (tight.length === 0) return noPressure;
  return { tight: tight.map(({ measure }) => measure), because: tight.map(({ because }) => because).join("; ") };
}

/** Below what free a node of this size takes no new tasks, in bytes. */
export function lowWaterMarks(
  configured: NodeConfig["lowWater"],
  total: { diskBytes: number; memoryBytes: number },
): { diskBytes: number; memoryBytes: number } {
  return {
    diskBytes: configured.diskBytes ?? Math.min(total.diskBytes / 10, mostDiskMark),
    memoryBytes: configured.memoryBytes ?? Math.min(total.memoryBytes / 10, mostMemoryMark),
  };
}

interface Room {
  measure: string;
  free: number;
  mark: number;
  show(n: number): string;
  what: string;
}

function tooFew({ measure, free, mark, show, what }: Room, before: Pressure): Finding[] {
  if (free < mark) return [{ measure, because: `${show(free)} ${what} free, less than ${show(mark)}` }];
  const opening = mark * openingFactor;
  if (!before.tight.includes(measure) || free >= opening) return [];
  return [{ measure, because: `${show(free)} ${what} free, not yet ${show(opening)} again` }];
}

interface Use {
  measure: string;
  used: number;
  quota: number;
  what: string;
}

function tooMuch({ measure, used, quota, what }: Use, before: Pressure): Finding[] {
  if (used > quota) return [{ measure, because: `${what} takes ${bytesText(used)}, more than its quota of ${bytesText(quota)}` }];
  const opening = quota / openingFactor;
  if (!before.tight.includes(measure) || used <= opening) return [];
  return [{ measure, because: `${what} takes ${bytesText(used)}, not yet down to ${bytesText(opening)}` }];
}

function bytesText(bytes: number): string {
  const [amount, unit] = bytes >= 1024 * mebibyte ? [bytes / (1024 * mebibyte), "GiB"] : [bytes / mebibyte, "MiB"];
  return `${amount.toFixed(1).replace(/\.0$/, "")} ${unit}`;
}
