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

/** Around an effect: before it, again when the next daemon begins it, after it, again when the next one repeats it, and before its second time. */
function aroundEffects(): Journey[] {
  return crashesAround((point) => !isCommit(point) && !takesLostNode(point)).map((crashes) => journey(crashes));
}

/** The same where the contract changes under agents at work with the commits of origin. */
function aroundContracts(): Journey[] {
  return crashesAround((point) => point.startsWith("take-in-origin:")).map((crashes) => contractJourney(crashes));
}

const onceInAPlay = new Set(["cancel-run"]);

function effectOf(point: CrashPointName): string {
  return point.slice(0, point.indexOf(":"));
}

function crashesAround(chosen: (point: CrashPointName) => boolean): string[][] {
  const points = crashPoints.filter(chosen);
  if (long) return points.flatMap((point) => times.map((counts) => crashesOf(point, counts)));
  const effects = [...new Set(points.map(effectOf))];
  return effects.map((effect) => {
    const around = points.filter((point) => effectOf(point) === effect);
    const again = around.filter((point) => !onceInAPlay.has(effectOf(point))).slice(0, 1);
    return [...around.flatMap((point) => crashesOf(point, [1, 1])), ...again.flatMap((point) => crashesOf(point, [2]))];
  });
}

/**
 * A play has more than 44 commits. A commit that was cut off is made again in the next life, so daemons that die
 * at their 1st, 2nd, 3rd … commit go through the play in small steps, as long as the sum of these numbers stays below.
 */
function aroundCommits(): Journey[] {
  const counts = Array.from({ length: 40 }, (_, n) => n + 1);
  const chosen = long ? counts : counts.filter((n) => n <= 8 || n % 8 === 4);
  return crashPoints
    .filter(isCommit)
    .flatMap((point) => (long ? [...chosen.map((n) => [n]), ...packed(chosen)] : packed(chosen)).map((chain) => journey(crashesOf(point, chain))));
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
  if (first.startsWith("tell-attempt:")) return contractJourney(crashes);
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
    const journeys = [...aroundEffects(), ...aroundContracts(), ...aroundCommits()];
    for (const point of crashPoints.filter((one) => !takesLostNode(one)))
      expect(journeys.some(({ crashes }) => crashes.includes(`${point}#1`) && crashes.length > 1)).toBe(true);
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
