import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventVersion, noChange } from "@dispatch/core";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { describeLedger } from "../../../test/contract/ledger.ts";
import { anOid, aSpec, planned } from "../../../test/kit/build-facts.ts";
import { createMemoryLedger } from "../../../test/kit/memory-ledger.ts";
import { holdFactory } from "./factory-lock.ts";
import { foldEvents } from "./fold-events.ts";
import { createTables } from "./schema.ts";
import { createSqliteLedger } from "./sqlite-ledger.ts";

const folders: string[] = [];

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "dispatch-store-"));
  folders.push(dir);
  return dir;
}

afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describeLedger("sqlite", () => {
  const file = join(folder(), "ledger.sqlite");
  return { open: () => createSqliteLedger(file) };
});

describeLedger("memory", () => {
  let ledger = createMemoryLedger();
  let opened = false;
  return {
    open() {
      if (opened) ledger = ledger.reopen() as typeof ledger;
      opened = true;
      return ledger;
    },
  };
});

function event(seq: number) {
  return { events: [{ seq, at: 1, v: eventVersion as typeof eventVersion, event: planned(aSpec("S01-a")) }], change: noChange, done: [] };
}

describe("the sqlite ledger", () => {
  it("writes all commits of one turn of the loop in one transaction", async () => {
    const file = join(folder(), "ledger.sqlite");
    const ledger = createSqliteLedger(file);
    ledger.load();
    const watcher = new Database(file, { readonly: true });
    const count = () => (watcher.prepare("SELECT count(*) AS n FROM event").get() as { n: number }).n;
    const all = [1, 2, 3].map((seq) => ledger.append(event(seq)));
    expect(count()).toBe(0);
    await Promise.all(all);
    expect(count()).toBe(3);
    watcher.close();
    await ledger.close();
  });

  it("refuses a second writer of the same position, and everything after it", async () => {
    const file = join(folder(), "ledger.sqlite");
    const one = createSqliteLedger(file);
    const two = createSqliteLedger(file);
    await one.append(event(1));
    await expect(two.append(event(1))).rejects.toMatchObject({ code: "LEDGER_CONFLICT" });
    await expect(two.append(event(2))).rejects.toMatchObject({ code: "LEDGER_CONFLICT" });
    await one.close();
    await two.close();
  });

  it("leaves noChange of a group of which one commit fails", async () => {
    const file = join(folder(), "ledger.sqlite");
    const ledger = createSqliteLedger(file);
    await ledger.append(event(1));
    const good = ledger.append(event(2));
    const bad = ledger.append(event(1));
    await expect(good).rejects.toMatchObject({ code: "LEDGER_CONFLICT" });
    await expect(bad).rejects.toMatchObject({ code: "LEDGER_CONFLICT" });
    await ledger.close();
    const again = createSqliteLedger(file);
    expect(again.load().lastSeq).toBe(1);
    await again.close();
  });

  it.each([
    ["an older", 0],
    ["a newer", 99],
  ])("refuses a ledger of %s version and leaves it as it is", (_word, version) => {
    const file = join(folder(), "ledger.sqlite");
    const sqlite = new Database(file);
    sqlite.exec(createTables);
    sqlite.pragma(`user_version = ${version}`);
    sqlite.close();
    expect(() => createSqliteLedger(file)).toThrowError(expect.objectContaining({ code: "LEDGER_VERSION" }));
  });

  it("refuses an event of a version it does not know", async () => {
    const file = join(folder(), "ledger.sqlite");
    const ledger = createSqliteLedger(file);
    await ledger.append(event(1));
    await ledger.close();
    const sqlite = new Database(file);
    sqlite.prepare("UPDATE event SET v = 99").run();
    sqlite.close();
    const again = createSqliteLedger(file);
    expect(() => again.readEvents(0, 10)).toThrowError(expect.objectContaining({ code: "LEDGER_VERSION" }));
    await again.close();
  });

  const ofVersion1 = "'$.spec.resources', '$.spec.nodes', '$.spec.nodeLabels', '$.spec.budget', '$.spec.contract', '$.spec.direction'";
  const ofVersion3 = "'$.spec.acceptance', '$.spec.evidence', '$.spec.testsMin'";

  it.each([
    [1, `${ofVersion1}, ${ofVersion3}`],
    [3, ofVersion3],
  ])("completes the specs of a program that wrote version %i", async (version, absent) => {
    const file = join(folder(), "ledger.sqlite");
    const ledger = createSqliteLedger(file);
    await ledger.append(event(1));
    await ledger.close();
    const sqlite = new Database(file);
    sqlite.prepare(`UPDATE event SET v = ${version}, body = json_remove(body, ${absent})`).run();
    sqlite.close();
    const again = createSqliteLedger(file);
    expect(again.readEvents(0, 10)).toEqual(event(1).events);
    await again.close();
  });

  it("says that a file is no ledger", () => {
    const file = join(folder(), "ledger.sqlite");
    writeFileSync(file, "this is not a database, but it is long enough to be read as one".repeat(50));
    expect(() => createSqliteLedger(file)).toThrowError(expect.objectContaining({ code: "LEDGER_CORRUPT" }));
  });

  it("folds the log again when its rows were made by older rules", async () => {
    const file = join(folder(), "ledger.sqlite");
    const ledger = createSqliteLedger(file);
    ledger.load();
    const started = { type: "project-started", project: "shop", main: anOid(1) } as const;
    await ledger.append({
      events: [
        { seq: 1, at: 1, v: eventVersion, event: started },
        { seq: 2, at: 2, v: eventVersion, event: planned(aSpec("S01-a")) },
      ],
      change: noChange,
      done: [],
    });
    await ledger.close();
    const sqlite = new Database(file);
    sqlite.prepare("UPDATE meta SET value = 0 WHERE key = 'projection'").run();
    sqlite.close();
    const again = createSqliteLedger(file);
    const { world } = again.load();
    expect(world).toEqual(foldEvents(again.readEvents(0, 10)));
    expect(world.tasks.get("shop/S01-a")?.plannedAt).toBe(2);
    await again.close();
  });
});

describe("the lock of a factory", () => {
  it("is held by one process and vanishes when that is killed", async () => {
    const file = join(folder(), "daemon.lock");
    const code = `const D=require("better-sqlite3");const d=new D(${JSON.stringify(file)});d.exec("BEGIN EXCLUSIVE");console.log("held");setInterval(()=>{},1e6)`;
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"], cwd: process.cwd() });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(() => holdFactory(file)).toThrowError(expect.objectContaining({ code: "DAEMON_RUNNING" }));
    child.kill("SIGKILL");
    await ended;
    const held = holdFactory(file);
    expect(() => holdFactory(file)).toThrowError(expect.objectContaining({ code: "DAEMON_RUNNING" }));
    held.release();
    holdFactory(file).release();
  });
});
