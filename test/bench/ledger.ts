import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteLedger } from "@dispatch/store";
import { atLeast, atMost, type Benchmark, median, milliseconds, type Outcome, type Row, ratios } from "./benchmark.ts";
import { runBullmq } from "./bullmq-lanes.ts";
import { addAll, buildGroups, claimAndCompleteAll, keeperOn, landAll, startProject } from "./ledger-lanes.ts";
import { loneTransition } from "./lone-transition.ts";
import { openRawLedger, type Step, stepsOfGroups, withTextsToMake } from "./raw-ledger.ts";
import { rebuildTimes } from "./rebuild.ts";
import { startRedis } from "./redis-server.ts";

const jobs = 4000;
const eventsPerLifecycle = 3;
const turns = 4;

type Groups = Awaited<ReturnType<typeof buildGroups>>;

/** Add, claim and complete through the engine's keeper and the store, then the way to main; milliseconds each. */
async function ourLifecycle(file: string, synchronous: "FULL" | "NORMAL") {
  const ledger = createSqliteLedger(file, { synchronous });
  const keeper = keeperOn(ledger);
  await startProject(keeper);
  const add = await milliseconds(() => addAll(keeper, jobs));
  const work = await milliseconds(() => claimAndCompleteAll(keeper, jobs));
  const land = synchronous === "NORMAL" ? 0 : await milliseconds(() => landAll(keeper, jobs));
  await ledger.close();
  return { add, work, land };
}

async function storeAlone(file: string, groups: Groups): Promise<number> {
  const ledger = createSqliteLedger(file, { synchronous: "NORMAL" });
  ledger.load();
  const ms = await milliseconds(async () => {
    for (const group of groups) await Promise.all(group.map((commit) => ledger.append(commit)));
  });
  await ledger.close();
  return ms;
}

/** The same statements raw. */
async function rawAlone(file: string, steps: readonly (readonly Step[])[]): Promise<number> {
  const raw = openRawLedger(file, "NORMAL");
  const ms = await milliseconds(() => {
    for (const group of steps) raw.write(group);
  });
  raw.close();
  return ms;
}

/** The same transitions through the store and raw, taken in turns; of each the fastest, since others on the machine only add. */
async function layers(file: (name: string) => string, groups: Groups, texts: Step[][], objects: Step[][]) {
  const fastest = { store: Infinity, raw: Infinity, rawTexts: Infinity, whole: Infinity };
  for (let turn = 0; turn < turns; turn++) {
    fastest.store = Math.min(fastest.store, await storeAlone(file(`store-${turn}`), groups));
    fastest.raw = Math.min(fastest.raw, await rawAlone(file(`raw-${turn}`), objects));
    fastest.rawTexts = Math.min(fastest.rawTexts, await rawAlone(file(`raw-texts-${turn}`), texts));
    const { add, work } = await ourLifecycle(file(`whole-${turn}`), "NORMAL");
    fastest.whole = Math.min(fastest.whole, add + work);
  }
  return fastest;
}

async function oneRound(dir: string, port: number, round: number, groups: Groups, texts: Step[][], objects: Step[][]) {
  mkdirSync(dir);
  const file = (name: string) => join(dir, `${name}.sqlite`);
  const measured = {
    ours: await ourLifecycle(file("ours"), "FULL"),
    bullmq: await runBullmq(port, `bench-${round}`, jobs),
    ...(await layers(file, groups, texts, objects)),
    lone: await loneTransition(dir),
    rebuild: await rebuildTimes(file("rebuild")),
  };
  rmSync(dir, { recursive: true });
  return measured;
}

type Round = Awaited<ReturnType<typeof oneRound>>;

function asOutcome(rounds: readonly Round[], redis: string): Outcome {
  const each = (pick: (round: Round) => number) => rounds.map(pick);
  const perSecond = (pick: (round: Round) => number, n = jobs) => each((round) => (n / pick(round)) * 1000);
  const transitions = jobs * eventsPerLifecycle;
  const lifecycles = perSecond(({ ours }) => ours.add + ours.work);
  const theirs = perSecond(({ bullmq }) => bullmq.add + bullmq.work);
  const store = perSecond((round) => round.store, transitions);
  const raw = perSecond((round) => round.raw, transitions);
  const rawTexts = perSecond((round) => round.rawTexts, transitions);
  const whole = perSecond((round) => round.whole, transitions);
  const lone = each((round) => round.lone.transitionUs);
  const sync = each((round) => round.lone.fdatasyncUs);
  const rows: Row[] = [
    { what: "lifecycle, ours (FULL, group commit)", unit: "/s", values: lifecycles },
    { what: "lifecycle, BullMQ (AOF always)", unit: "/s", values: theirs },
    { what: "  ratio", unit: "x", values: ratios(lifecycles, theirs) },
    { what: "add, ours", unit: "/s", values: perSecond(({ ours }) => ours.add) },
    { what: "add, BullMQ", unit: "/s", values: perSecond(({ bullmq }) => bullmq.add) },
    { what: "claim + complete, ours", unit: "/s", values: perSecond(({ ours }) => ours.work) },
    { what: "claim + complete, BullMQ", unit: "/s", values: perSecond(({ bullmq }) => bullmq.work) },
    { what: "  ratio", unit: "x", values: each(({ ours, bullmq }) => bullmq.work / ours.work) },
    { what: "session's end to main (7 facts), ours", unit: "/s", values: perSecond(({ ours }) => ours.land) },
    { what: "store alone, commits made ahead (NORMAL)", unit: "transitions/s", values: store },
    { what: "raw statements, row texts made on the way", unit: "transitions/s", values: raw },
    { what: "  ratio", unit: "x", values: ratios(store, raw) },
    { what: "raw statements, row texts made ahead", unit: "transitions/s", values: rawTexts },
    { what: "  ratio", unit: "x", values: ratios(store, rawTexts) },
    { what: "evolve + store (NORMAL)", unit: "transitions/s", values: whole },
    { what: "  ratio to raw, texts made on the way", unit: "x", values: ratios(whole, raw) },
    { what: "lone transition (FULL)", unit: "us", values: lone },
    { what: "one 4 KiB write + fdatasync", unit: "us", values: sync },
    { what: "  ratio", unit: "x", values: ratios(lone, sync) },
    { what: "rebuild state from 100,000 events", unit: "s", values: each(({ rebuild }) => rebuild.rebuildMs / 1000) },
    { what: "  of it: fold alone", unit: "s", values: each(({ rebuild }) => rebuild.foldMs / 1000) },
    { what: "load 10,000 tasks at start", unit: "s", values: each(({ rebuild }) => rebuild.loadMs / 1000) },
    { what: "read the same rows", unit: "s", values: each(({ rebuild }) => rebuild.rowsMs / 1000) },
    { what: "  ratio", unit: "x", values: each(({ rebuild }) => rebuild.loadMs / rebuild.rowsMs) },
  ];
  const value = (what: string, nth = 0) => median(rows.filter((row) => row.what === what)[nth]?.values ?? []);
  return {
    rows,
    figures: {
      lifecyclesPerSecond: median(lifecycles),
      bullmqLifecyclesPerSecond: median(theirs),
      toMainFactsPerSecond: value("session's end to main (7 facts), ours") * 7,
      storeTransitionsPerSecond: median(store),
      rawTransitionsPerSecond: median(raw),
      storeToRawTextsAhead: value("  ratio", 3),
      evolveAndStoreToRaw: value("  ratio to raw, texts made on the way"),
      loneTransitionUs: median(lone),
      fdatasyncUs: median(sync),
      rebuildSeconds100k: value("rebuild state from 100,000 events"),
      loadSeconds10k: value("load 10,000 tasks at start"),
    },
    goals: [
      atLeast("goal 8: add, claim, complete, FULL / BullMQ with AOF always", value("  ratio", 0), 1.5),
      atLeast("goal 8, claim and complete alone", value("  ratio", 1), 1.5),
      atMost("goal 8: lone transition / one fdatasync", value("  ratio", 4), 2),
      atLeast("goal 9: store API / the same SQL raw, NORMAL", value("  ratio", 2), 0.8),
      atMost("guard: load of 10,000 tasks / reading their rows", value("  ratio", 5), 5),
    ],
    notes: [
      `BullMQ 6.7.0 on redis-server ${redis}, appendonly yes, appendfsync always; its server has a process of its own.`,
      `a lifecycle is task-planned, task-placed and the report that ends the session: ${eventsPerLifecycle} facts, 32 at once, each on disk before the next; both carry the same spec of 1.3 KB.`,
      "goal 9 is about the store layer: ledger.append against the same statements, both making the JSON of their rows. Stricter readings are rows of the table, not goals: raw without making JSON, and our side with evolve and the keeper.",
      `ratios are taken round by round; the first round is not counted. What runs NORMAL is the fastest of ${turns} turns in its round.`,
    ],
  };
}

export const ledger: Benchmark = {
  name: "ledger",
  tells: "durable lifecycles against BullMQ, the store against raw statements, rebuild and load",
  rounds: 5,
  async measure(rounds, say) {
    const home = mkdtempSync(join(tmpdir(), "dispatch-bench-"));
    const redis = await startRedis(home, say);
    try {
      const groups = await buildGroups(jobs);
      const texts = stepsOfGroups(groups);
      const objects = withTextsToMake(texts);
      const done: Round[] = [];
      for (let round = 0; round <= rounds; round++) {
        const measured = await oneRound(join(home, `round-${round}`), redis.port, round, groups, texts, objects);
        const { ours, bullmq } = measured;
        if (round === 0) continue;
        done.push(measured);
        say(
          `round ${round} of ${rounds}: ours ${Math.round(ours.add + ours.work)} ms, BullMQ ${Math.round(bullmq.add + bullmq.work)} ms for ${jobs}`,
        );
      }
      return asOutcome(done, redis.version);
    } finally {
      await redis.close();
      rmSync(home, { recursive: true, force: true });
    }
  },
};
