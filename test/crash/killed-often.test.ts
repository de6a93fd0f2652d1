import { describe, it } from "vitest";
import { killHard } from "../kit/find-processes.ts";
import { DaemonGone } from "../kit/real-daemon.ts";
import type { RealFactory } from "../kit/real-factory.ts";
import { expectNothingLost, expectWhole } from "./expect-whole.ts";
import { inFactory } from "./in-factory.ts";
import { endDaemon, playThrough } from "./play-out.ts";
import { shopSpecs } from "./shop-specs.ts";

const play = { collects: 2 };
const long = process.env["DISPATCH_CRASH_LONG"] === "1";

/** Kills from outside, at no named point but wherever the daemon is, each time that so many more facts were told. */
describe("killed again and again in the middle of whatever it does", { timeout: 300_000 }, () => {
  it.concurrent.each(long ? [3, 4, 5, 7] : [6])("the daemon, after every %i facts", (every) =>
    inFactory(shopSpecs(), `daemon every ${every} facts`, async (factory) => {
      while (!(await playUntilKilled(factory, every))) expectNothingLost(factory);
      await endDaemon(factory);
      await expectWhole(factory);
    }),
  );

  it.concurrent.each([
    ["host", (factory: RealFactory) => (factory.hasHost() ? factory.hostPid() : undefined)],
    ["tmux server", (factory: RealFactory) => factory.tmuxPid()],
  ] as const)("the %s, under a daemon that goes on", (name, victim) =>
    inFactory(shopSpecs(), name, async (factory) => {
      await factory.up();
      const killed = killAt(factory, [4, 9, 17, 23], victim);
      await playThrough(factory, play);
      await killed;
      await endDaemon(factory);
      await expectWhole(factory);
    }),
  );
});

/** True when the play came to its end first. */
async function playUntilKilled(factory: RealFactory, every: number): Promise<boolean> {
  const daemon = await factory.up();
  const target = factory.followed.lastSeq() + every;
  const lot = { killed: false, finished: false };
  const killing = factory
    .until("the moment to kill", () => factory.followed.lastSeq() >= target, 600_000)
    .then(() => {
      if (lot.finished) return;
      lot.killed = true;
      daemon?.kill("SIGKILL");
    });
  killing.catch(() => {});
  try {
    await playThrough(factory, play);
    lot.finished = true;
  } catch (error) {
    if (!(error instanceof DaemonGone)) throw error;
  }
  if (lot.killed) await daemon?.ended;
  return !lot.killed;
}

async function killAt(factory: RealFactory, moments: readonly number[], victim: (factory: RealFactory) => number | undefined): Promise<void> {
  for (const seq of moments) {
    await factory.until(`fact ${seq}`, () => factory.followed.lastSeq() >= seq);
    const pid = victim(factory);
    if (pid !== undefined) killHard(pid);
  }
}
