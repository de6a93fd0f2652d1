import { setTimeout as delay } from "node:timers/promises";

const pollMs = 40;

/** The first answer that is not undefined or false; fails with what was waited for, and the last thing seen. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false> | T | undefined | false, limitMs = 90_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`);
    await delay(pollMs);
  }
}
