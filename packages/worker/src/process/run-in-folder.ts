import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult, VerifyCommand } from "@dispatch/core";
import { startOf } from "./list-processes.ts";
import { makeFifo } from "./output-pipe.ts";
import { startVerify } from "./run-verify.ts";

/** Where commands run outside of any attempt. */
export interface FolderRun {
  /** Folder whose content is judged. */
  root: string;
  /** A folder beside it, for what running takes. */
  scratch: string;
  /** Ends the command that runs; no further one is started. */
  signal: AbortSignal;
}

/**
 * Runs commands one after the other in a folder, as the rounds of an attempt do: same environment, same results, and
 * nothing they start outlives them. Fewer results than commands: it was ended.
 */
export async function runInFolder({ root, scratch, signal }: FolderRun, commands: readonly VerifyCommand[]): Promise<readonly CommandResult[]> {
  const fifo = join(scratch, `${randomUUID()}.fifo`);
  makeFifo(fifo);
  const place = { root, token: randomUUID(), since: startOf(process.pid) ?? "", fifo, log: "/dev/null" };
  const results: CommandResult[] = [];
  try {
    for (const command of commands) {
      if (signal.aborted) break;
      const running = startVerify(command, place);
      const end = (): void => running.end();
      signal.addEventListener("abort", end, { once: true });
      const { startError: _, tooMuch: __, ...result } = await running.result;
      signal.removeEventListener("abort", end);
      if (!signal.aborted) results.push(result);
    }
  } finally {
    rmSync(fifo, { force: true });
  }
  return results;
}
