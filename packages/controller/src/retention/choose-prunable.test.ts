import { type Attempt, type AttemptState, emptyWorld, type Task, type TaskState } from "@dispatch/core";
import { expect, test } from "vitest";
import { anOid, aSpec } from "../../../../test/kit/build-facts.ts";
import { choosePrunable, type RetentionFacts } from "./choose-prunable.ts";

const day = 24 * 60 * 60_000;
const tries = { tries: 1, limit: 4, feedback: [] };
const merged: TaskState = { kind: "merged", attempt: "shop--S01-a--1", commit: anOid(1), at: 0, tries: 1 };
const over: AttemptState = { kind: "discarded", outcome: { kind: "stopped", because: "asked" }, tip: anOid(2), salvage: null };

function facts(state: TaskState, attemptState: AttemptState = over, change: Partial<RetentionFacts> = {}): RetentionFacts {
  const spec = aSpec("S01-a");
  const task: Task = { id: "shop/S01-a", project: "shop", spec, digest: "", text: "", path: "", revision: 1, plannedAt: 0, state };
  const attempt: Attempt = {
    id: "shop--S01-a--1",
    task: task.id,
    n: 1,
    node: "local",
    base: anOid(0),
    executor: "x",
    placedAt: 0,
    endedAt: 10 * day,
    cursor: 0,
    rounds: [],
    notices: [],
    state: attemptState,
  };
  return {
    world: { ...emptyWorld(), tasks: new Map([[task.id, task]]), attempts: new Map([[attempt.id, attempt]]) },
    lastTold: new Map([[task.id, 20 * day]]),
    kept: [{ ref: "refs/dispatch/salvage/shop--S01-a--1", commit: anOid(2), attempt: attempt.id, kind: "salvage" }],
    onMain: new Set(),
    keepMs: 90 * day,
    now: 110 * day,
    ...change,
  };
}

const chosen = (...input: Parameters<typeof facts>) => choosePrunable(facts(...input)).length;

test("what ended tasks left goes when it is old enough, and says why", () => {
  expect(choosePrunable(facts(merged))).toEqual([
    { ref: "refs/dispatch/salvage/shop--S01-a--1", commit: anOid(2), because: "shop/S01-a was merged 90 days ago" },
  ]);
  expect(chosen({ kind: "cancelled", by: "lead", ...tries })).toBe(1);
  expect(chosen(merged, over, { now: 110 * day - 1 })).toBe(0);
});

test("the days count from the last word on the task, not from the end of the attempt", () => {
  expect(chosen(merged, over, { lastTold: new Map([["shop/S01-a", 50 * day]]) })).toBe(0);
  expect(chosen(merged, over, { lastTold: new Map() })).toBe(0);
});

test("work of tasks that are parked or may still go on stays for ever", () => {
  const because = { code: "rounds-exhausted", text: "", findings: [], conflict: null, salvage: "" } as const;
  const states: TaskState[] = [
    { kind: "parked", since: 0, because, ...tries },
    { kind: "planned", ...tries },
    { kind: "backoff", until: 0, because: "", ...tries },
    { kind: "queued", attempt: "shop--S01-a--1", tip: anOid(2), since: 0, ...tries },
    { kind: "cancelling", attempt: "shop--S01-a--1", by: "lead", ...tries },
  ];
  for (const state of states) expect(chosen(state)).toBe(0);
});

test("an attempt that is not cleared away, or that the ledger does not know, keeps everything", () => {
  const held = { outcome: { kind: "stopped", because: "" }, tip: anOid(2), salvage: null } as const;
  expect(chosen(merged, { kind: "collected", ...held })).toBe(0);
  expect(chosen(merged, { kind: "fenced", because: "", session: "over" })).toBe(0);
  const [kept] = facts(merged).kept;
  if (kept === undefined) throw new Error("there is one");
  expect(chosen(merged, over, { kept: [{ ...kept, attempt: "shop--S09-z--1" }] })).toBe(0);
});

test("what main holds costs nothing and stays; and without a limit everything does", () => {
  expect(chosen(merged, over, { onMain: new Set([anOid(2)]) })).toBe(0);
  expect(chosen(merged, over, { keepMs: null })).toBe(0);
});
