import type { Log } from "@dispatch/core";
import type { StandingRow } from "@dispatch/protocol";

/** A burst of facts is looked at once. */
const pauseMs = 1000;

export interface StandingWatch {
  standings(): readonly StandingRow[];
  subscribe(listener: () => void): () => void;
  log: Pick<Log, "warn" | "info">;
}

/** Logs when a project comes to a standstill, when that has another cause, and when it moves again: once each. Returns how to stop. */
export function watchStanding({ standings, subscribe, log }: StandingWatch): () => void {
  const told = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    timer = undefined;
    for (const standing of standings()) {
      const { project, kind, unfinished, causes, cycles } = standing;
      const stands = kind === "waiting-for-lead" || kind === "gridlock";
      const now = stands ? JSON.stringify([kind, causes.map((cause) => [cause.kind, cause.task]), cycles]) : "";
      if ((told.get(project) ?? "") === now) continue;
      told.set(project, now);
      if (!stands) log.info({ project, kind }, "the project moves again");
      else {
        const facts = {
          project,
          kind,
          unfinished,
          cycles,
          causes: causes.map(({ because, release, tasks }) => ({ because, release, tasks: tasks.length })),
        };
        log.warn(facts, kind === "gridlock" ? "gridlock: nothing can move" : "nothing moves until the lead acts");
      }
    }
  }

  function lookSoon(): void {
    timer ??= setTimeout(look, pauseMs).unref();
  }

  lookSoon();
  const unsubscribe = subscribe(lookSoon);
  return () => {
    unsubscribe();
    clearTimeout(timer);
  };
}
