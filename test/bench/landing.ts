import { resultRef } from "@dispatch/core";
import { type BenchFactory, project } from "./bench-factory.ts";
import { atLeast, atMost, type Benchmark, median, type Outcome, type Row, ratios } from "./benchmark.ts";
import { landByHand } from "./git-by-hand.ts";
import { type LandingTime, landingTime } from "./landing-time.ts";
import { endFactory, makeCountingGit, makeWaitingBranches, verify, verifySeconds } from "./landing-yard.ts";
import { gitOut, linesOf, redCommits } from "./prove-main.ts";

const slotCounts: readonly number[] = [1, 4];
const allResults = resultRef("");

interface Landed extends LandingTime {
  /** Commits of main on which the tests fail, of so many. */
  red: number;
  tested: number;
  /** Branches that main does not hold. */
  missing: number;
}

interface Round {
  handSeconds: number;
  bySlots: readonly Landed[];
}

interface GitCount {
  controller: number;
  node: number;
}

/** Lands all that waits, and looks at what main became. */
function collect(factory: BenchFactory, branches: number): Landed {
  factory.dispatch("collect", project);
  const time = landingTime(factory.facts());
  const { tested, red } = redCommits(factory.hub, verify);
  const held = linesOf(gitOut(factory.hub, "for-each-ref", "--format=%(refname)", "--merged=main", allResults));
  return { ...time, tested, red: red.length, missing: branches - held.length };
}

async function oneRound(branches: number, say: (line: string) => void): Promise<Round> {
  let handSeconds = Number.NaN;
  const bySlots: Landed[] = [];
  for (const slots of slotCounts) {
    const factory = await makeWaitingBranches(branches, slots);
    try {
      if (bySlots.length === 0) {
        say(`  ${branches} branches wait; one by one by plain git`);
        handSeconds = await landByHand(factory.hub, allResults, verify);
      }
      say(`  the same by the factory, gate slots: ${slots}`);
      bySlots.push(collect(factory, branches));
    } finally {
      endFactory(factory);
    }
  }
  return { handSeconds, bySlots };
}

/** Git processes of one collect, publishing with it. Apart from what is timed, since noting them takes time too. */
async function countGit(branches: number): Promise<GitCount> {
  const counting = makeCountingGit();
  try {
    const factory = await makeWaitingBranches(branches, 1, counting.env);
    try {
      const before = counting.starters().length;
      factory.dispatch("collect", project);
      const starters = counting.starters().slice(before);
      const controller = starters.filter((pid) => pid === factory.daemonPid()).length;
      return { controller, node: starters.length - controller };
    } finally {
      endFactory(factory);
    }
  } finally {
    counting.remove();
  }
}

interface Figure extends Row {
  /** Its name in the figures for machines. */
  key: string;
}

function handFigures(branches: number, rounds: readonly Round[]): Figure[] {
  const seconds = rounds.map(({ handSeconds }) => handSeconds);
  return [
    { key: "handPerMinute", what: "one by one by plain git", unit: "landed/min", values: seconds.map((one) => (branches / one) * 60) },
    { key: "handOverheadMs", what: "  beyond the runs, a branch", unit: "ms", values: seconds.map((one) => (one / branches - verifySeconds) * 1000) },
  ];
}

function landedWith(rounds: readonly Round[], slots: number): Landed[] {
  return rounds.flatMap(({ bySlots }) => bySlots[slotCounts.indexOf(slots)] ?? []);
}

function slotFigures(branches: number, rounds: readonly Round[], slots: number): Figure[] {
  const landed = landedWith(rounds, slots);
  const seconds = landed.map((one) => one.seconds);
  const hand = rounds.map(({ handSeconds }) => handSeconds);
  return [
    { key: `perMinute${slots}`, what: `factory, gate slots: ${slots}`, unit: "landed/min", values: seconds.map((one) => (branches / one) * 60) },
    { key: `speedup${slots}`, what: "  / one by one", unit: "x", values: ratios(hand, seconds) },
    {
      key: `overheadMs${slots}`,
      what: "  beyond the runs that followed one another, a branch",
      unit: "ms",
      values: landed.map((one) => ((one.seconds - one.runSeconds) / branches) * 1000),
    },
    { key: `runs${slots}`, what: "  runs of the tests", unit: "", values: landed.map(({ runs }) => runs) },
    { key: `landings${slots}`, what: "  moves of main", unit: "", values: landed.map(({ landings }) => landings) },
  ];
}

function outcomeOf(branches: number, rounds: readonly Round[], git: GitCount): Outcome {
  const figures: Figure[] = [
    ...handFigures(branches, rounds),
    ...slotCounts.flatMap((slots) => slotFigures(branches, rounds, slots)),
    { key: "controllerGit", what: "git processes a branch, of the controller", unit: "", values: [git.controller / branches] },
    { key: "nodeGit", what: "git processes a branch, on the node", unit: "", values: [git.node / branches] },
  ];
  const [one = [], four = []] = slotCounts.map((slots) => landedWith(rounds, slots).map(({ seconds }) => seconds));
  const hand = rounds.map(({ handSeconds }) => handSeconds);
  const all = rounds.flatMap(({ bySlots }) => bySlots);
  const sum = (pick: (landed: Landed) => number): number => all.reduce((total, landed) => total + pick(landed), 0);
  const [red, missing, tested] = [sum((landed) => landed.red), sum((landed) => landed.missing), sum((landed) => landed.tested)];
  return {
    rows: figures,
    figures: Object.fromEntries(figures.map(({ key, values }) => [key, median(values)])),
    goals: [
      atLeast("gate slots 1 / one by one", median(ratios(hand, one)), 4),
      atLeast("gate slots 4 / gate slots 1", median(ratios(one, four)), 1),
      atMost("commits of main on which the tests fail", red, 0),
      atMost("branches that main does not hold", missing, 0),
    ],
    notes: [
      `${branches} branches of one file each, that all fit, onto 2,000 files; a run of the tests waits ${verifySeconds} s and takes no processor time to speak of.`,
      `${tested} commits of main's first-parent line were checked out and tested again.`,
      "timed from the request to collect, with taking in origin, until the last branch is merged; publishing comes after that. Git processes are counted until it is published.",
    ],
  };
}

export const landing: Benchmark = {
  name: "landing",
  tells: "branches landed a minute by a real factory and git, against merge, test, merge one by one",
  rounds: 1,
  async measure(rounds, say, branches = 64) {
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      done.push(await oneRound(branches, say));
    }
    say("counting git processes");
    return outcomeOf(branches, done, await countGit(branches));
  },
};
