import { FactoryError, isFactoryError } from "@dispatch/core";
import { hasCode } from "./durable-files.ts";

/** Whether something failed because the disk or the quota is full. */
export function isDiskFull(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT") || (isFactoryError(error) && error.code === "DISK_FULL");
}

export function saysDiskFull(text: string): boolean {
  return /No space left on device|Disk quota exceeded/i.test(text);
}

export function diskFull(what: string, cause: unknown): FactoryError {
  return new FactoryError("DISK_FULL", `${what}: no space left`, {
    fault: "user",
    retry: "later",
    hint: "Free space on the disk that holds the node's home; the work goes on by itself.",
    cause,
  });
}

/**
 * Repeats what the full disk refused, until there is room or `giveUp` says so.
 * A full disk is an ordinary event: it costs time, never work.
 */
export async function untilRoom<T>(act: () => T | Promise<T>, options: { onWait: () => void; giveUp: () => boolean }): Promise<T> {
  for (let pauseMs = 250; ; pauseMs = Math.min(5000, pauseMs * 2)) {
    try {
      return await act();
    } catch (error) {
      if (!isDiskFull(error) || options.giveUp()) throw error;
      options.onWait();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** For what only helps: a full disk must not end the work it is about. */
export function unlessFull(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
