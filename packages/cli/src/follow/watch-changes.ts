import { setTimeout as delay } from "node:timers/promises";
import type { DaemonClient } from "../daemon-client.ts";
import { watchEvents } from "../watch-events.ts";

/** No more frames than an eye can follow, however fast events come. */
const leastMs = 100;

/** What happens while something is shown. */
export interface Changes {
  /** Whether the daemon answers. */
  reached: boolean;
  /** Why nothing more is seen; undefined while it is. */
  error: unknown;
  ended: Promise<void>;
  /** Returns after an event (but not sooner than `leastMs`), after `ms`, or when interrupted. */
  changeOrTick(ms: number): Promise<void>;
}

/** Watches the events after a position until the signal. */
export function watchForChanges(client: DaemonClient, after: number, signal: AbortSignal): Changes {
  let wake: () => void = () => {};
  let changed = false;
  const changes: Changes = {
    reached: true,
    error: undefined,
    ended: Promise.resolve(),
    async changeOrTick(ms) {
      await pause(leastMs, signal);
      if (!changed && !signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([woken, pause(ms - leastMs, signal)]);
      }
      changed = false;
    },
  };
  const onChange = () => {
    changed = true;
    wake();
  };
  const onReach = (reached: boolean) => {
    changes.reached = reached;
    onChange();
  };
  const watch = async () => {
    for await (const _ of watchEvents(client, after, { signal, onReach })) onChange();
  };
  changes.ended = watch().catch((error: unknown) => {
    changes.error = error;
    onChange();
  });
  return changes;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
}
