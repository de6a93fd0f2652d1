import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "@dispatch/core";
import type { EventView } from "@dispatch/protocol";
import type { DaemonClient } from "./daemon-client.ts";

export interface Watching {
  signal: AbortSignal;
  /** Called when the daemon went away (`false`) and when it is there again (`true`). */
  onReach(reached: boolean): void;
  /** How long a daemon may be away, in ms; after that the watch fails with DAEMON_UNREACHABLE. */
  patienceMs?: number;
}

const pauseMs = 200;

/** Events after a position, over any number of daemons: goes on from the last one that was seen. Ends when aborted. */
export async function* watchEvents(client: DaemonClient, after: number, watching: Watching): AsyncGenerator<EventView, void, void> {
  const { signal, onReach, patienceMs = 120_000 } = watching;
  let seq = after;
  let lostAt: number | undefined;
  while (!signal.aborted) {
    try {
      if (lostAt !== undefined) {
        await client.health();
        lostAt = undefined;
        onReach(true);
      }
      for await (const stored of client.events(seq, signal)) {
        if (stored.seq <= seq) continue;
        seq = stored.seq;
        yield stored;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (errorCode(error) !== "DAEMON_UNREACHABLE") throw error;
      if (lostAt !== undefined && Date.now() - lostAt > patienceMs) throw error;
    }
    if (signal.aborted) return;
    if (lostAt === undefined) {
      lostAt = Date.now();
      onReach(false);
    }
    await delay(pauseMs, undefined, { signal }).catch(ignoreAbort);
  }
}

function ignoreAbort(error: Error): void {
  if (error.name !== "AbortError") throw error;
}
