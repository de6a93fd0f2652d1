import { emptyWorld, eventVersion, type FactoryEvent, type StoredEvent } from "@dispatch/core";
import type { Snapshot } from "@dispatch/scheduler";
import { describe, expect, it } from "vitest";
import { aSpec, planned, reported } from "../../../test/kit/build-facts.ts";
import { keepSignals } from "./keep-signals.ts";

const hour = 3_600_000;
const snapshot: Snapshot = { world: emptyWorld(), nodes: [], projects: new Map() };
const finding = { gate: "G02", severity: "block", found: "", why: "", hint: "" } as const;
const firstRound = (red: boolean): FactoryEvent =>
  reported("shop--S01--1", 1, { type: "round-checked", round: 1, verify: [], findings: red ? [finding] : [] });

describe("the keeper of signals", () => {
  it("reads the window back at the start, takes in what comes, and remembers what was on", () => {
    const log: StoredEvent[] = Array.from({ length: 2500 }, (_, i) => ({
      seq: i + 1,
      at: hour,
      v: eventVersion,
      event: i < 2490 ? planned(aSpec("S01")) : firstRound(i % 5 < 2),
    }));
    let listener: (events: readonly StoredEvent[]) => void = () => {};
    const keeper = keepSignals(
      log.length,
      (after) => log.slice(after, after + 1000),
      (next) => {
        listener = next;
      },
    );
    const first = keeper.judge(snapshot, hour + 1);
    expect(first.figures).toMatchObject({ arrived: 2490, firstRounds: 10, firstRoundsFailed: 4 });
    expect(first).toMatchObject({ state: { firstRounds: true }, advice: "mend-specs" });
    expect(first.text).toContain("40%");
    listener(Array.from({ length: 6 }, (_, i) => ({ seq: 3000 + i, at: hour + 2, v: eventVersion, event: firstRound(false) })));
    expect(keeper.judge(snapshot, hour + 3)).toMatchObject({ state: { firstRounds: true }, figures: { firstRounds: 16, firstRoundsFailed: 4 } });
    listener(Array.from({ length: 6 }, (_, i) => ({ seq: 4000 + i, at: hour + 4, v: eventVersion, event: firstRound(false) })));
    expect(keeper.judge(snapshot, hour + 5)).toMatchObject({ state: { firstRounds: false }, advice: "none", text: "" });
    expect(keeper.judge(snapshot, 3 * hour).figures).toMatchObject({ arrived: 0, firstRounds: 0, firstRoundFailureRate: null });
  });
});
