import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Attempt, type FactoryEvent, holdsLock, holdsSlot, resultRef, type StoredEvent, salvageRef, type World } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { createSqliteLedger, foldEvents } from "@dispatch/store";
import { expect } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { project, type RealFactory } from "../kit/real-factory.ts";

/** At any moment: what an agent ever worked in is still there, or is in the hub. */
export function expectNothingLost(factory: RealFactory): void {
  const refs = existsSync(factory.hub) ? refsOf(factory, factory.hub) : new Map<string, string>();
  for (const attempt of new Set(factory.agentRuns().map((run) => run.attempt))) {
    const kept = factory.nodes.some((node) => existsSync(join(node, "work", attempt))) || refs.has(resultRef(attempt));
    expect(kept, `${attempt} has neither a worktree nor a ref in the hub`).toBe(true);
  }
}

/** At the end, with the daemon down: everything landed once, the records agree, and nothing is left behind. */
export async function expectWhole(factory: RealFactory): Promise<void> {
  const ledger = createSqliteLedger(join(factory.dir, factoryPaths.ledger));
  const { world, pending } = ledger.load();
  const events = ledger.readEvents(0, 1_000_000);
  await ledger.close();
  expect(foldEvents(events), "the log adds up to the rows").toEqual(world);
  // The last words of a daemon that ends may reach nobody any more.
  const told = factory.followed.events();
  expect(told, "what was told is what is stored").toEqual(events.slice(0, told.length));
  expect(events.length - told.length, "facts that nobody was told").toBeLessThanOrEqual(1);
  expect(pending).toEqual([]);
  expectMergedOnce(factory, world, events);
  expectReportsWithoutGaps(world, events);
  expectOneAgentAtATime(factory, world, events);
  expectHeldInHub(factory, world);
  expectTidy(factory, world);
  expectGreen(factory);
  await eventually("the end of every process of the factory", () => factory.processes().length === 0 && factory.tmuxPid() === undefined);
}

function factsOf<T extends FactoryEvent["type"]>(events: readonly StoredEvent[], type: T): Extract<FactoryEvent, { type: T }>[] {
  return events.flatMap(({ event }) => (event.type === type ? [event as Extract<FactoryEvent, { type: T }>] : []));
}

function expectMergedOnce(factory: RealFactory, world: World, events: readonly StoredEvent[]): void {
  const tasks = factory.specs.map((spec) => `${project}/${spec.id}`).sort();
  const merged = factsOf(events, "task-merged");
  expect(merged.map((event) => event.task).sort()).toEqual(tasks);
  const format = "--format=%H%x09%(trailers:key=Spec-Id,valueonly,separator=%x2C)";
  const landed = factory
    .git(factory.hub, "log", "--first-parent", format, "main")
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([, ids = ""]) => ids !== "");
  // What lands together is told one task at a time.
  expect(landed.map(([commit]) => commit).reverse()).toEqual([...new Set(merged.map((event) => event.commit))]);
  expect(landed.flatMap(([, ids = ""]) => ids.split(",")).sort()).toEqual(factory.specs.map((spec) => spec.id).sort());
  const main = factory.git(factory.hub, "rev-parse", "main");
  expect(factory.git(factory.origin, "rev-parse", "main")).toBe(main);
  expect(world.projects.get(project)?.main).toBe(main);
}

function expectReportsWithoutGaps(world: World, events: readonly StoredEvent[]): void {
  const reports = factsOf(events, "wrapper-reported");
  for (const attempt of world.attempts.values()) {
    const own = reports.filter((report) => report.attempt === attempt.id);
    expect(
      own.map((report) => report.seq),
      `reports of ${attempt.id}`,
    ).toEqual(own.map((_, n) => n + 1));
    expect(own.filter((report) => report.fact.type === "attempt-started").length, `wrappers of ${attempt.id}`).toBeLessThanOrEqual(1);
    expect(own.filter((report) => report.fact.type === "attempt-ended").length, `ends of ${attempt.id}`).toBeLessThanOrEqual(1);
  }
}

/** A second agent of a task may run beside one that was fenced with its node, and beside no other. */
function expectOneAgentAtATime(factory: RealFactory, world: World, events: readonly StoredEvent[]): void {
  const fenced = new Set(factsOf(events, "attempt-fenced").map((event) => event.attempt));
  const fencedPids = new Set(factory.agentRuns().flatMap((run) => (fenced.has(run.attempt) ? [String(run.pid)] : [])));
  const overlaps = factory.overlaps().map((line) => line.split(" "));
  expect(overlaps.filter(([, attempt = "", , , other = ""]) => !fencedPids.has(other) && !fenced.has(attempt))).toEqual([]);
  const runs = factory.agentRuns().map((run) => `${run.attempt} round ${run.round}`);
  expect(runs, "an agent is started once in a round").toEqual([...new Set(runs)]);
  expect(factory.agentRuns().filter((run) => !world.attempts.has(run.attempt))).toEqual([]);
}

function expectHeldInHub(factory: RealFactory, world: World): void {
  const refs = refsOf(factory, factory.hub);
  const ran = new Set(factory.agentRuns().map((run) => run.attempt));
  for (const attempt of world.attempts.values()) {
    expect(attempt.state.kind, attempt.id).toBe("discarded");
    const { tip, salvage } = attempt.state as Extract<Attempt["state"], { kind: "discarded" }>;
    if (ran.has(attempt.id)) expect(tip, `${attempt.id} ran, so it left a branch`).not.toBeNull();
    if (tip !== null) expect(refs.get(resultRef(attempt.id)), attempt.id).toBe(tip);
    if (tip !== null) expect(refs.get(salvageRef(attempt.id)) ?? tip, attempt.id).toBe(salvage ?? tip);
  }
}

function expectTidy(factory: RealFactory, world: World): void {
  for (const node of factory.nodes) {
    expect(namesIn(join(node, "work")), `worktrees in ${node}`).toEqual([]);
    const known = namesIn(join(node, "repos", `${project}.git`, "worktrees"));
    expect(
      // The bays of gate runs stay warm.
      known.filter((name) => name.replace(/\+\d+$/, "") !== project),
      `worktrees that git knows in ${node}`,
    ).toEqual([]);
  }
  expect([...world.attempts.values()].filter((attempt) => attempt.endedAt === 0 || holdsSlot(attempt))).toEqual([]);
  expect([...world.tasks.values()].filter(holdsLock)).toEqual([]);
  const onNodes = factory.nodes.map((node) => join(node, "repos", `${project}.git`));
  for (const repository of [factory.hub, ...onNodes.filter((path) => existsSync(path))]) {
    const locks = readdirSync(repository, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".lock"));
    expect(locks, `locks in ${repository}`).toEqual([]);
  }
  for (const repository of [factory.hub, factory.origin]) factory.git(repository, "fsck", "--strict", "--no-dangling");
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function expectGreen(factory: RealFactory): void {
  const folder = mkdtempSync(join(factory.dir, "check-"));
  factory.git(factory.dir, "clone", "-q", "--shared", "--no-checkout", factory.origin, folder);
  for (const commit of factory.git(folder, "rev-list", "--first-parent", "main").split("\n")) {
    factory.git(folder, "checkout", "-q", "--detach", "--force", commit);
    execFileSync("sh", ["run-tests.sh", "no-hold"], { cwd: folder, stdio: "pipe" });
  }
  rmSync(folder, { recursive: true, force: true });
}

function refsOf(factory: RealFactory, repository: string): Map<string, string> {
  const lines = factory.git(repository, "for-each-ref", "--format=%(refname) %(objectname)").split("\n");
  return new Map(lines.filter((line) => line !== "").map((line) => line.split(" ") as [string, string]));
}
