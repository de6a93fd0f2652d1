import { type Effect, effectKey, type NodeSnapshot, type World } from "@dispatch/core";
import type { Recorded } from "./keep-world.ts";
import type { EffectRunner } from "./run-effects.ts";

/** Effects on their way from the fact that causes them to the runner that performs them. */
export interface Outbox {
  /** Their cause is recorded and not yet on disk. */
  announce(effects: readonly Effect[]): void;
  /** Their cause is on disk. */
  release(recorded: Recorded): void;
  /** Takes up what an earlier life left undone. */
  start(effects: readonly Effect[]): void;
  /** Whether an effect follows from a fact, durable or not, and is not yet done. */
  isUndone(key: string): boolean;
  /** Called when a node may have come up. */
  look(): void;
}

/**
 * Everything goes on to the runner when it is durable, but the retiring of attempts on nodes that are out of reach: a lost node
 * may stay away for days, and trying again and again meanwhile would only fill the log.
 */
export function openOutbox(
  nodes: () => readonly NodeSnapshot[],
  world: Pick<World, "attempts">,
  runner: Pick<EffectRunner, "start" | "isUndone" | "retryNow">,
): Outbox {
  const announced = new Set<string>();
  const held = new Map<string, Effect>();

  function isInVain(effect: Effect): boolean {
    if (effect.do !== "retire-attempt") return false;
    const attempt = world.attempts.get(effect.attempt);
    return attempt?.state.kind === "fenced" && nodes().find(({ id }) => id === attempt.node)?.status.kind !== "up";
  }

  function start(effects: readonly Effect[]): void {
    for (const effect of effects) if (isInVain(effect)) held.set(effectKey(effect), effect);
    runner.start(effects.filter((effect) => !held.has(effectKey(effect))));
  }

  function look(): void {
    for (const [key, effect] of held) {
      if (isInVain(effect)) continue;
      held.delete(key);
      runner.start([effect]);
    }
  }

  return {
    announce(effects) {
      for (const effect of effects) announced.add(effectKey(effect));
    },
    release({ change, stored }) {
      start(change.effects);
      for (const effect of change.effects) announced.delete(effectKey(effect));
      if (!stored.some(({ event }) => event.type === "attempt-fenced" || event.type === "attempt-abandoned")) return;
      // What waits to be tried again for an attempt that is out of the game finds that it has nothing to do any more.
      runner.retryNow();
      look();
    },
    start,
    isUndone: (key) => announced.has(key) || held.has(key) || runner.isUndone(key),
    look,
  };
}
