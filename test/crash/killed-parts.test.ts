import { resultRef, salvageRef } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { isRunning, killHard } from "../kit/find-processes.ts";
import { project, type RealFactory } from "../kit/real-factory.ts";
import { expectNothingLost, expectWhole } from "./expect-whole.ts";
import { inFactory } from "./in-factory.ts";
import { endDaemon, playThrough, startProject } from "./play-out.ts";
import { oneTask, threeAtOnce } from "./shop-specs.ts";

const first = `${project}--S01-one--1`;
const second = `${project}--S01-one--2`;

/** Holds at these places, starts, lets `act` kill, and plays to the end. */
async function withHolds(
  name: string,
  specs: Parameters<typeof inFactory>[0],
  holds: readonly string[],
  act: (factory: RealFactory) => Promise<void>,
) {
  await inFactory(specs, name, async (factory) => {
    for (const hold of holds) factory.hold(hold);
    await factory.up();
    await startProject(factory);
    await act(factory);
    expectNothingLost(factory);
    for (const hold of holds) factory.release(hold);
    await playThrough(factory);
    await endDaemon(factory);
    await expectWhole(factory);
  });
}

function attemptsOf(factory: RealFactory): string[] {
  return [...factory.followed.world().attempts.keys()].sort();
}

/** Facts arrive here a little after what they tell of. */
async function untilAttempts(factory: RealFactory, ids: readonly string[]): Promise<void> {
  await factory.until(`the attempts ${ids.join(", ")}`, () => attemptsOf(factory).join() === ids.join());
}

async function untilHeld(factory: RealFactory, name: string, count: number): Promise<number[]> {
  return await eventually(`${count} waiting at ${name}`, () => (factory.held(name).length >= count ? factory.held(name) : undefined));
}

describe("a killed host", { timeout: 300_000 }, () => {
  it.concurrent("leaves no test run of a landing behind: it is ended and run again, also when the daemon dies with it", async () => {
    await withHolds("host, landing", oneTask(), ["verify-landing"], async (factory) => {
      const [test = 0] = await untilHeld(factory, "verify-landing", 1);
      killHard(factory.hostPid());
      const [, again = 0] = await untilHeld(factory, "verify-landing", 2);
      expect(isRunning(test)).toBe(false);
      const host = factory.hostPid();
      factory.daemon().kill("SIGKILL");
      killHard(host);
      await factory.daemon().ended;
      await factory.up();
      const [, , last = 0] = await untilHeld(factory, "verify-landing", 3);
      expect(isRunning(again)).toBe(false);
      const main = factory.git(factory.hub, "rev-parse", "main");
      killHard(last);
      await untilHeld(factory, "verify-landing", 4);
      expect(factory.git(factory.hub, "rev-parse", "main"), "a killed run moves main").toBe(main);
      expect(factory.git(factory.hub, "rev-parse", resultRef(first))).toMatch(/^[0-9a-f]{40}$/);
    });
  });
});

describe("a killed host and a killed tmux server", { timeout: 300_000 }, () => {
  it.concurrent("take no work away: there is another host, and the attempts end as they began", async () => {
    const specs = threeAtOnce();
    await withHolds("host and tmux", specs, ["agents"], async (factory) => {
      await untilHeld(factory, "agents", 3);
      const host = factory.hostPid();
      killHard(host);
      await eventually("another host", () => !isRunning(host) && factory.hasHost());
      const server = await eventually("a tmux server", () => factory.tmuxPid());
      killHard(server);
      await eventually("the end of the server", () => !isRunning(server));
      expect(factory.agentRuns().filter((run) => isRunning(run.pid))).toHaveLength(3);
      factory.release("agents");
      await factory.until("the end of all attempts", () => [...factory.followed.world().attempts.values()].every((attempt) => attempt.endedAt > 0));
      expect(attemptsOf(factory)).toEqual(specs.map((spec) => `${project}--${spec.id}--1`));
    });
  });
});

describe("a killed wrapper", { timeout: 300_000 }, () => {
  it.concurrent("takes its agent with it, also when its tmux server is gone; what lay in the worktree is kept, and a second attempt lands", async () => {
    await withHolds("wrapper, agent at work", oneTask(), ["agents"], async (factory) => {
      await untilHeld(factory, "agents", 1);
      killHard(await eventually("a tmux server", () => factory.tmuxPid()));
      await factory.until("the wrapper", () => factory.followed.task("S01-one")?.state.kind === "running");
      killHard(factory.wrapperPid(first));
      await untilHeld(factory, "agents", 2);
      await untilAttempts(factory, [first, second]);
      expect(factory.agentRuns().filter((run) => run.attempt === first && isRunning(run.pid))).toEqual([]);
      expect(factory.git(factory.hub, "show", `${salvageRef(first)}:one.txt`)).toBe("the line of S01");
    });
  });

  it.concurrent("ends the tests that run, and a second attempt lands, in which a killed test run is a red round", async () => {
    await withHolds("wrapper, verifying", oneTask(), ["verify"], async (factory) => {
      const [test = 0] = await untilHeld(factory, "verify", 1);
      killHard(factory.wrapperPid(first));
      const [, again = 0] = await untilHeld(factory, "verify", 2);
      await untilAttempts(factory, [first, second]);
      expect(isRunning(test)).toBe(false);
      killHard(again);
      await untilHeld(factory, "verify", 3);
      expect(attemptsOf(factory)).toEqual([first, second]);
    });
  });

  it.concurrent("is found out by the next daemon when none runs", async () => {
    await withHolds("wrapper without daemon", oneTask(), ["agents"], async (factory) => {
      await untilHeld(factory, "agents", 1);
      await factory.until("the wrapper", () => factory.followed.task("S01-one")?.state.kind === "running");
      factory.daemon().kill("SIGKILL");
      await factory.daemon().ended;
      killHard(factory.wrapperPid(first));
      await factory.up();
      await untilHeld(factory, "agents", 2);
      await untilAttempts(factory, [first, second]);
    });
  });
});

describe("a killed agent", { timeout: 300_000 }, () => {
  it.concurrent("has its round judged; the attempt goes on with the next round", async () => {
    await withHolds("agent", threeAtOnce(), ["agents"], async (factory) => {
      await untilHeld(factory, "agents", 3);
      for (const run of factory.agentRuns()) killHard(run.pid);
      await factory.until("the end of the agents", () => killedAgents(factory) === 3);
      expect(attemptsOf(factory)).toHaveLength(3);
    });
  });
});

function killedAgents(factory: RealFactory): number {
  return factory.followed
    .events()
    .filter(({ event }) => event.type === "wrapper-reported" && event.fact.type === "agent-ended" && event.fact.result.signal === "SIGKILL").length;
}

describe("a power cut", { timeout: 300_000 }, () => {
  it.concurrent("of everything at once: what the agents had written is kept, and every task lands", async () => {
    await withHolds("everything", threeAtOnce(), ["agents"], async (factory) => {
      await untilHeld(factory, "agents", 3);
      await factory.until("three wrappers", () =>
        [...factory.followed.world().attempts.values()].every((attempt) => attempt.state.kind === "running"),
      );
      await eventually("silence", () => {
        const all = factory.processes();
        for (const seen of all) killHard(seen.pid);
        return all.length === 0;
      });
      await factory.daemon().ended;
      expectNothingLost(factory);
      await factory.up();
      await untilHeld(factory, "agents", 6);
      await untilAttempts(
        factory,
        factory.specs.flatMap(({ id }) => [`${project}--${id}--1`, `${project}--${id}--2`]),
      );
      for (const spec of factory.specs) {
        const file = `${spec.id.slice(4)}.txt`;
        expect(factory.git(factory.hub, "show", `${salvageRef(`${project}--${spec.id}--1`)}:${file}`)).toBe(`the line of half ${spec.id}`);
      }
    });
  });
});
