import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { FactoryEventType, Project, StoredEvent } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { foldEvents, readLog } from "@dispatch/store";
import { inFactory } from "../crash/in-factory.ts";
import { eventually } from "../kit/eventually.ts";
import { DaemonGone, type RealDaemon } from "../kit/real-daemon.ts";
import { type FactorySpec, project, type RealFactory } from "../kit/real-factory.ts";
import { cliMain } from "./bench-factory.ts";
import { atLeast, atMost, type Benchmark, type Outcome } from "./benchmark.ts";
import { type LandingLaws, watchLandingLaws } from "./landing-laws.ts";
import { gitOut } from "./prove-main.ts";
import { createRandom } from "./utilisation-plan.ts";

const options = { landing: "continuous", slots: 3, gateSlots: 2, landingSeconds: 0.5 } as const;
/** So many tasks are always on their way, so that something lands at nearly any moment. */
const onTheirWay = 10;
const refill = 5;
const longestStartMs = 2000;
const longestPauseMs = 600;
/** About as long as takes what follows a fact: a kill meets it in the middle. */
const longestStepMs = 80;
const patienceMs = 20_000;
const limitMs = 120_000;

const stages = ["building", "gate run", "advancing main", "main moved, not recorded", "taking in origin", "publishing", "none under way"] as const;
type Stage = (typeof stages)[number];

/** What a kill waits for: nothing but the start of a daemon's process, its first landing, or such a fact after that; and then a moment. */
type Aim = "start" | "any" | FactoryEventType;
const aims: readonly Aim[] = [
  "start",
  "start",
  "any",
  "any",
  "car-planned",
  "car-built",
  "car-built",
  "car-passed",
  "car-passed",
  "car-passed",
  "collect-requested",
  "publishing-planned",
];

interface Crashes {
  factory: RealFactory;
  laws: LandingLaws;
  random: () => number;
  say: (line: string) => void;
  /** Those that are still to be drawn before all of them are in it again. */
  aims: Aim[];
  stages: Stage[];
  /** From the start of a daemon until the next landing, for those that were left alone until then. */
  untilLandingMs: number[];
  violations: string[];
  /** How many of the facts that were told are known to be stored. */
  told: number;
}

interface End {
  auditCode: number | null;
  left: number;
  landings: number;
  tasks: number;
}

/** Every other one changes a path that every run rests on, and lands by itself: so the line does not run dry. */
function spec(n: number): FactorySpec {
  const id = `S${String(n).padStart(4, "0")}-one`;
  const path = n % 2 === 0 ? `lines/${id}.txt` : `lines/${id}/package.json`;
  return { id, creates: [path], attempts: [[{ append: path, content: `the line of ${id}\n` }]] };
}

function specs(from: number, count: number): FactorySpec[] {
  return Array.from({ length: count }, (_, n) => spec(from + n + 1));
}

function storedFacts(factory: RealFactory): StoredEvent[] {
  return readLog(join(factory.dir, factoryPaths.ledger));
}

function wrong(crashes: Crashes, found: readonly string[]): void {
  crashes.violations.push(...found);
  for (const violation of found) crashes.say(`  VIOLATION after ${crashes.stages.length} kills: ${violation}`);
}

/** Brings new tasks in and asks for collects, until the daemon is gone. */
async function keepBusy(factory: RealFactory, daemon: RealDaemon): Promise<void> {
  const { followed } = factory;
  try {
    for (;;) {
      const seen = followed.lastSeq();
      const unfinished = factory.specs.filter(({ id }) => followed.task(id)?.state.kind !== "merged").length;
      const untaken = factory.specs.some(({ id }) => followed.task(id) === undefined);
      if (unfinished < onTheirWay) factory.addSpecs(specs(factory.specs.length, refill));
      if (untaken || unfinished < onTheirWay) await daemon.post(`/projects/${project}/start`);
      const now = followed.world().projects.get(project);
      if (now?.collect.kind === "idle" && !isPublished(now)) await daemon.post(`/projects/${project}/collect`);
      await factory.until("another fact", () => followed.lastSeq() > seen, limitMs);
    }
  } catch (error) {
    if (!(error instanceof DaemonGone)) throw error;
  }
}

function isPublished({ collect, main }: Project): boolean {
  return collect.kind === "idle" && collect.last?.outcome === "published" && collect.last.commit === main;
}

function isWatched({ collect }: Project): boolean {
  return collect.kind === "idle" && collect.last?.outcome === "published" && collect.last.watched !== undefined;
}

function factAfter(factory: RealFactory, type: FactoryEventType, after: number): StoredEvent | undefined {
  return factory.followed
    .events()
    .slice(after)
    .find(({ event }) => event.type === type);
}

/** Kills a daemon somewhere between its start and its first work. */
async function killEarly({ factory, random }: Crashes): Promise<void> {
  const before = factory.daemon();
  const coming = factory.up();
  await eventually("the process of a daemon", () => factory.daemon() !== before);
  await delay(random() * longestStartMs);
  factory.daemon().kill("SIGKILL");
  await coming;
}

/** Leaves a daemon alone until it has landed something, and kills it at the moment that was drawn. */
async function killAtWork(crashes: Crashes, aim: Aim): Promise<void> {
  const { factory, random } = crashes;
  const began = Date.now();
  const before = factory.followed.lastSeq();
  const daemon = await factory.up();
  if (daemon === undefined) throw new Error(`a daemon did not start: ${factory.daemon().output()}`);
  const busy = keepBusy(factory, daemon);
  const landed = factory.until("the next landing", () => storedSince(factory, before, began), limitMs);
  const next = await Promise.race([landed, busy.then(() => undefined)]);
  if (next === undefined) throw new Error(`a daemon ended by itself: ${daemon.output()}`);
  crashes.untilLandingMs.push(next.at - began);
  wrong(crashes, crashes.laws.check());
  await untilMoment(factory, aim, random());
  daemon.kill("SIGKILL");
  await busy;
}

/** The first landing that this daemon told of, not one that the log still had from the one before. */
function storedSince(factory: RealFactory, before: number, began: number): StoredEvent | undefined {
  return factory.followed
    .events()
    .slice(before)
    .find(({ event, at }) => event.type === "car-landed" && at >= began);
}

/** `moment`: from 0 to below 1. */
async function untilMoment(factory: RealFactory, aim: Aim, moment: number): Promise<void> {
  if (aim === "start" || aim === "any") return await delay(moment * longestPauseMs);
  const from = factory.followed.lastSeq();
  try {
    await eventually(`a fact ${aim}`, () => factAfter(factory, aim, from), patienceMs);
  } catch {
    // It does not come: then this moment is as good as any.
  }
  await delay(moment * longestStepMs);
}

/** Each is drawn as often as it is in the list. */
function drawAim({ aims: left, random }: Crashes): Aim {
  if (left.length === 0) left.push(...aims);
  const [drawn = "any"] = left.splice(Math.floor(random() * left.length), 1);
  return drawn;
}

/** What was under way when the daemon was killed, from what it had stored; of several things at once the one that is rarer. */
function stageOf(factory: RealFactory, events: readonly StoredEvent[]): Stage {
  const found = foldEvents(events).projects.get(project);
  if (found === undefined) return "none under way";
  const { collect, train, main } = found;
  const has = (kind: string): boolean => train.cars.some(({ state }) => state.kind === kind);
  if (has("advancing")) return gitOut(factory.hub, "rev-parse", "refs/heads/main") === main ? "advancing main" : "main moved, not recorded";
  if (collect.kind === "publishing") return "publishing";
  if (collect.kind === "taking-in") return "taking in origin";
  if (has("building") || has("running")) return isBuilding(events, has) ? "building" : "gate run";
  return "none under way";
}

/** Where one car is built while another is run: what began last. */
function isBuilding(events: readonly StoredEvent[], has: (kind: string) => boolean): boolean {
  if (!has("running")) return true;
  return has("building") && events.findLast(({ event: { type } }) => type === "car-planned" || type === "car-built")?.event.type === "car-planned";
}

async function crashOnce(crashes: Crashes): Promise<void> {
  const { factory, laws } = crashes;
  const aim = drawAim(crashes);
  // The first daemon has nothing to take over.
  if (aim === "start" && crashes.stages.length > 0) await killEarly(crashes);
  else await killAtWork(crashes, aim);
  await factory.daemon().ended;
  const events = storedFacts(factory);
  crashes.stages.push(stageOf(factory, events));
  wrong(crashes, [...judgeTold(crashes, events), ...laws.check()]);
}

/** What was told is stored, in the same words: nobody may act on a fact that a kill can take back. */
function judgeTold(crashes: Crashes, events: readonly StoredEvent[]): string[] {
  const told = crashes.factory.followed.events();
  const from = crashes.told;
  crashes.told = told.length;
  return isDeepStrictEqual(told.slice(from), events.slice(from, told.length)) ? [] : [`facts from ${from + 1} on were told and are not stored so`];
}

async function untilPublished(factory: RealFactory, daemon: RealDaemon): Promise<void> {
  const isNow = (test: (found: Project) => boolean) => (): boolean => {
    const found = factory.followed.world().projects.get(project);
    return found !== undefined && test(found);
  };
  await factory.until(
    "the end of the collect before",
    isNow(({ collect }) => collect.kind === "idle"),
    limitMs,
  );
  if (!isNow(isPublished)()) await daemon.post(`/projects/${project}/collect`);
  await factory.until(
    "the last collect",
    isNow((found) => isPublished(found) && isWatched(found)),
    limitMs,
  );
}

/** Lets the last daemon bring everything to origin, and ends it. */
async function finish(crashes: Crashes): Promise<End> {
  const { factory, laws } = crashes;
  const daemon = await factory.up();
  if (daemon === undefined) throw new Error(`the last daemon did not start: ${factory.daemon().output()}`);
  await daemon.post(`/projects/${project}/start`);
  const stateOf = (id: string): string | undefined => factory.followed.task(id)?.state.kind;
  await factory.until("the end of all tasks", () => factory.specs.every(({ id }) => ["merged", "parked"].includes(stateOf(id) ?? "")), limitMs);
  wrong(
    crashes,
    factory.specs
      .filter(({ id }) => stateOf(id) === "parked")
      .map(({ id }) => `${id} is parked: ${JSON.stringify(factory.followed.task(id)?.state)}`),
  );
  await untilPublished(factory, daemon);
  const { world } = factory.followed;
  await factory.until("the end of all attempts", () => [...world().attempts.values()].every(({ state }) => state.kind === "discarded"), limitMs);
  await daemon.post("/down", { mode: "leave" }).catch((error: unknown) => {
    // It may be gone before its answer has arrived.
    if (!(error instanceof DaemonGone)) throw error;
  });
  await daemon.ended;
  const events = storedFacts(factory);
  wrong(crashes, [...judgeTold(crashes, events), ...laws.check(), ...laws.checkMoves(), ...judgeEnd(factory)]);
  const audit = spawnSync(process.execPath, [cliMain, "audit", "--factory", factory.dir], { encoding: "utf8" });
  if (audit.status !== 0) crashes.say(audit.stdout + audit.stderr);
  const left = (await factory.end()).length;
  const landings = events.filter(({ event }) => event.type === "car-landed").length;
  return { auditCode: audit.status, left, landings, tasks: factory.specs.length };
}

function judgeEnd(factory: RealFactory): string[] {
  const [hub = "", origin = ""] = [factory.hub, factory.origin].map((repository) => gitOut(repository, "rev-parse", "refs/heads/main"));
  const broken = [factory.hub, factory.origin].flatMap((repository) => {
    const { status, stderr } = spawnSync("git", ["-C", repository, "fsck", "--strict", "--no-dangling"], { encoding: "utf8" });
    return status === 0 ? [] : [`git fsck of ${repository} ended with ${status}: ${stderr}`];
  });
  return hub === origin ? broken : [...broken, `origin is at ${origin} and not at ${hub}`];
}

async function oneRound(seed: number, kills: number, say: (line: string) => void): Promise<{ crashes: Crashes; end: End }> {
  let result: { crashes: Crashes; end: End } | undefined;
  await inFactory(
    specs(0, onTheirWay),
    `seed ${seed}`,
    async (factory) => {
      const laws = watchLandingLaws(factory, () => storedFacts(factory));
      const crashes: Crashes = { factory, laws, random: createRandom(seed), say, aims: [], stages: [], untilLandingMs: [], violations: [], told: 0 };
      for (let kill = 1; kill <= kills; kill++) {
        await crashOnce(crashes);
        if (kill % 20 === 0) say(`  ${kill} of ${kills} kills, ${factory.specs.length} tasks, ${crashes.violations.length} violations`);
      }
      result = { crashes, end: await finish(crashes) };
    },
    options,
  );
  if (result === undefined) throw new Error("the round did not come to its end");
  return result;
}

function outcomeOf(rounds: readonly { crashes: Crashes; end: End }[]): Outcome {
  const hits = rounds.flatMap(({ crashes }) => crashes.stages);
  const waits = rounds.flatMap(({ crashes }) => crashes.untilLandingMs);
  const total = (pick: (round: { crashes: Crashes; end: End }) => number): number => rounds.reduce((sum, round) => sum + pick(round), 0);
  const violations = total(({ crashes }) => crashes.violations.length);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length / 1000;
  const count = (stage: Stage): number => hits.filter((hit) => hit === stage).length;
  const underWay = 1 - count("none under way") / hits.length;
  return {
    rows: [
      ...stages.map((stage) => ({ what: `killed: ${stage}`, unit: "kills", values: [count(stage)] })),
      { what: "start of a daemon to the next landing", unit: "s", values: waits.map((wait) => wait / 1000) },
      { what: "landings", unit: "", values: rounds.map(({ end }) => end.landings) },
      { what: "tasks that landed", unit: "", values: rounds.map(({ end }) => end.tasks) },
    ],
    figures: {
      kills: hits.length,
      violations,
      meanSecondsToLanding: mean,
      landings: total(({ end }) => end.landings),
      tasks: total(({ end }) => end.tasks),
      ...Object.fromEntries(stages.map((stage) => [stage, count(stage)])),
    },
    goals: [
      atMost("violations", violations, 0),
      atMost("highest exit code of dispatch audit", Math.max(...rounds.map(({ end }) => end.auditCode ?? 255)), 0),
      atMost(
        "processes that were left",
        total(({ end }) => end.left),
        0,
      ),
      atLeast("share of the kills while something landed", underWay, 0.9),
    ],
    notes: [
      `${hits.length} kills of the daemon, as many restarts and one more for the end; from the start of a daemon to the next landing ${mean.toFixed(2)} s in the mean, of ${waits.length} that were not killed before.`,
      "after every kill, and after every landing of a new daemon: main of hub and origin only went forward, each commit of main is a car whose tree was recorded green, merged is on main and landed once, what was collected is held by its ref, what was told is stored.",
    ],
  };
}

export const landingCrash: Benchmark = {
  name: "landing-crash",
  tells: "the daemon killed again and again while something lands: what is lost, and how soon it goes on",
  rounds: 1,
  async measure(rounds, say, kills = 300) {
    const done: { crashes: Crashes; end: End }[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      done.push(await oneRound(round, kills, say));
    }
    return outcomeOf(done);
  },
};
