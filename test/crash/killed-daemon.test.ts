import { join } from "node:path";
import { errorCode } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { holdFactory } from "@dispatch/store";
import { describe, expect, it } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { isRunning, killHard } from "../kit/find-processes.ts";
import { startDaemon } from "../kit/real-daemon.ts";
import { project, type RealFactory } from "../kit/real-factory.ts";
import { expectNothingLost, expectWhole } from "./expect-whole.ts";
import { inFactory } from "./in-factory.ts";
import { endDaemon, playThrough, startProject } from "./play-out.ts";
import { threeAtOnce } from "./shop-specs.ts";

/** Three agents work and wait. */
async function withThreeAgents(name: string, act: (factory: RealFactory, agents: number[]) => Promise<void>): Promise<void> {
  await inFactory(threeAtOnce(), name, async (factory) => {
    factory.hold("agents");
    await factory.up();
    await startProject(factory);
    await eventually("three agents", () => factory.held("agents").length === 3);
    await act(
      factory,
      factory.agentRuns().map((run) => run.pid),
    );
    await playThrough(factory);
    await endDaemon(factory);
    await expectWhole(factory);
    expectFirstAttemptsOnly(factory);
  });
}

/** Each task was merged by the attempt and the agent that it began with. */
function expectFirstAttemptsOnly(factory: RealFactory): void {
  const firsts = factory.specs.map((spec) => `${project}--${spec.id}--1`);
  expect([...factory.followed.world().attempts.keys()].sort()).toEqual(firsts);
  expect(
    factory
      .agentRuns()
      .map((run) => run.attempt)
      .sort(),
  ).toEqual(firsts);
}

describe("agents outlive their daemon", { timeout: 300_000 }, () => {
  it.concurrent("three agents go on while daemons are killed, ended by signals, started twice, and killed while they open", () =>
    withThreeAgents("adopted", async (factory, agents) => {
      const adopted = async (): Promise<void> => {
        expect(agents.every(isRunning)).toBe(true);
        await factory.up();
        expect(agents.every(isRunning)).toBe(true);
      };
      factory.daemon().kill("SIGKILL");
      await factory.daemon().ended;
      await adopted();
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
        factory.daemon().kill(signal);
        expect(await factory.daemon().ended, signal).toEqual({ code: 0, signal: null });
        await adopted();
      }
      await expectSecondsRefused(factory);
      await startTwoAtOnce(factory);
      await adopted();
      for (let n = 0; n < 3; n++) await killWhileOpening(factory);
      await adopted();
      factory.release("agents");
    }));

  it.concurrent("what three agents finish while no daemon runs is taken in and landed by the next one", () =>
    withThreeAgents("finished alone", async (factory, agents) => {
      factory.daemon().kill("SIGKILL");
      await factory.daemon().ended;
      factory.release("agents");
      await eventually("the end of the agents", () => !agents.some(isRunning));
      expectNothingLost(factory);
      await factory.up();
    }));

  it.concurrent("a daemon that is killed with its host, and again and again in its recovery, loses nothing", () =>
    withThreeAgents("killed in recovery", async (factory) => {
      const host = factory.hostPid();
      factory.daemon().kill("SIGKILL");
      killHard(host);
      await factory.daemon().ended;
      factory.release("agents");
      for (const crashAt of [
        "commit:before#1",
        "commit:after#1",
        "collect-attempt:before#1",
        "collect-attempt:after#2",
        "discard-workspace:after#1",
      ]) {
        await factory.up(crashAt);
        expect(await factory.daemon().ended).toEqual({ code: null, signal: "SIGKILL" });
        expectNothingLost(factory);
      }
      await factory.up();
    }));
});

/** A second daemon ends with 1 and leaves the first one alone. */
async function expectSecondsRefused(factory: RealFactory): Promise<void> {
  const first = factory.daemon();
  const seconds = [startDaemon(factory.dir, {}), startDaemon(factory.dir, {})];
  expect(await Promise.all(seconds.map((second) => second.ended))).toEqual(seconds.map(() => ({ code: 1, signal: null })));
  expect(codeOf(() => holdFactory(join(factory.dir, factoryPaths.lock)))).toBe("DAEMON_RUNNING");
  expect(await first.get("/health")).toMatchObject({ pid: first.pid });
}

/** Of two daemons that start at once one is up and the other ends with 1. */
async function startTwoAtOnce(factory: RealFactory): Promise<void> {
  factory.daemon().kill("SIGKILL");
  await factory.daemon().ended;
  const both = [startDaemon(factory.dir, {}), startDaemon(factory.dir, {})];
  const up = await Promise.all(both.map((one) => one.up));
  expect(up.toSorted()).toEqual([false, true]);
  const [loser, winner] = up[0] ? [both[1], both[0]] : both;
  expect(await loser?.ended).toEqual({ code: 1, signal: null });
  winner?.kill("SIGTERM");
  expect(await winner?.ended).toEqual({ code: 0, signal: null });
}

/** A daemon that dies while its host comes up. */
async function killWhileOpening(factory: RealFactory): Promise<void> {
  factory.daemon().kill("SIGKILL");
  await factory.daemon().ended;
  const up = factory.up();
  await eventually("a host", () => factory.hasHost());
  factory.daemon().kill("SIGKILL");
  await up;
  await factory.daemon().ended;
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}
