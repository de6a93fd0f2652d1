import { emptyWorld, eventVersion, evolve, type FactoryEvent, type StoredEvent, type Task } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { pickRevision, readRevisions } from "./read-revisions.ts";

const revised = (id: string, text: string, by?: string): FactoryEvent => ({
  type: "spec-revised",
  task: `shop/${id}`,
  spec: aSpec(id),
  digest: `digest of ${text}`,
  text,
  path: "x",
  ...(by === undefined ? {} : { by }),
});
const noise: FactoryEvent = { type: "project-paused", project: "shop", by: "me" };

function stored(events: readonly FactoryEvent[]): StoredEvent[] {
  return events.map((event, i) => ({ seq: i + 1, at: 1000 + i, v: eventVersion, event }));
}

function taskAt(revision: number): Task {
  const evolution = evolve(emptyWorld(), planned(aSpec("S01")), 1);
  const task = evolution.outcome === "moved" ? evolution.change.tasks[0] : undefined;
  if (task === undefined) throw new Error("no task");
  return { ...task, revision };
}

describe("the revisions of a spec", () => {
  it("are read from the log in steps, those of other tasks left out, and no further than needed", async () => {
    const log = stored([
      noise,
      planned(aSpec("S01")),
      planned(aSpec("S02")),
      noise,
      revised("S02", "other"),
      revised("S01", "second", "me"),
      noise,
      noise,
      noise,
    ]);
    const asked: number[] = [];
    const readEvents = (after: number): StoredEvent[] => {
      asked.push(after);
      return log.slice(after, after + 2);
    };
    expect(await readRevisions(readEvents, taskAt(2))).toEqual([
      { revision: 1, text: "# S01\n", digest: "digest-S01", at: 1001, by: null },
      { revision: 2, text: "second", digest: "digest of second", at: 1005, by: "me" },
    ]);
    expect(asked).toEqual([0, 2, 4]);
  });

  it("that there are none of are named as absent", async () => {
    const task = taskAt(3);
    const revisions = await readRevisions((after) => stored([planned(aSpec("S01"))]).slice(after), task);
    expect(revisions).toHaveLength(1);
    expect(pickRevision(task, revisions, 1).text).toBe("# S01\n");
    for (const wanted of [0, 2, 3]) expect(() => pickRevision(task, revisions, wanted)).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
  });
});
