/**
 * Pause before the next attempt of a task whose machine failed it, in milliseconds:
 * 1 s, 4 s, 16 s, then a minute.
 */
export function retryDelayMs(tries: number): number {
  return Math.min(60_000, 1000 * 4 ** Math.max(0, tries - 1));
}

/** Pause before an effect is tried again, in milliseconds: doubling from 250 ms to 30 s. */
export function effectDelayMs(failures: number): number {
  return Math.min(30_000, 250 * 2 ** Math.max(0, failures - 1));
}
