import { type CrashPointName, crashPoints } from "@dispatch/engine";
import { expect, it } from "vitest";
import { inParallel } from "../kit/eventually.ts";
import { type FactorySpec, project, type RealFactory } from "../kit/real-factory.ts";
import { expectWhole } from "./expect-whole.ts";
import { inFactory } from "./in-factory.ts";
import { type Play, playOut } from "./play-out.ts";
import { oneBehindAnother, shopSpecs, threeAtOnce } from "./shop-specs.ts";

const factoriesAtOnce = 2;
const long = process.env["DISPATCH_CRASH_LONG"] === "1";
const times = [[1], [2], [1, 1], [1, 2], [1, 1, 1, 2]];

interface Journey {
  crashes: readonly string[];
  play: Play;
  specs: readonly FactorySpec[];
  holds: readonly string[];
  gateSlots?: number;
}

/**
 * The effects of one play, in the order in which it comes to them. A play has three tasks, one of which may go past an effect
 * beside the one that is meant, so there are two of them at most; those of one collect follow each other.
 */
const stages: readonly (readonly string[])[] = [
  ["start-attempt", "collect-attempt"],
  ["discard-workspace", "check-result"],
  ["build-car", "run-car"],
  ["verify-run", "advance-main"],
  ["take-in-origin", "publish-main", "watch-main"],
  ["stop-attempt"],
  ["cancel-run"],
];

/** Effects of a play in which the contract changes under agents at work with the commits of origin. */
const contractStage = ["take-in-origin", "tell-attempt"];

/**
 * Around each effect: before it, after it, and again when the next daemon repeats it.
 * A daemon that was killed goes on where it was, so the points of one stage follow each other in one play.
 */
function aroundEffects(): Journey[] {
  if (long) return everyEffectAlone();
  return [...stages.map((stage) => journey(stage.flatMap(around))), contractJourney(contractStage.flatMap(around))];
}

function around(effect: string): string[] {
  return pointsOf(effect).flatMap((point) => crashesOf(point, point.endsWith(":after") ? [1, 1] : [1]));
}

function pointsOf(effect: string): CrashPointName[] {
  return crashPoints.filter((point) => point.startsWith(`${effect}:`));
}

function everyEffectAlone(): Journey[] {
  const timesOf = (point: CrashPointName) => (point.startsWith("cancel-run:") ? times.filter((counts) => !counts.includes(2)) : times);
  const each = (points: readonly CrashPointName[]): string[][] => points.flatMap((point) => timesOf(point).map((counts) => crashesOf(point, counts)));
  return [...each(stages.flat().flatMap(pointsOf)).map(journey), ...each(contractStage.flatMap(pointsOf)).map(contractJourney)];
}

/**
 * A play has more than 44 commits. A commit that was cut off is made again in the next life, so daemons that die
 * at their 1st, 2nd, 3rd … commit go through the play in small steps, as long as the sum of these numbers stays below.
 */
function aroundCommits(): Journey[] {
  const counts = Array.from({ length: 40 }, (_, n) => n + 1);
  const chains = long ? [...counts.map((n) => [n]), ...packed(counts)] : [[1, 2, 3, 4, 5, 27]];
  return crashPoints.filter(isCommit).flatMap((point) => chains.map((chain) => journey(crashesOf(point, chain))));
}

function packed(counts: readonly number[]): number[][] {
  const chains: number[][] = [];
  for (const n of counts.toReversed()) {
    const room = chains.find((chain) => chain.reduce((sum, one) => sum + one, n) <= 42);
    if (room === undefined) chains.push([n]);
    else room.push(n);
  }
  return chains;
}

/** Reached where nodes are lost and come back: lost-nodes.test.ts. */
function takesLostNode(point: CrashPointName): boolean {
  return point.startsWith("retire-attempt:");
}

function isCommit(point: CrashPointName): boolean {
  return point.startsWith("commit:");
}

function journey(crashes: readonly string[]): Journey {
  const [first = ""] = crashes;
  if (first.startsWith("cancel-run:")) return overtakingJourney(crashes);
  if (!first.startsWith("stop-attempt:")) return { crashes, play: { collects: 2 }, specs: shopSpecs(), holds: [] };
  const specs = shopSpecs({ "S01-shared": "cancel", "S03-shared": "cancel" });
  return { crashes, play: { cancels: ["S01-shared", "S03-shared"] }, specs, holds: ["cancel"] };
}

function contractJourney(crashes: readonly string[]): Journey {
  const specs = threeAtOnce();
  return { crashes, play: { contract: { hold: "agents", tasks: specs.map(({ id }) => id) }, collects: 2 }, specs, holds: ["agents"] };
}

function overtakingJourney(crashes: readonly string[]): Journey {
  const holds = ["agents", "verify-landing", "slow"];
  return { crashes, play: { overtakes: { hold: "agents", slow: "slow" } }, specs: oneBehindAnother(), holds, gateSlots: 2 };
}

function crashesOf(point: CrashPointName, counts: readonly number[]): string[] {
  return counts.map((n) => `${point}#${n}`);
}

/** The contract changed once, and each agent that was at work then has one notice of it. */
function expectToldOnce(factory: RealFactory, tasks: readonly string[]): void {
  const facts = factory.followed.events().filter(({ event }) => event.type === "contract-changed");
  expect(facts).toHaveLength(1);
  for (const id of tasks) expect(factory.noticesOf(`${project}--${id}--1`), id).toEqual(["1.md"]);
}

it(
  "a daemon killed before or after any commit and any effect, and again in its recovery, brings every task to main once",
  async () => {
    const journeys = [...aroundEffects(), ...aroundCommits()];
    for (const point of crashPoints.filter((one) => !takesLostNode(one)))
      expect(journeys.some(({ crashes }) => crashes.includes(`${point}#1`))).toBe(true);
    await inParallel(journeys, factoriesAtOnce, ({ crashes, play, specs, holds, gateSlots = 1 }) =>
      inFactory(
        specs,
        crashes.join(", "),
        async (factory) => {
          for (const name of holds) factory.hold(name);
          await playOut(factory, play, crashes);
          await expectWhole(factory);
          if (play.contract !== undefined) expectToldOnce(factory, play.contract.tasks);
        },
        { gateSlots },
      ),
    );
  },
  long ? 3_600_000 : 900_000,
);
