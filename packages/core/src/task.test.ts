import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../../../test/kit/build-facts.ts";
import type { Attempt } from "./attempt.ts";
import type { AttemptOutcome, FactoryEvent } from "./event.ts";
import type { Finding } from "./finding.ts";
import { boardCar, leaveCar, type Task, type TaskEvent, type TaskState, transitionTask } from "./task.ts";

const attempt = "shop--S01--1";
const tries = { tries: 1, limit: 4, feedback: [] };
const red: Finding = { gate: "G02", severity: "block", found: "f", why: "w", hint: "h" };

function task(state: TaskState): Task {
  return { id: "shop/S01", project: "shop", spec: aSpec("S01"), digest: "", text: "", path: "", revision: 1, plannedAt: 0, state };
}

function ended(outcome: AttemptOutcome): Attempt {
  const state = { kind: "ended", outcome } as const;
  return {
    id: attempt,
    task: "shop/S01",
    n: 1,
    node: "local",
    base: anOid(1),
    executor: "x",
    placedAt: 0,
    endedAt: 1,
    cursor: 3,
    notices: [],
    rounds: [],
    state,
  };
}

function after(state: TaskState, event: TaskEvent, about?: Attempt): TaskState | "stale" | "illegal" {
  const step = transitionTask(task(state), event, 100, about);
  return step.outcome === "moved" ? step.state.state : step.outcome;
}

const collected: FactoryEvent & { type: "attempt-collected" } = { type: "attempt-collected", attempt, tip: anOid(7), salvage: null };
const collecting: TaskState = { kind: "collecting", attempt, ...tries };
const queued: TaskState = { kind: "queued", attempt, tip: anOid(7), since: 50, ...tries };
const landing: TaskState = { kind: "landing", attempt, tip: anOid(7), since: 50, car: "3", ...tries };

describe("what follows the end of an attempt, once its work is in the hub", () => {
  it.each<[AttemptOutcome, object]>([
    [
      { kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 },
      { kind: "checking", tip: anOid(7) },
    ],
    [
      { kind: "exhausted", rounds: 3, findings: [red] },
      { kind: "parked", because: { code: "rounds-exhausted", findings: [red], salvage: `refs/dispatch/salvage/${attempt}` } },
    ],
    [
      { kind: "unusable", because: "no agent" },
      { kind: "parked", because: { code: "agent-unusable", text: "no agent" } },
    ],
    [
      { kind: "lost", because: "gone" },
      { kind: "backoff", until: 1100, because: "gone" },
    ],
    [
      { kind: "stopped", because: "asked" },
      { kind: "planned", tries: 1, limit: 5 },
    ],
  ])("%j", (outcome, expected) => {
    expect(after(collecting, collected, ended(outcome))).toMatchObject(expected);
  });

  it("a lost attempt parks the task when it was the last one allowed", () => {
    expect(after({ ...collecting, tries: 4 }, collected, ended({ kind: "lost", because: "gone" }))).toMatchObject({
      kind: "parked",
      because: { code: "attempts-exhausted" },
    });
  });

  it("a success whose branch did not arrive is no success", () => {
    expect(after(collecting, { ...collected, tip: null }, ended({ kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 }))).toMatchObject({
      kind: "backoff",
    });
  });
});

describe("a refusal", () => {
  it("by the gates gives the findings to the next attempt, or parks when there is none left", () => {
    const checking: TaskState = { kind: "checking", attempt, tip: anOid(7), ...tries };
    const refused: TaskEvent = { type: "result-checked", attempt, findings: [red] };
    expect(after(checking, refused)).toEqual({ kind: "planned", tries: 1, limit: 4, feedback: [red] });
    expect(after({ ...checking, tries: 4 }, refused)).toMatchObject({ kind: "parked", because: { code: "refused-by-gates" } });
    expect(after(checking, { ...refused, findings: [{ ...red, severity: "note" }] })).toMatchObject({ kind: "queued", since: 100 });
  });

  it("keeps with a branch that it rides alone, in its car and out of it", () => {
    const checked: TaskEvent = { type: "result-checked", attempt, findings: [], alone: true };
    const waits = after({ kind: "checking", attempt, tip: anOid(7), ...tries }, checked);
    expect(waits).toMatchObject({ kind: "queued", alone: true });
    if (typeof waits === "string") throw new Error(waits);
    const riding = boardCar(task(waits), "1");
    if (riding.outcome !== "moved") throw new Error(riding.outcome);
    expect(riding.state.state).toMatchObject({ kind: "landing", car: "1", alone: true });
    expect(leaveCar(riding.state).state).toEqual(waits);
  });

  it("at landing does the same, also for a task whose car is gone already", () => {
    const refused: TaskEvent = { type: "candidate-refused", task: "shop/S01", findings: [red], conflict: null };
    for (const state of [queued, landing]) {
      expect(after(state, refused)).toEqual({ kind: "planned", tries: 1, limit: 4, feedback: [red] });
      expect(after({ ...state, tries: 4 }, refused)).toMatchObject({ kind: "parked", because: { code: "refused-at-landing", findings: [red] } });
    }
    expect(after(collecting, refused)).toBe("stale");
  });
});

describe("a car", () => {
  it("takes queued tasks only, with the time since which they wait", () => {
    expect(boardCar(task(queued), "3")).toMatchObject({ outcome: "moved", state: { state: landing }, effects: [] });
    for (const state of [collecting, landing, { kind: "checking", attempt, tip: anOid(7), ...tries }] satisfies TaskState[]) {
      expect(boardCar(task(state), "4").outcome).toBe("illegal");
    }
  });

  it("that goes without landing leaves them in their old place, and others as they are", () => {
    expect(leaveCar(task(landing)).state).toEqual(queued);
    expect(leaveCar(task(collecting)).state).toEqual(collecting);
  });

  it("keeps its tasks from being cancelled", () => {
    expect(after(landing, { type: "task-cancelled", task: "shop/S01", by: "lead" })).toBe("illegal");
  });
});

describe("merged", () => {
  const merged: TaskEvent = { type: "task-merged", task: "shop/S01", commit: anOid(5), from: anOid(1) };

  it("follows only from landing", () => {
    expect(after(landing, merged)).toEqual({ kind: "merged", attempt, commit: anOid(5), at: 100, tries: 1 });
    for (const state of [queued, collecting, { kind: "planned", ...tries }] satisfies TaskState[]) {
      expect(after(state, merged)).toBe("illegal");
    }
  });

  it("is left by nothing", () => {
    const state: TaskState = { kind: "merged", attempt, commit: anOid(5), at: 1, tries: 1 };
    expect(after(state, { type: "task-cancelled", task: "shop/S01", by: "lead" })).toBe("illegal");
    expect(after(state, { type: "task-retried", task: "shop/S01", by: "lead" })).toBe("illegal");
    expect(after(state, { type: "result-checked", attempt, findings: [red] })).toBe("stale");
  });
});

describe("a cancel", () => {
  const cancelled: TaskEvent = { type: "task-cancelled", task: "shop/S01", by: "lead" };

  it.each<[TaskState, string]>([
    [{ kind: "planned", ...tries }, "cancelled"],
    [{ kind: "backoff", until: 1, because: "", ...tries }, "cancelled"],
    [{ kind: "checking", attempt, tip: anOid(7), ...tries }, "cancelled"],
    [{ kind: "queued", attempt, tip: anOid(7), since: 1, ...tries }, "cancelled"],
    [{ kind: "starting", attempt, node: "local", ...tries }, "cancelling"],
    [{ kind: "running", attempt, node: "local", round: 1, ...tries }, "cancelling"],
    [collecting, "cancelling"],
  ])("of %j", (state, expected) => {
    expect(after(state, cancelled)).toMatchObject({ kind: expected });
  });

  it("of a running task is done when its work is in the hub, whatever the outcome was", () => {
    const cancelling: TaskState = { kind: "cancelling", attempt, by: "lead", ...tries };
    expect(after(cancelling, collected, ended({ kind: "succeeded", tip: anOid(7), base: anOid(1), rounds: 1 }))).toMatchObject({ kind: "cancelled" });
  });
});

describe("the fence", () => {
  it("makes every message of an older attempt stale", () => {
    const running: TaskState = { kind: "running", attempt: "shop--S01--2", node: "local", round: 1, tries: 2, limit: 4, feedback: [] };
    expect(after(running, collected, ended({ kind: "lost", because: "gone" }))).toBe("stale");
    expect(after(running, { type: "result-checked", attempt, findings: [] })).toBe("stale");
    expect(after(running, { type: "attempt-refused", attempt, because: "x", retry: "later" })).toBe("stale");
  });

  it("of a lost node sends the task on as long as tries are left, and frees one that is being cancelled", () => {
    const fenced: TaskEvent = { type: "attempt-fenced", attempt, because: "its node is lost" };
    const holders: TaskState[] = [
      { kind: "starting", attempt, node: "a", ...tries },
      { kind: "running", attempt, node: "a", round: 1, ...tries },
      collecting,
    ];
    for (const state of holders) {
      expect(after(state, fenced)).toMatchObject({ kind: "backoff", tries: 1, because: "its node is lost" });
      expect(after({ ...state, tries: 4 } as TaskState, fenced)).toMatchObject({ kind: "parked", because: { code: "attempts-exhausted" } });
    }
    expect(after({ kind: "cancelling", attempt, by: "lead", ...tries }, fenced)).toMatchObject({ kind: "cancelled", by: "lead" });
    for (const state of [queued, landing, { kind: "checking", attempt, tip: anOid(7), ...tries }] satisfies TaskState[]) {
      expect(after(state, fenced)).toBe("stale");
    }
  });

  it("is nothing to a task that has gone on, also when the attempt is retired or given up", () => {
    const running: TaskState = { kind: "running", attempt: "shop--S01--2", node: "local", round: 1, tries: 2, limit: 4, feedback: [] };
    expect(after(running, { type: "attempt-fenced", attempt, because: "x" })).toBe("stale");
    expect(after(running, { type: "attempt-retired", attempt, tip: null, salvage: null })).toBe("stale");
    expect(after(running, { type: "attempt-abandoned", attempt, by: "lead" })).toBe("stale");
  });
});
