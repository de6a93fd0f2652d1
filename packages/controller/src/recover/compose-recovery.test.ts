import { eventVersion, type FactoryEvent, type StoredEvent, splitTaskId } from "@dispatch/core";
import { expect, test } from "vitest";
import { anOid, aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { readRecord } from "../record/read-record.ts";
import { composeRecovery, isAttemptOf, type RecoveryInput, taskOfAttempt } from "./compose-recovery.ts";

const task = "shop/S01-a";
const attemptOf = (n: number): string => `shop--S01-a--${n}`;
const stored = (facts: readonly FactoryEvent[]): StoredEvent[] => facts.map((event, i) => ({ seq: i + 1, at: (i + 1) * 10, v: eventVersion, event }));
const size = { commits: 1, files: 2, at: 5 };
const finding = { gate: "landing", severity: "block", found: "main changed this path", why: "", hint: "", path: "a.ts" } as const;

const begin: FactoryEvent[] = [{ type: "project-started", project: "shop", main: anOid(1) }, planned(aSpec("S01-a"))];
const placed = (n: number): FactoryEvent => ({
  type: "task-placed",
  task,
  attempt: attemptOf(n),
  n,
  node: "local",
  base: anOid(1),
  executor: "x",
});
const done = (n: number, outcome: "succeeded" | "exhausted"): FactoryEvent[] => [
  placed(n),
  {
    type: "wrapper-reported",
    attempt: attemptOf(n),
    seq: 1,
    reportedAt: 1,
    fact: {
      type: "attempt-ended",
      outcome: outcome === "exhausted" ? { kind: outcome, rounds: 3, findings: [] } : { kind: outcome, rounds: 1, tip: anOid(9), base: anOid(1) },
    },
  },
  { type: "attempt-collected", attempt: attemptOf(n), tip: anOid(n + 10), salvage: null },
];

function recovery(facts: readonly FactoryEvent[], change: Partial<RecoveryInput> = {}): ReturnType<typeof composeRecovery> {
  return composeRecovery({ task, hub: "/hub", record: readRecord(stored(facts)), held: [], pruned: [], ...change });
}

const fates = (facts: readonly FactoryEvent[]) => recovery(facts).attempts.map(({ n, state, because }) => `${n} ${state}: ${because}`);

test("each attempt tells why it did not land, from what refused it to what it is now", () => {
  const candidate = { commit: anOid(30), merge: anOid(31), tree: anOid(32) };
  const car = { project: splitTaskId(task).project, car: "1" };
  const refused: FactoryEvent[] = [
    ...done(1, "succeeded"),
    { type: "result-checked", attempt: attemptOf(1), findings: [] },
    { type: "candidate-refused", task, findings: [finding], conflict: null },
  ];
  const checked: FactoryEvent[] = [
    ...done(2, "succeeded"),
    { type: "result-checked", attempt: attemptOf(2), findings: [{ ...finding, gate: "G01" }] },
  ];
  const landed: FactoryEvent[] = [
    ...done(3, "succeeded"),
    { type: "result-checked", attempt: attemptOf(3), findings: [] },
    { type: "car-planned", ...car, kind: "car", members: [task], ahead: [] },
    { type: "car-built", ...car, members: [task], candidate },
    { type: "car-passed", ...car, candidate, run: "run", gateHash: "gate", verify: [] },
    { type: "car-landed", ...car, commit: candidate.commit, from: anOid(1) },
    { type: "task-merged", task, commit: candidate.commit, from: anOid(1) },
  ];
  expect(fates([...begin, ...refused, ...checked, ...landed])).toEqual([
    "1 succeeded: refused at landing: a.ts: main changed this path",
    "2 succeeded: refused by the gates: a.ts: main changed this path",
    `3 merged: landed as ${candidate.commit}`,
  ]);
  expect(fates([...begin, ...done(1, "exhausted")])).toEqual(["1 exhausted: not accepted after 3 rounds"]);
  expect(fates([...begin, placed(1)])).toEqual(["1 starting: it is still at work"]);
  expect(fates([...begin, ...done(1, "succeeded")])).toEqual(["1 succeeded: the task is checking"]);
});

test("the salvage is the whole work, the result where there is none, and superseded refs only stand by", () => {
  const ref = (kind: "result" | "salvage" | "superseded", n: number) => ({ ref: `${kind}${n}`, kind, commit: anOid(n), attempt: attemptOf(1), size });
  const facts = [...begin, ...done(1, "exhausted")];
  const whole = (...held: ReturnType<typeof ref>[]) => recovery(facts, { held }).attempts[0]?.whole?.ref ?? null;
  expect(whole(ref("result", 1), ref("salvage", 2), ref("superseded", 3))).toBe("salvage2");
  expect(whole(ref("result", 1), ref("superseded", 3))).toBe("result1");
  expect(whole(ref("superseded", 3))).toBeNull();
});

test("attempts that only the hub knows are shown, and what was pruned of known ones", () => {
  const held = [{ ref: "r", kind: "result" as const, commit: anOid(5), attempt: attemptOf(7), size }];
  const pruned = [
    { ref: `refs/dispatch/salvage/${attemptOf(1)}`, commit: anOid(6), because: "old", at: 1 },
    { ref: `refs/dispatch/salvage/${attemptOf(10)}`, commit: anOid(6), because: "old", at: 1 },
  ];
  const view = recovery([...begin, ...done(1, "exhausted")], { held, pruned });
  expect(view.attempts.map(({ n, state, pruned: gone }) => [n, state, gone.length])).toEqual([
    [1, "exhausted", 1],
    [7, "unknown", 0],
  ]);
  expect(composeRecovery({ task, hub: "/hub", record: readRecord([]), held, pruned: [] })).toMatchObject({
    state: null,
    attempts: [{ n: 7, base: null }],
  });
});

test("an attempt's name tells its task, also where names contain dashes", () => {
  expect(taskOfAttempt("my-shop--S01-a-b--12")).toBe("my-shop/S01-a-b");
  expect(taskOfAttempt("nonsense")).toBeUndefined();
  expect(isAttemptOf("shop--S01-a--2", task)).toBe(true);
  expect(isAttemptOf("shop--S01-ab--2", task)).toBe(false);
  expect(isAttemptOf("shop2--S01-a--2", task)).toBe(false);
});
