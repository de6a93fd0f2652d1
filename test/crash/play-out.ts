import type { StatusView } from "@dispatch/protocol";
import { expect } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { DaemonGone, Refused } from "../kit/real-daemon.ts";
import { project, type RealFactory } from "../kit/real-factory.ts";
import { expectNothingLost } from "./expect-whole.ts";

/** What the lead does until everything is on origin. Every step looks first whether it was done in an earlier life of the daemon. */
export interface Play {
  /** Tasks whose first attempt is cancelled as soon as its agent works; taken up again after that. */
  cancels?: readonly string[];
  /** Tasks whose agents wait at this hold while somebody pushes another contract to origin; let go when all of them were told. */
  contract?: { hold: string; tasks: readonly string[] };
  /** The run of the first landing is kept until that of another one behind it is under way; then the first one is red, and the other's is ended. */
  overtakes?: { hold: string; slow: string };
  /** How often is collected; before the second time somebody else pushes to origin. */
  collects?: number;
}

/** Plays with a daemon that dies at each of these crash points, one after the other, and at last with one that lives. */
export async function playOut(factory: RealFactory, play: Play, crashes: readonly string[]): Promise<void> {
  for (const crashAt of crashes) {
    await playUntilDeath(factory, play, crashAt);
    expectNothingLost(factory);
  }
  expect(await factory.up(), factory.daemon().output()).toBeDefined();
  await playThrough(factory, play);
  await endDaemon(factory);
}

async function playUntilDeath(factory: RealFactory, play: Play, crashAt: string): Promise<void> {
  try {
    const daemon = await factory.up(crashAt);
    if (daemon !== undefined) {
      await playThrough(factory, play);
      throw new Error(`${crashAt} was never reached`);
    }
  } catch (error) {
    if (!(error instanceof DaemonGone)) throw error;
  }
  const { code, signal } = await factory.daemon().ended;
  expect({ code, signal }, `${crashAt}: ${factory.daemon().output()}`).toEqual({ code: null, signal: "SIGKILL" });
}

export async function endDaemon(factory: RealFactory): Promise<void> {
  // It may be gone before its answer has arrived.
  await factory
    .daemon()
    .post("/down", { mode: "leave" })
    .catch((error: unknown) => {
      if (!(error instanceof DaemonGone)) throw error;
    });
  expect(await factory.daemon().ended).toEqual({ code: 0, signal: null });
}

/** To the end: all merged, all published, nothing of any attempt left on the node. */
export async function playThrough(factory: RealFactory, play: Play = {}): Promise<void> {
  await catchUp(factory);
  await startProject(factory);
  for (const id of play.cancels ?? []) await cancelAndRetry(factory, id);
  if (play.contract !== undefined) await changeContract(factory, play.contract);
  if (play.overtakes !== undefined) await refuseFirst(factory, play.overtakes);
  await untilMerged(factory);
  for (let n = 1; n <= (play.collects ?? 1); n++) await collect(factory, n);
  await factory.until("the end of all attempts", () => {
    const { attempts, tasks } = factory.followed.world();
    return tasks.size > 0 && [...attempts.values()].every((attempt) => attempt.state.kind === "discarded");
  });
}

/** Waits until all that the ledger holds was seen here. */
async function catchUp(factory: RealFactory): Promise<void> {
  const { lastSeq } = await factory.daemon().get<StatusView>("/status");
  await factory.until("the facts of earlier lives", () => factory.followed.lastSeq() >= lastSeq);
}

export async function startProject(factory: RealFactory): Promise<void> {
  await factory.daemon().post(`/projects/${project}/start`);
  await factory.until("all tasks", () => factory.specs.every((spec) => factory.followed.task(spec.id) !== undefined));
}

export async function untilMerged(factory: RealFactory): Promise<void> {
  await factory.until("the merge of all tasks", () => {
    const parked = [...factory.followed.world().tasks.values()].find((task) => task.state.kind === "parked");
    if (parked !== undefined) throw new Error(`${parked.id} was parked: ${JSON.stringify(parked.state)}`);
    return factory.specs.every((spec) => factory.followed.task(spec.id)?.state.kind === "merged");
  });
}

async function cancelAndRetry(factory: RealFactory, id: string): Promise<void> {
  const task = `${project}/${id}`;
  const has = (type: string): boolean => factory.followed.events().some(({ event }) => event.type === type && "task" in event && event.task === task);
  if (!has("task-cancelled")) {
    await factory.until(`the agent of ${id}`, () => factory.followed.task(id)?.state.kind === "running");
    await factory.daemon().post(`/tasks/${task}/cancel`);
  }
  if (has("task-retried")) return;
  await factory.until(`the cancelling of ${id}`, () => factory.followed.task(id)?.state.kind === "cancelled");
  await factory.daemon().post(`/tasks/${task}/retry`);
}

async function changeContract(factory: RealFactory, { hold, tasks }: NonNullable<Play["contract"]>): Promise<void> {
  const happened = (type: string): boolean => factory.followed.events().some(({ event }) => event.type === type);
  if (!happened("collect-requested")) {
    await eventually("the agents at work", () => factory.held(hold).length >= tasks.length);
    await factory.until("their sessions", () => tasks.every((id) => factory.followed.task(id)?.state.kind === "running"));
    factory.pushContract();
    await factory.daemon().post(`/projects/${project}/collect`);
  }
  await factory.until("the change of the contract", () => happened("contract-changed"));
  await eventually("the notices", async () => {
    // No fact says that an attempt was told; a daemon that is gone is found out by asking it.
    await factory.daemon().get("/health");
    return tasks.every((id) => factory.noticesOf(`${project}--${id}--1`).length > 0);
  });
  factory.release(hold);
}

async function refuseFirst(factory: RealFactory, { hold, slow }: NonNullable<Play["overtakes"]>): Promise<void> {
  const count = (type: string): number => factory.followed.events().filter(({ event }) => event.type === type).length;
  if (count("candidate-refused") === 0) {
    await factory.until("the first car", () => count("car-built") >= 1);
    factory.release(hold);
    await factory.until("the car behind it", () => count("car-built") >= 2);
    await eventually("its run", async () => {
      await factory.daemon().get("/health");
      return factory.held("verify-landing").length >= 2;
    });
    factory.release("verify-landing");
  }
  await factory.until("the refusal", () => count("candidate-refused") > 0);
  // Its next one waits for the same.
  await eventually("the end of the run behind it", async () => {
    await factory.daemon().get("/health");
    return factory
      .held(slow)
      .slice(0, 1)
      .some((pid) => !isRunning(pid));
  });
  factory.release(slow);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function collect(factory: RealFactory, n: number): Promise<void> {
  const count = (type: string): number => factory.followed.events().filter(({ event }) => event.type === type).length;
  if (count("collect-requested") < n) {
    if (n > 1) factory.pushFromOutside(`outside-${n}.txt`);
    await factory.daemon().post(`/projects/${project}/collect`);
  }
  await factory.until(`publishing ${n} and its watch`, () => {
    const collect = factory.followed.world().projects.get(project)?.collect;
    if (collect?.kind === "idle" && collect.last?.outcome === "stopped") throw new Refused(collect.last.code, collect.last.because);
    return count("main-watched") >= n;
  });
}
