import type { StoredEvent } from "@dispatch/core";

/** What the facts of one collect say of the time it took. */
export interface LandingTime {
  /** From the request until the last branch was merged. */
  seconds: number;
  /** Of these, the part in which the newest landing could only wait for runs that followed one another. */
  runSeconds: number;
  /** Runs of the tests that were green. */
  runs: number;
  /** Moves of main. */
  landings: number;
}

interface Run {
  from: number;
  to: number;
}

/** The collect has to be the only one in the log, and its branches merged. */
export function landingTime(events: readonly StoredEvent[]): LandingTime {
  const asked = events.find(({ event }) => event.type === "collect-requested");
  const merged = events.findLast(({ event }) => event.type === "task-merged");
  if (asked === undefined || merged === undefined) throw new Error("nothing was collected");
  const during = events.filter(({ seq }) => seq > asked.seq && seq <= merged.seq);
  const runs = during.flatMap(runOf);
  return {
    seconds: (merged.at - asked.at) / 1000,
    runSeconds: chainMs(runs, merged.at) / 1000,
    runs: runs.length,
    landings: during.filter(({ event }) => event.type === "car-landed").length,
  };
}

/** A tree that was green already is not run again. */
function runOf({ event, at }: StoredEvent): Run[] {
  if (event.type !== "car-passed" || event.verify.length === 0) return [];
  return [{ from: at - event.verify.reduce((sum, { durationMs }) => sum + durationMs, 0), to: at }];
}

/** From the end back: always the run that ended last before the one that was found began. */
function chainMs(runs: readonly Run[], end: number): number {
  let sum = 0;
  for (let at = end; ; ) {
    const before = runs.filter(({ from, to }) => to <= at && from < at).sort((a, b) => b.to - a.to)[0];
    if (before === undefined) return sum;
    sum += before.to - before.from;
    at = before.from;
  }
}
