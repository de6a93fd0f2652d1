import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FactoryEvent, type Oid, resultRef, type StoredEvent } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchLandingLaws } from "./landing-laws.ts";
import { gitOut } from "./prove-main.ts";

const attempt = "shop--S01-a--1";
const identity = ["-c", "user.name=Lead", "-c", "user.email=lead@localhost"];

let home: string;
let start: Oid;
let tip: Oid;
let landing: Oid;
let facts: FactoryEvent[];

const hub = (): string => join(home, "hub.git");
const origin = (): string => join(home, "origin.git");

function commit(parents: readonly Oid[], subject: string): Oid {
  const blob = execFileSync("git", ["-C", hub(), "hash-object", "-w", "--stdin"], { input: subject, encoding: "utf8" }).trim();
  const tree = execFileSync("git", ["-C", hub(), "mktree"], { input: `100644 blob ${blob}\tfile\n`, encoding: "utf8" }).trim();
  return gitOut(hub(), ...identity, "commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-m", subject);
}

function move(repository: string, to: Oid): void {
  gitOut(repository, "update-ref", "refs/heads/main", to);
}

function watch(): ReturnType<typeof watchLandingLaws> {
  const stored = (): StoredEvent[] => facts.map((event, n) => ({ seq: n + 1, at: n, v: 4, event }));
  return watchLandingLaws({ hub: hub(), origin: origin(), node: home, agentRuns: () => [{ attempt, round: 1, pid: 1, ended: true }] }, stored);
}

/** Which laws are broken. */
function broken(found: readonly string[]): string[] {
  return [...new Set(found.map((text) => text.slice(0, 2)))];
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "dispatch-laws-"));
  for (const repository of [hub(), origin()]) execFileSync("git", ["init", "-q", "--bare", "-b", "main", repository]);
  gitOut(hub(), "config", "core.logAllRefUpdates", "always");
  start = commit([], "Begin");
  tip = commit([start], "The work");
  landing = commit([start, tip], "Land S01-a\n\nSpec-Id: S01-a");
  move(hub(), start);
  gitOut(hub(), "push", "-q", origin(), "main");
  gitOut(hub(), "update-ref", resultRef(attempt), tip);
  const candidate = { commit: landing, merge: landing, tree: gitOut(hub(), "rev-parse", `${landing}^{tree}`) };
  const of = { project: "shop", car: "1" };
  facts = [
    { type: "task-placed", task: "shop/S01-a", attempt, n: 1, node: "local", base: start, executor: "x" },
    { type: "attempt-collected", attempt, tip, salvage: null },
    { type: "car-built", ...of, members: ["shop/S01-a"], candidate },
    { type: "car-passed", ...of, candidate, run: "", gateHash: "", verify: [] },
    { type: "task-merged", task: "shop/S01-a", commit: landing, from: start },
  ];
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

test("a landing that was built, green, told and kept breaks no law, nor does one that is not told yet", () => {
  const laws = watch();
  const merged = facts.pop();
  expect(laws.check()).toEqual([]);
  move(hub(), landing);
  expect(laws.check()).toEqual([]);
  if (merged !== undefined) facts.push(merged);
  expect(laws.check()).toEqual([]);
  expect(laws.checkMoves()).toEqual([]);
});

test("main that goes back is found out, also when it has come forward again meanwhile", () => {
  const laws = watch();
  move(hub(), landing);
  laws.check();
  move(hub(), start);
  expect(broken(laws.check())).toEqual(["I1"]);
  move(hub(), landing);
  expect(broken(watch().check())).toEqual([]);
  expect(broken(laws.checkMoves())).toEqual(["I1"]);
});

test.each([
  ["car-built", "I1"],
  ["car-passed", "I1"],
] as const)("a commit on main without the fact %s breaks %s", (type, law) => {
  move(hub(), landing);
  facts = facts.filter((fact) => fact.type !== type);
  expect(broken(watch().check())).toEqual([law]);
});

test("what is told as merged has to be on main, and its branch too", () => {
  expect(broken(watch().check())).toEqual(["I2"]);
  move(hub(), commit([landing], "Land S01-a again\n\nSpec-Id: S01-a"));
  // It was neither built nor tested, and its spec is on main already.
  expect(broken(watch().check())).toEqual(["I1", "I2"]);
});

test("what was collected has to be held, and what was begun has to be somewhere", () => {
  facts = facts.slice(0, 2);
  gitOut(hub(), "update-ref", "-d", resultRef(attempt));
  expect(broken(watch().check())).toEqual(["I2"]);
  facts = facts.slice(0, 1);
  expect(broken(watch().check())).toEqual(["I2"]);
  mkdirSync(join(home, "work", attempt), { recursive: true });
  expect(watch().check()).toEqual([]);
});
