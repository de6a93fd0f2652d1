import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attemptIdOf, type Commit, eventVersion, type FactoryEvent, type Ledger, type StoredEvent } from "@dispatch/core";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { anOid, aSpec, planned, reported, someIdentity } from "../../../test/kit/build-facts.ts";
import { createMemoryLedger } from "../../../test/kit/memory-ledger.ts";
import { foldEvent, foldEvents, openWorld } from "./fold-events.ts";
import { createSqliteLedger } from "./sqlite-ledger.ts";

const folders: string[] = [];

function newFile(): string {
  const dir = mkdtempSync(join(tmpdir(), "dispatch-store-"));
  folders.push(dir);
  return join(dir, "ledger.sqlite");
}

afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** What a machine that lost its process has on disk: the file and its log, and nothing that was in memory. */
function afterKill(file: string): string {
  const copy = newFile();
  for (const end of ["", "-wal"]) if (existsSync(`${file}${end}`)) copyFileSync(`${file}${end}`, `${copy}${end}`);
  return copy;
}

/** Makes commits of facts as the engine would; `done` names effects that are done. */
function createCommits() {
  const world = openWorld();
  let seq = 0;
  return (facts: readonly FactoryEvent[], done: readonly string[] = []): Commit => {
    const events: StoredEvent[] = [];
    const changes = facts.flatMap((event) => {
      const stored: StoredEvent = { seq: seq + 1, at: seq + 1, v: eventVersion, event };
      const change = foldEvent(world, stored);
      if (change === undefined) return [];
      seq += 1;
      events.push(stored);
      return [change];
    });
    return {
      events,
      done,
      change: {
        projects: changes.flatMap((change) => change.projects),
        tasks: changes.flatMap((change) => change.tasks),
        attempts: changes.flatMap((change) => change.attempts),
        nodes: changes.flatMap((change) => change.nodes),
        effects: changes.flatMap((change) => change.effects),
      },
    };
  };
}

const start: FactoryEvent = { type: "project-started", project: "shop", main: anOid(1) };
const task = (n: number) => `shop/S${n}-a`;
const attempt = (n: number) => attemptIdOf(task(n), 1);
const plan = (n: number) => planned(aSpec(`S${n}-a`));
const place = (n: number): FactoryEvent => ({
  type: "task-placed",
  task: task(n),
  attempt: attempt(n),
  n: 1,
  node: "local",
  base: anOid(1),
  executor: "x",
});
const begin = (n: number) => reported(attempt(n), 1, { type: "attempt-started", identity: someIdentity });

const rowsOf = (file: string) => {
  const sqlite = new Database(file, { readonly: true });
  const { value } = (sqlite.prepare("SELECT value FROM meta WHERE key = 'rows'").get() as { value: number } | undefined) ?? { value: 0 };
  const { n } = sqlite.prepare("SELECT count(*) AS n FROM task").get() as { n: number };
  sqlite.close();
  return { position: value, tasks: n };
};

async function same(ledger: Ledger, other: Ledger): Promise<void> {
  const [mine, theirs] = [ledger.load(), other.load()];
  expect(mine.world).toEqual(theirs.world);
  expect(mine.lastSeq).toBe(theirs.lastSeq);
  expect(mine.pending.map(({ key }) => key).sort()).toEqual(theirs.pending.map(({ key }) => key).sort());
}

describe("the rows of a ledger", () => {
  it("are behind the log until it is closed, and a killed process loses nothing by that", async () => {
    const file = newFile();
    const ledger = createSqliteLedger(file);
    const commit = createCommits();
    await ledger.append(commit([start, plan(1), plan(2)]));
    await ledger.append(commit([place(1), place(2)]));
    await ledger.append(commit([begin(1)], [`start-attempt:${attempt(1)}`]));
    expect(rowsOf(file)).toEqual({ position: 0, tasks: 0 });
    const again = createSqliteLedger(afterKill(file));
    const { world, lastSeq, pending } = again.load();
    expect(world).toEqual(foldEvents(again.readEvents(0, 10)));
    expect(world.tasks.get(task(1))?.state.kind).toBe("running");
    expect(lastSeq).toBe(6);
    expect(pending.map(({ key }) => key)).toEqual([`start-attempt:${attempt(2)}`]);
    await again.close();
    await ledger.close();
    expect(rowsOf(file)).toEqual({ position: 6, tasks: 2 });
  });

  it("forget an effect that was done without a fact, also after a kill", async () => {
    const file = newFile();
    const ledger = createSqliteLedger(file);
    const commit = createCommits();
    await ledger.append(commit([start, plan(1), place(1)]));
    expect(ledger.load().pending).toHaveLength(1);
    await ledger.append(commit([], [`start-attempt:${attempt(1)}`]));
    const again = createSqliteLedger(afterKill(file));
    expect(again.load().pending).toEqual([]);
    await again.close();
    await ledger.close();
    const last = createSqliteLedger(file);
    expect(last.load().pending).toEqual([]);
    await last.close();
  });

  it("are written with the group that puts the log far ahead of them", async () => {
    const file = newFile();
    const ledger = createSqliteLedger(file);
    const commit = createCommits();
    await ledger.append(commit([start]));
    await ledger.append(commit(Array.from({ length: 2100 }, (_, n) => plan(n))));
    expect(rowsOf(file)).toEqual({ position: 2101, tasks: 2100 });
    await ledger.append(commit([place(7)]));
    const again = createSqliteLedger(afterKill(file));
    expect(again.load().world.tasks.get(task(7))?.state.kind).toBe("starting");
    await again.close();
    await ledger.close();
  });

  it("are left alone when another process has gone on with the ledger", async () => {
    const file = newFile();
    const one = createSqliteLedger(file);
    const commit = createCommits();
    await one.append(commit([start, plan(1)]));
    const two = createSqliteLedger(file);
    expect(two.load().lastSeq).toBe(2);
    await two.append(commit([place(1)]));
    await one.close();
    await two.close();
    const again = createSqliteLedger(file);
    expect(again.load().world).toEqual(foldEvents(again.readEvents(0, 10)));
    expect(again.load().pending).toHaveLength(1);
    await again.close();
  });

  it("give, however often the process is killed or closed in between, what a ledger that was never closed gives", async () => {
    const act = fc.constantFrom("append", "append", "append", "done", "kill", "close", "load");
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 40 }), async (acts) => {
        const memory = createMemoryLedger();
        const commit = createCommits();
        const facts = [start, ...Array.from({ length: 8 }, (_, n) => [plan(n), place(n), begin(n)]).flat()];
        let file = newFile();
        // Which acknowledged commit a power failure takes is not the matter here; what a process leaves is the same.
        const open = () => createSqliteLedger(file, { synchronous: "NORMAL" });
        let ledger = open();
        const write = (written: Commit) => Promise.all([ledger.append(written), memory.append(written)]);
        for (const doing of acts) {
          const next = doing === "append" ? facts.shift() : undefined;
          const oldest = memory.load().pending[0]?.key;
          if (next !== undefined) await write(commit([next], next.type === "wrapper-reported" && oldest !== undefined ? [oldest] : []));
          if (doing === "done" && oldest !== undefined) await write(commit([], [oldest]));
          if (doing === "load") await same(ledger, memory);
          if (doing === "kill" || doing === "close") {
            const killed = doing === "kill" ? afterKill(file) : undefined;
            await ledger.close();
            file = killed ?? file;
            ledger = open();
          }
        }
        await same(ledger, memory);
        await ledger.close();
      }),
      { numRuns: 25 },
    );
  });
});
