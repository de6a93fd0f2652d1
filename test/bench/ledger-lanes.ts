import type { Commit, FactoryEvent, Ledger } from "@dispatch/core";
import { attemptIdOf } from "@dispatch/core";
import { keepWorld, type WorldKeeper } from "../../packages/engine/src/keep-world.ts";
import { createMemoryLedger } from "../kit/memory-ledger.ts";
import { ended, landed, payloadOf, placed, projectStarted, taskName } from "./ledger-facts.ts";

export const slots = 32;

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** The engine's own way of recording, on this ledger. */
export function keeperOn(ledger: Ledger): WorldKeeper {
  return keepWorld({ ledger, clock: { now: () => Date.now(), after: () => () => {} }, log: quiet, at: () => {} }, ledger.load());
}

/** Does something for 0 to n-1 with `slots` under way at once. */
export async function inLanes(n: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < n; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: slots }, lane));
}

export async function startProject(keeper: WorldKeeper): Promise<void> {
  await keeper.record([projectStarted]).durable;
}

export function addAll(keeper: WorldKeeper, n: number): Promise<void> {
  return inLanes(n, (i) => keeper.record([payloadOf(i)]).durable);
}

/** Claim: the task gets a slot. Complete: its session has ended. Each is waited for on disk before the next. */
export function claimAndCompleteAll(keeper: WorldKeeper, n: number): Promise<void> {
  return inLanes(n, async (i) => {
    const task = taskName(i);
    await keeper.record([placed(task)]).durable;
    await keeper.record([ended(task)], [`start-attempt:${attemptIdOf(task, 1)}`]).durable;
  });
}

/** From the end of the session to main: seven facts more. */
export function landAll(keeper: WorldKeeper, n: number): Promise<void> {
  return inLanes(n, async (i) => {
    for (const { event, done } of landed(taskName(i))) await keeper.record([event as FactoryEvent], done === "" ? [] : [done]).durable;
  });
}

/** The commits of n lifecycles (add, claim, complete), in the groups in which the engine would write them. */
export async function buildGroups(n: number): Promise<Commit[][]> {
  const memory = createMemoryLedger();
  const groups: Commit[][] = [];
  let open: Commit[] | undefined;
  const recorder: Ledger = {
    ...memory,
    load: () => memory.load(),
    append(commit) {
      if (open === undefined) {
        open = [];
        groups.push(open);
        setImmediate(() => {
          open = undefined;
        });
      }
      open.push(commit);
      return new Promise((resolve) => {
        setImmediate(resolve);
      });
    },
  };
  const keeper = keeperOn(recorder);
  await startProject(keeper);
  await addAll(keeper, n);
  await claimAndCompleteAll(keeper, n);
  return groups;
}
