import type { Effect, FactoryEvent, World } from "@dispatch/core";
import { checkResult, collectAttempt, discardWorkspace, startAttempt, stopAttempt } from "./perform-attempt.ts";
import { advanceMain, buildCandidate, publishMain, takeInOrigin, verifyCandidate } from "./perform-landing.ts";
import type { EnginePorts } from "./ports.ts";

/** Does what an effect says and returns what came of it. Looks first whether it still is to be done. */
export function performEffect(ports: EnginePorts, world: World, effect: Effect): Promise<FactoryEvent[]> {
  switch (effect.do) {
    case "start-attempt":
      return startAttempt(ports, world, effect.attempt);
    case "stop-attempt":
      return stopAttempt(ports, world, effect.attempt, effect.because);
    case "collect-attempt":
      return collectAttempt(ports, world, effect.attempt);
    case "check-result":
      return checkResult(ports, world, effect.attempt);
    case "discard-workspace":
      return discardWorkspace(ports, world, effect.attempt);
    case "build-candidate":
      return buildCandidate(ports, world, effect);
    case "verify-candidate":
      return verifyCandidate(ports, world, effect);
    case "advance-main":
      return advanceMain(ports, world, effect);
    case "take-in-origin":
      return takeInOrigin(ports, world, effect.project);
    case "publish-main":
      return publishMain(ports, world, effect.project);
  }
}
