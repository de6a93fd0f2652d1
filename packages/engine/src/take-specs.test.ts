import { emptyWorld, evolve, type FactoryEvent, type World, withChange } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned } from "../../../test/kit/build-facts.ts";
import { feedEvents, revisionEvent, type SpecFile } from "./take-specs.ts";

function worldOf(...events: readonly FactoryEvent[]): World {
  return events.reduce((world, event, i) => {
    const evolution = evolve(world, event, i + 1);
    if (evolution.outcome !== "moved") throw new Error(evolution.because);
    return withChange(world, evolution.change);
  }, emptyWorld());
}

const fed = planned(aSpec("S01"));
const placed: FactoryEvent = { type: "task-placed", task: "shop/S01", attempt: "shop--S01--1", n: 1, node: "local", base: anOid(1), executor: "a" };
const refused = (retry: "never" | "later"): FactoryEvent => ({ type: "attempt-refused", attempt: "shop--S01--1", because: "no", retry });
const edit = (text: string, base?: number): SpecFile => ({
  spec: aSpec("S01"),
  digest: `digest of ${text}`,
  text,
  path: "specs/shop/S01.md",
  ...(base === undefined ? {} : { base }),
});
const revised = (text: string): FactoryEvent => ({ type: "spec-revised", task: "shop/S01", ...edit(text) });

function taskIn(world: World) {
  const task = world.tasks.get("shop/S01");
  if (task === undefined) throw new Error("no task");
  return task;
}

describe("an edit of a spec", () => {
  it.each<[string, readonly FactoryEvent[]]>([
    ["planned", [fed]],
    ["backoff", [fed, placed, refused("later")]],
    ["parked", [fed, placed, refused("never")]],
    ["cancelled", [fed, { type: "task-cancelled", task: "shop/S01", by: "me" }]],
  ])("of a task that is %s is recorded with who made it, and takes the task up again", (kind, events) => {
    const world = worldOf(...events);
    expect(taskIn(world).state.kind).toBe(kind);
    const event = revisionEvent(taskIn(world), edit("new", 1), "me");
    expect(event).toEqual({
      type: "spec-revised",
      task: "shop/S01",
      spec: aSpec("S01"),
      digest: "digest of new",
      text: "new",
      path: "specs/shop/S01.md",
      by: "me",
    });
    const after = taskIn(worldOf(...events, event));
    expect([after.revision, after.text, after.state.kind]).toEqual([2, "new", "planned"]);
  });

  it.each<[string, readonly FactoryEvent[]]>([
    ["starting", [fed, placed]],
    ["cancelling", [fed, placed, { type: "task-cancelled", task: "shop/S01", by: "me" }]],
  ])("of a task that is %s is refused with what to do", (kind, events) => {
    const task = taskIn(worldOf(...events));
    expect(() => revisionEvent(task, edit("new", 1), "me")).toThrow(
      expect.objectContaining({ code: "NOT_ALLOWED", facts: { task: "shop/S01", state: kind, revision: 1 }, hint: expect.any(String) }),
    );
  });

  it("of an older revision is refused; without a base it is an edit of the newest", () => {
    const task = taskIn(worldOf(fed, revised("second"), revised("third")));
    for (const base of [1, 2, 4]) {
      expect(() => revisionEvent(task, edit("mine", base), "me")).toThrow(
        expect.objectContaining({ code: "SPEC_CHANGED", facts: { task: "shop/S01", revision: 3, baseRevision: base } }),
      );
    }
    for (const file of [edit("mine", 3), edit("mine")]) expect(revisionEvent(task, file, "me")).toMatchObject({ text: "mine" });
  });
});

describe("a feed", () => {
  it("does not undo an edit that was taken in after its files were read", () => {
    const world = worldOf(fed, revised("by the interface"));
    expect(() => feedEvents(world, [edit("as the file was", 1)], "me")).toThrow(expect.objectContaining({ code: "SPEC_CHANGED" }));
    expect(feedEvents(world, [edit("by the interface", 1)], "me")).toEqual({
      events: [],
      report: { planned: [], revised: [], unchanged: ["shop/S01"] },
    });
    expect(feedEvents(world, [edit("edited since", 2)], "me").report).toEqual({ planned: [], revised: ["shop/S01"], unchanged: [] });
  });

  it("takes all of its files or none", () => {
    const other: SpecFile = { ...edit("other"), spec: aSpec("S02"), path: "specs/shop/S02.md" };
    expect(feedEvents(worldOf(fed), [other, edit("new", 1)], "me").report).toEqual({ planned: ["shop/S02"], revised: ["shop/S01"], unchanged: [] });
    expect(() => feedEvents(worldOf(fed, placed), [other, edit("new", 1)], "me")).toThrow(expect.objectContaining({ code: "SPEC_CHANGED" }));
  });
});
