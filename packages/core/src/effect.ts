import type { AttemptId, CarId, Oid, ProjectId } from "./ids.ts";

/**
 * What has to be done in the world after a fact was committed. Each is safe to do twice:
 * whoever performs it looks first whether it was done already.
 */
export type Effect =
  | { do: "start-attempt"; attempt: AttemptId }
  | { do: "stop-attempt"; attempt: AttemptId; because: string }
  | { do: "collect-attempt"; attempt: AttemptId }
  | { do: "check-result"; attempt: AttemptId }
  | { do: "discard-workspace"; attempt: AttemptId }
  /** Of a fenced attempt, as soon as its node is back: stop, salvage, remove. */
  | { do: "retire-attempt"; attempt: AttemptId }
  /** `n`: number of the notice among those of the attempt, from 1. */
  | { do: "tell-attempt"; attempt: AttemptId; n: number; from: Oid; commit: Oid }
  | { do: "build-car"; project: ProjectId; car: CarId; onto: Oid }
  /** `broken`: how often the machine failed it before. */
  | { do: "run-car"; project: ProjectId; car: CarId; commit: Oid; broken: number }
  | { do: "cancel-run"; project: ProjectId; car: CarId; builtOn: Oid }
  | { do: "advance-main"; project: ProjectId; car: CarId; commit: Oid }
  | { do: "take-in-origin"; project: ProjectId; requestedAt: number }
  | { do: "publish-main"; project: ProjectId; requestedAt: number }
  /** `requestedAt`: of the collect that published it; the same commit may be published again. */
  | { do: "watch-main"; project: ProjectId; commit: Oid; requestedAt: number };

/** The name under which an effect is kept in the outbox; the same effect has the same key. */
export function effectKey(effect: Effect): string {
  switch (effect.do) {
    case "start-attempt":
    case "stop-attempt":
    case "collect-attempt":
    case "check-result":
    case "discard-workspace":
    case "retire-attempt":
      return `${effect.do}:${effect.attempt}`;
    case "tell-attempt":
      return `${effect.do}:${effect.attempt}:${effect.commit}`;
    case "build-car":
      return `${effect.do}:${effect.project}:${effect.car}:${effect.onto}`;
    case "run-car":
      return `${effect.do}:${effect.project}:${effect.car}:${effect.commit}:${effect.broken}`;
    case "cancel-run":
      return `${effect.do}:${effect.project}:${effect.car}:${effect.builtOn}`;
    case "advance-main":
      return `${effect.do}:${effect.project}:${effect.car}:${effect.commit}`;
    case "take-in-origin":
    case "publish-main":
      return `${effect.do}:${effect.project}:${effect.requestedAt}`;
    case "watch-main":
      return `${effect.do}:${effect.project}:${effect.commit}:${effect.requestedAt}`;
  }
}
