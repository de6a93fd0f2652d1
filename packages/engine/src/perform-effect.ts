import type { Effect, FactoryEvent, World } from "@dispatch/core";
import { checkResult, collectAttempt, discardWorkspace, retireAttempt, startAttempt, stopAttempt } from "./perform-attempt.ts";
import { advanceMain, buildCar, cancelRun, runCar } from "./perform-car.ts";
import { tellAttempt } from "./perform-contract.ts";
import { publishMain, takeInOrigin } from "./perform-origin.ts";
import { watchMain } from "./perform-watch.ts";
import type { EnginePorts, LandingPorts } from "./ports.ts";
import { rememberReads } from "./remember-reads.ts";

/** Does what an effect says and returns what came of it. Looks first whether it still is to be done. */
export function createPerformer(ports: EnginePorts & LandingPorts, world: World): (effect: Effect) => Promise<FactoryEvent[]> {
  const acting = { ...ports, repositories: rememberReads(ports.repositories) };
  return (effect) => perform(acting, world, effect);
}

function perform(ports: EnginePorts & LandingPorts, world: World, effect: Effect): Promise<FactoryEvent[]> {
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
    case "retire-attempt":
      return retireAttempt(ports, world, effect.attempt);
    case "tell-attempt":
      return tellAttempt(ports, world, effect);
    case "build-car":
      return buildCar(ports, world, effect);
    case "run-car":
      return runCar(ports, world, effect);
    case "cancel-run":
      return cancelRun(ports, effect);
    case "advance-main":
      return advanceMain(ports, world, effect);
    case "take-in-origin":
      return takeInOrigin(ports, world, effect.project);
    case "publish-main":
      return publishMain(ports, world, effect.project);
    case "watch-main":
      return watchMain(ports, world, effect);
  }
}
