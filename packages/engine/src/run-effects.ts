import { type Effect, effectDelayMs, effectKey, type FactoryEvent, isFactoryError } from "@dispatch/core";
import type { EnginePorts } from "./ports.ts";

/** An effect that failed and will be tried again. */
export interface Trouble {
  effect: Effect;
  failures: number;
  code: string;
  message: string;
  hint: string | undefined;
  /** ms since the epoch. */
  nextAt: number;
}

export interface EffectRunner {
  /** Performs effects that are durable. One that is already under way is left alone. */
  start(effects: readonly Effect[]): void;
  /** Whether an effect that was handed in is not yet done. */
  isUndone(key: string): boolean;
  /** Effects that failed, with when they are tried again. */
  troubles(): readonly Trouble[];
  /** Tries everything in trouble at once, for instance when a node came back. */
  retryNow(): void;
  /** Starts nothing more and waits for what is under way. */
  close(): Promise<void>;
}

/**
 * Performs effects, one at a time in each lane: effects on one attempt, those that build one car, and effects on one project's main,
 * never run side by side, so that their facts are recorded in the order in which they happened.
 * A failed effect is tried again until it is done; nothing is given up silently.
 */
export function createEffectRunner(
  ports: Pick<EnginePorts, "clock" | "log" | "at">,
  perform: (effect: Effect) => Promise<readonly FactoryEvent[]>,
  finish: (events: readonly FactoryEvent[], key: string) => Promise<void>,
  onFatal: (error: unknown) => void,
): EffectRunner {
  const lanes = new Map<string, Promise<void>>();
  const known = new Set<string>();
  const troubled = new Map<string, Trouble>();
  const timers = new Map<string, () => void>();
  let closing = false;

  function enqueue(effect: Effect): void {
    const lane = laneOf(effect);
    const run = (lanes.get(lane) ?? Promise.resolve()).then(() => attemptOnce(effect));
    const settled = run.catch(onFatal);
    lanes.set(lane, settled);
    void settled.then(() => {
      if (lanes.get(lane) === settled) lanes.delete(lane);
    });
  }

  async function attemptOnce(effect: Effect): Promise<void> {
    if (closing) return;
    const key = effectKey(effect);
    ports.at(`${effect.do}:before`);
    let events: readonly FactoryEvent[];
    try {
      events = await perform(effect);
    } catch (error) {
      fail(effect, key, error);
      return;
    }
    ports.at(`${effect.do}:after`);
    known.delete(key);
    troubled.delete(key);
    await finish(events, key);
  }

  function fail(effect: Effect, key: string, error: unknown): void {
    const failures = (troubled.get(key)?.failures ?? 0) + 1;
    const delay = effectDelayMs(failures);
    troubled.set(key, { effect, failures, ...describe(error), nextAt: ports.clock.now() + delay });
    ports.log.warn({ effect: key, failures, error }, "effect failed; it will be tried again");
    timers.set(
      key,
      ports.clock.after(delay, () => retry(key, effect)),
    );
  }

  function retry(key: string, effect: Effect): void {
    timers.get(key)?.();
    timers.delete(key);
    if (!closing) enqueue(effect);
  }

  return {
    start(effects) {
      for (const effect of effects) {
        const key = effectKey(effect);
        if (closing || known.has(key)) continue;
        known.add(key);
        enqueue(effect);
      }
    },
    isUndone: (key) => known.has(key),
    troubles: () => [...troubled.values()],
    retryNow() {
      for (const [key, trouble] of troubled) if (timers.has(key)) retry(key, trouble.effect);
    },
    async close() {
      closing = true;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      await Promise.all(lanes.values());
    },
  };
}

function describe(error: unknown): Pick<Trouble, "code" | "message" | "hint"> {
  if (isFactoryError(error)) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "UNEXPECTED", message: error instanceof Error ? error.message : String(error), hint: undefined };
}

/** Cars are built and tested beside each other, and beside everything else. */
function laneOf(effect: Effect): string {
  if (effect.do === "build-car" || effect.do === "run-car" || effect.do === "cancel-run") return `${effect.do}:${effect.project}:${effect.car}`;
  if (effect.do === "watch-main") return `${effect.do}:${effect.project}`;
  return "project" in effect ? `main:${effect.project}` : effect.attempt;
}
