import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Effect, effectKey, eventVersion, type FactoryEvent } from "@dispatch/core";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { anOid } from "../../../test/kit/build-facts.ts";
import { foldEvents } from "./fold-events.ts";
import { createSqliteLedger } from "./sqlite-ledger.ts";
import { readStoredEvent } from "./stored-event.ts";

const folders: string[] = [];

afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function rowsOf<Row>(name: string): Row[] {
  const file = new URL(`../../../test/golden/journals/${name}.ndjson`, import.meta.url);
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

const events = rowsOf<{ seq: number; at: number; v: number; event: object }>("landings-one-at-a-time.v3");
const effects = rowsOf<{ key: string; seq: number; effect: object }>("landings-one-at-a-time.v3.effects");
const lastSeq = events.length;

/** A ledger as the program of before left it. `closed`: it wrote its rows; otherwise it was killed after its last effects were noted. */
async function leftLedger(closed: boolean): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "dispatch-store-"));
  folders.push(dir);
  const file = join(dir, "ledger.sqlite");
  await createSqliteLedger(file).close();
  const sqlite = new Database(file);
  const insertEvent = sqlite.prepare("INSERT INTO event (seq, at, v, task, body) VALUES (?, ?, ?, NULL, ?)");
  for (const { seq, at, v, event } of events) insertEvent.run(seq, at, v, JSON.stringify(event));
  const setMeta = sqlite.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  setMeta.run("projection", 3);
  setMeta.run("rows", closed ? lastSeq : 0);
  const insertEffect = sqlite.prepare("INSERT INTO effect (key, seq, body) VALUES (?, ?, ?)");
  if (closed) for (const { key, seq, effect } of effects) insertEffect.run(key, seq, JSON.stringify(effect));
  sqlite.close();
  return file;
}

const undone: readonly Effect[] = [
  { do: "advance-main", project: "web", car: "web/S01-page", commit: anOid(0x111) },
  { do: "build-car", project: "docs", car: "docs/S01-guide", onto: anOid(1) },
  { do: "run-car", project: "shop", car: "shop/S05-stock", commit: anOid(0x131), broken: 0 },
];

describe("a ledger of landings one at a time", () => {
  it("is one of version 3, with all that there was", () => {
    expect(new Set(events.map(({ v }) => v))).toEqual(new Set([3]));
    const types = events.map(({ event }) => (event as FactoryEvent).type as string);
    for (const type of ["landing-planned", "candidate-built", "candidate-verified", "landing-deferred", "candidate-refused", "task-merged"]) {
      expect(types).toContain(type);
    }
  });

  it.each([
    ["closed", true],
    ["killed", false],
  ])("opens as cars of one branch when its program was %s", async (_how, closed) => {
    const ledger = createSqliteLedger(await leftLedger(closed));
    const { world, lastSeq: last } = ledger.load();
    expect(last).toBe(lastSeq);
    expect(world).toEqual(foldEvents(ledger.readEvents(0, lastSeq)));
    expect([...world.tasks.values()].map(({ id, state }) => [id, state.kind])).toEqual([
      ["shop/S01-cart", "merged"],
      ["shop/S02-list", "merged"],
      ["shop/S03-till", "planned"],
      ["shop/S04-help", "queued"],
      ["mail/S01-send", "queued"],
      ["web/S01-page", "landing"],
      ["docs/S01-guide", "landing"],
      ["shop/S05-stock", "landing"],
    ]);
    expect(world.tasks.get("shop/S02-list")?.state).toMatchObject({ commit: anOid(0xe1) });
    expect([...world.projects.values()].map(({ id, main, landing, train }) => [id, main, landing.kind, train.cars.length])).toEqual([
      ["docs", anOid(1), "open", 1],
      ["mail", anOid(1), "frozen", 0],
      ["shop", anOid(6), "open", 1],
      ["web", anOid(1), "open", 1],
    ]);
    const cars = [...world.projects.values()].flatMap(({ train }) => train.cars);
    expect(cars.map(({ id, members, onto, state }) => [id, members, onto, state.kind])).toEqual([
      ["docs/S01-guide", ["docs/S01-guide"], anOid(1), "building"],
      ["shop/S05-stock", ["shop/S05-stock"], anOid(6), "running"],
      ["web/S01-page", ["web/S01-page"], anOid(1), "advancing"],
    ]);
    await ledger.close();
  });

  it("gives what its program had not done the shape and the key of now, once", async () => {
    const file = await leftLedger(true);
    const ledger = createSqliteLedger(file);
    const { pending } = ledger.load();
    expect(pending.map(({ effect }) => effect)).toEqual(undone);
    for (const { key, effect } of pending) expect(key).toBe(effectKey(effect));
    await ledger.close();
    const again = createSqliteLedger(file);
    expect(again.load().pending).toEqual(pending);
    await again.close();
  });

  it("derives the same from the log when its program was killed", async () => {
    const ledger = createSqliteLedger(await leftLedger(false));
    const { pending } = ledger.load();
    expect(pending.map(({ effect }) => effect)).toEqual(expect.arrayContaining([...undone]));
    for (const { key, effect } of pending) expect(key).toBe(effectKey(effect));
    await ledger.close();
  });

  it("goes on: what it had on its way to main is merged, and forgotten as done", async () => {
    const ledger = createSqliteLedger(await leftLedger(true));
    const before = ledger.load();
    const landed: FactoryEvent = { type: "car-landed", project: "web", car: "web/S01-page", commit: anOid(0x111), from: anOid(1) };
    const merged: FactoryEvent = { type: "task-merged", task: "web/S01-page", commit: anOid(0x111), from: anOid(1) };
    const [advance] = before.pending;
    const facts = [landed, merged].map((event, i) => ({ seq: lastSeq + 1 + i, at: 1, v: eventVersion as typeof eventVersion, event }));
    const world = foldEvents([...ledger.readEvents(0, lastSeq), ...facts]);
    expect(world.tasks.get("web/S01-page")?.state).toMatchObject({ kind: "merged", commit: anOid(0x111) });
    const change = { projects: [...world.projects.values()], tasks: [...world.tasks.values()], attempts: [], nodes: [], effects: [] };
    await ledger.append({ events: facts, change, done: advance === undefined ? [] : [advance.key] });
    const after = ledger.load();
    expect(after.world).toEqual(world);
    expect(after.pending.map(({ effect }) => effect.do)).toEqual(["build-car", "run-car"]);
    await ledger.close();
  });
});

describe("events of older versions", () => {
  const read = (v: number, event: object): FactoryEvent => readStoredEvent({ seq: 1, at: 2, v, body: JSON.stringify(event) }).event;
  const candidate = { commit: anOid(1), merge: anOid(2), tree: anOid(3) };
  const task = "shop/S01-a";
  const of = { project: "shop", car: task };
  const note = { gate: "landing", severity: "note", found: "f", why: "w", hint: "h" };

  it.each([1, 2, 3])("of single landings are events of a car with the task's name in version %i", (v) => {
    expect(read(v, { type: "landing-planned", task, onto: anOid(9) })).toEqual({
      type: "car-planned",
      ...of,
      kind: "car",
      members: [task],
      ahead: [],
    });
    expect(read(v, { type: "candidate-built", task, candidate })).toEqual({ type: "car-built", ...of, members: [task], candidate });
    expect(read(v, { type: "candidate-built", task, candidate, notes: [note] })).toMatchObject({ type: "car-built", notes: [note] });
    expect(read(v, { type: "candidate-verified", task, candidate, verify: [] })).toMatchObject({ type: "car-passed", ...of, candidate, verify: [] });
    expect(read(v, { type: "landing-deferred", task, because: "b", main: anOid(9) })).toEqual({
      type: "car-dropped",
      ...of,
      because: "b",
      main: anOid(9),
    });
  });

  it("that mean the same now are as they were", () => {
    const merged = { type: "task-merged", task, commit: anOid(1), from: anOid(2) };
    for (const v of [1, 2, 3, 4]) expect(read(v, merged)).toEqual(merged);
  });
});
