import type { Effect } from "@dispatch/core";

/** A named place where the process may be killed: around every commit, around every effect, and before tests run for a landing. */
export type CrashPointName = "commit:before" | "commit:after" | `${Effect["do"]}:before` | `${Effect["do"]}:after` | "verify-run:before";

/** Typed by the effects themselves, so that a new one cannot be left out. */
const effects: Readonly<Record<Effect["do"], true>> = {
  "start-attempt": true,
  "stop-attempt": true,
  "collect-attempt": true,
  "check-result": true,
  "discard-workspace": true,
  "retire-attempt": true,
  "tell-attempt": true,
  "build-car": true,
  "run-car": true,
  "cancel-run": true,
  "advance-main": true,
  "take-in-origin": true,
  "publish-main": true,
  "watch-main": true,
};

/** Every crash point there is; the crash tests loop over them. */
export const crashPoints: readonly CrashPointName[] = [
  "commit:before",
  "commit:after",
  ...(Object.keys(effects) as Effect["do"][]).flatMap((name): CrashPointName[] => [`${name}:before`, `${name}:after`]),
  "verify-run:before",
];
