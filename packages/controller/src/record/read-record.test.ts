import { eventVersion, type FactoryEvent, type StoredEvent } from "@dispatch/core";
import { expect, test } from "vitest";
import { anOid, aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { readRecord } from "./read-record.ts";

const stored = (facts: readonly FactoryEvent[]): StoredEvent[] => facts.map((event, i) => ({ seq: i + 1, at: i + 1, v: eventVersion, event }));

test("main is followed from its start through landings and take-ins", () => {
  const takeIn = (main: string): FactoryEvent[] => [
    { type: "collect-requested", project: "shop", by: "lead" },
    { type: "origin-taken-in", project: "shop", main, commits: 1 },
    { type: "collect-stopped", project: "shop", code: "X", because: "", hint: "" },
  ];
  const facts: FactoryEvent[] = [
    { type: "project-started", project: "shop", main: anOid(1) },
    ...takeIn(anOid(2)),
    ...takeIn(anOid(2)),
    { type: "project-started", project: "shop", main: anOid(7) },
    ...takeIn(anOid(3)),
  ];
  expect(readRecord(stored(facts)).mains.get("shop")).toMatchObject({
    start: anOid(1),
    takenIn: [
      { from: anOid(1), to: anOid(2) },
      { from: anOid(2), to: anOid(3) },
    ],
  });
});

test("what attempts left and when tasks were told of last is known; a log that does not follow is corrupt", () => {
  const attempt = "shop--S01-a--1";
  const facts: FactoryEvent[] = [
    { type: "project-started", project: "shop", main: anOid(1) },
    planned(aSpec("S01-a")),
    { type: "task-placed", task: "shop/S01-a", attempt, n: 1, node: "local", base: anOid(1), executor: "x" },
    { type: "attempt-fenced", attempt, because: "its node is lost" },
    { type: "attempt-retired", attempt, tip: anOid(4), salvage: anOid(5) },
  ];
  const record = readRecord(stored(facts));
  expect([...record.works]).toEqual([[attempt, [{ tip: anOid(4), salvage: anOid(5) }]]]);
  expect([...record.lastTold]).toEqual([["shop/S01-a", 3]]);
  expect(() => readRecord(stored([{ type: "attempt-retired", attempt, tip: null, salvage: null }]))).toThrowError(
    expect.objectContaining({ code: "LEDGER_CORRUPT" }),
  );
});
