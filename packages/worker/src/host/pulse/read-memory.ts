import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { hasCode } from "../../durable-files.ts";
import { askProgram } from "../../process/ask-program.ts";
import { allowedEnvironment } from "../../process/environment.ts";

/** Bytes that programs can still get, which is more than what is unused. */
export async function readFreeMemory(): Promise<number> {
  try {
    const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  const answer = await askProgram({ argv: ["vm_stat"], cwd: "/", env: allowedEnvironment(), timeoutMs: 3000 });
  return Math.min(totalmem(), parseVmStat(answer?.text ?? "") ?? freemem());
}

/** What macOS can give without swapping: free pages, and those it only keeps in case. Undefined: not the text of `vm_stat`. */
export function parseVmStat(text: string): number | undefined {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1]);
  const pages = (what: string): number => Number(new RegExp(`^Pages ${what}:\\s+(\\d+)\\.$`, "m").exec(text)?.[1] ?? 0);
  const free = ["free", "inactive", "speculative", "purgeable"].reduce((sum, what) => sum + pages(what), 0);
  return Number.isFinite(pageBytes) && free > 0 ? free * pageBytes : undefined;
}
