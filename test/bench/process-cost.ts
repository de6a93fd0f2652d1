import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;

export interface ProcessCost {
  cpuSeconds: number;
  rssMiB: number;
  peakRssMiB: number;
  /** Page faults of all processes that it started and that have ended: more of them, and it has started one. */
  childFaults: number;
}

/** Processor time of a process itself (user and system) and its memory, as /proc has them. */
export function costOf(pid: number): ProcessCost {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssMiB: kib("VmRSS") / 1024,
    peakRssMiB: kib("VmHWM") / 1024,
    childFaults: Number(fields[8]),
  };
}

/** The processes whose parent this is. */
export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    // It has ended since the listing.
    return undefined;
  }
}
