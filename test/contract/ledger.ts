import { eventVersion, evolve, type FactoryEvent, type Ledger, type StoredEvent, withChange } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec, planned } from "../kit/build-facts.ts";

/** What every ledger must do. `open` opens the same ledger again after `close`. */
export function describeLedger(name: string, make: () => { open(): Ledger }): void {
  const append = (ledger: Ledger, events: readonly FactoryEvent[], done: readonly string[] = []): Promise<void> => {
    const { world: start, lastSeq } = ledger.load();
    let world = start;
    let seq = lastSeq;
    const stored: StoredEvent[] = [];
    const changes = events.map((event) => {
      const evolution = evolve(world, event, 5);
      if (evolution.outcome !== "moved") throw new Error(evolution.because);
      world = withChange(world, evolution.change);
      seq += 1;
      stored.push({ seq, at: 5, v: eventVersion, event });
      return evolution.change;
    });
    return ledger.append({
      events: stored,
      change: {
        projects: changes.flatMap((change) => change.projects),
        tasks: changes.flatMap((change) => change.tasks),
        attempts: changes.flatMap((change) => change.attempts),
        nodes: changes.flatMap((change) => change.nodes),
        effects: changes.flatMap((change) => change.effects),
      },
      done,
    });
  };
  const first: FactoryEvent[] = [{ type: "project-started", project: "shop", main: anOid(1) }, planned(aSpec("S01-a")), planned(aSpec("S02-b"))];
  const placed: FactoryEvent = {
    type: "task-placed",
    task: "shop/S01-a",
    attempt: "shop--S01-a--1",
    n: 1,
    node: "local",
    base: anOid(1),
    executor: "x",
  };

  describe(`${name} as a ledger`, () => {
    it("gives back what was appended, also after it was opened again", async () => {
      const place = make();
      const ledger = place.open();
      await append(ledger, first);
      await append(ledger, [placed]);
      await ledger.close();
      const again = place.open();
      const { world, lastSeq, pending } = again.load();
      expect(lastSeq).toBe(4);
      expect(world.tasks.get("shop/S01-a")?.state.kind).toBe("starting");
      expect(world.tasks.get("shop/S02-b")?.text).toBe("# S02-b\n");
      expect(world.attempts.get("shop--S01-a--1")?.base).toBe(anOid(1));
      expect(pending.map((effect) => effect.key)).toEqual(["start-attempt:shop--S01-a--1"]);
      await again.close();
    });

    it("forgets an effect when it is done, and not before", async () => {
      const place = make();
      const ledger = place.open();
      await append(ledger, [...first, placed]);
      expect(ledger.load().pending).toHaveLength(1);
      await append(ledger, [], ["start-attempt:shop--S01-a--1"]);
      expect(ledger.load().pending).toHaveLength(0);
      await ledger.close();
    });

    it("reads events in order, by position", async () => {
      const ledger = make().open();
      await append(ledger, [...first, placed]);
      expect(ledger.readEvents(1, 2).map((stored) => stored.seq)).toEqual([2, 3]);
      await ledger.close();
    });

    it("keeps a revised spec", async () => {
      const place = make();
      const ledger = place.open();
      await append(ledger, first);
      const spec = aSpec("S01-a", { title: "newer" });
      await append(ledger, [{ type: "spec-revised", task: "shop/S01-a", spec, digest: "d2", text: "newer", path: "p" }]);
      await ledger.close();
      const again = place.open();
      expect(again.load().world.tasks.get("shop/S01-a")).toMatchObject({ revision: 2, digest: "d2", text: "newer", spec: { title: "newer" } });
      await again.close();
    });
  });
}
