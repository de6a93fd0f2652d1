import type { AttemptId } from "@dispatch/core";
import { filesOf, type Host } from "./host.ts";

/** Calls about one attempt one after the other; a stop need not wait, it is safe at any time. */
export type AttemptTurns = <T>(attempt: AttemptId, act: () => Promise<T>) => Promise<T>;

export function createAttemptTurns(host: Host): AttemptTurns {
  const last = new Map<AttemptId, Promise<unknown>>();
  return async (attempt, act) => {
    filesOf(host, attempt);
    const before = last.get(attempt) ?? Promise.resolve();
    const mine = before.then(act, act);
    last.set(attempt, mine);
    try {
      return await mine;
    } finally {
      if (last.get(attempt) === mine) last.delete(attempt);
    }
  };
}
