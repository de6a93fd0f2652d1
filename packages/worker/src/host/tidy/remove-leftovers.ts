import { readFileSync, renameSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasCode } from "../../durable-files.ts";
import { hasProc, psCommands } from "../../process/list-processes.ts";
import type { Host } from "../host.ts";
import { namesIn } from "../take-stock.ts";

const hourMs = 3_600_000;

/** Takes a folder or file away in one step, so that nobody ever finds half of it, then removes it. */
export async function removeWhole(path: string): Promise<void> {
  const gone = join(dirname(path), `.gone-${basename(path)}`);
  await rm(gone, { recursive: true, force: true, maxRetries: 3 });
  try {
    renameSync(path, gone);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  await rm(gone, { recursive: true, force: true, maxRetries: 3 });
}

/** What a host that was killed had taken away, and repositories it never finished. */
export async function removeLeftovers(home: string, now: number): Promise<void> {
  for (const folder of ["attempts", "repos", "verify", "worker"]) {
    for (const name of namesIn(join(home, folder))) {
      const path = join(home, folder, name);
      const draft = folder === "repos" && /\.git\.draft-/.test(name) && now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > hourMs;
      if (draft || name.startsWith(".gone-")) await rm(path, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

/** Programs of older controllers that no process was started with. A young one may be about to be started. */
export async function removeOldBundles(host: Host, now: number): Promise<string[]> {
  const folder = join(host.home, "worker");
  const old = namesIn(folder).filter((name) => {
    const path = join(folder, name);
    return /^[0-9a-f]{64}\.mjs$/.test(name) && path !== host.bundle && now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > hourMs;
  });
  if (old.length === 0) return [];
  const commands = hasProc ? procCommands() : psCommands();
  const unused = old.filter((name) => !commands.includes(name));
  for (const name of unused) await rm(join(folder, name), { force: true });
  return unused.map((name) => join(folder, name));
}

function procCommands(): string {
  return namesIn("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1");
      } catch {
        // Gone meanwhile.
        return "";
      }
    })
    .join("\n");
}
