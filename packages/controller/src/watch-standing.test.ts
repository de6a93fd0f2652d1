import type { StandingRow } from "@dispatch/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchStanding } from "./watch-standing.ts";

function standing(kind: StandingRow["kind"], task = "shop/S01"): StandingRow {
  const cause = { kind: "parked", project: "shop", task, because: `b ${Math.random()}`, release: "r", needs: "lead" as const, tasks: [task] };
  const stands = kind === "waiting-for-lead" || kind === "gridlock";
  return { project: "shop", kind, unfinished: 1, underWay: 0, until: null, causes: stands ? [cause] : [], cycles: [] };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the watch over standstills", () => {
  it("logs once when a project stands still, when the cause changes, and when it moves again", () => {
    let row = standing("moving");
    let wake = (): void => {};
    const logged: string[] = [];
    const stop = watchStanding({
      standings: () => [row],
      subscribe(listener) {
        wake = listener;
        return () => {
          wake = () => {};
        };
      },
      log: {
        warn: (facts) => logged.push(`warn ${(facts as StandingRow).kind}`),
        info: (facts) => logged.push(`info ${(facts as StandingRow).kind}`),
      },
    });
    const happen = (next: StandingRow): void => {
      row = next;
      wake();
      wake();
      vi.advanceTimersByTime(1000);
    };
    happen(standing("moving"));
    happen(standing("waiting-for-lead"));
    happen(standing("waiting-for-lead"));
    happen(standing("waiting-for-lead", "shop/S02"));
    happen(standing("gridlock", "shop/S02"));
    happen(standing("moving"));
    expect(logged).toEqual(["warn waiting-for-lead", "warn waiting-for-lead", "warn gridlock", "info moving"]);
    row = standing("gridlock");
    wake();
    stop();
    vi.advanceTimersByTime(5000);
    expect(logged).toHaveLength(4);
    expect(vi.getTimerCount()).toBe(0);
  });
});
