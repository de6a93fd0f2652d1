import type { AttemptJob, WrapperFact } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { untilRoom } from "../disk-room.ts";
import type { EventLog } from "../event-log.ts";
import type { AttemptGroup } from "../process/limit/attempt-group.ts";
import type { RunningCommand } from "../process/run-command.ts";
import type { Pane } from "./pane.ts";
import { writeStatus } from "./write-status.ts";

/** One wrapper at work on its attempt. */
export interface Wrapper {
  files: AttemptFiles;
  job: AttemptJob;
  events: EventLog;
  pane: Pane;
  /** Kernel start of this process. */
  since: string;
  /** Why we were asked to stop; null while we were not. */
  stopBecause: string | null;
  running: RunningCommand | null;
  /** What holds all that the attempt starts; null until it is made. */
  group: AttemptGroup | null;
  /** When the attempt's time is over, in ms of `performance.now()`. The checks after it keep their own time. */
  deadline: number;
}

/** Thrown between two steps of the work when the attempt was asked to stop. */
export class StopAsked extends Error {}

export function throwIfStopped(wrapper: Wrapper): void {
  if (wrapper.stopBecause !== null) throw new StopAsked(wrapper.stopBecause);
}

/** Puts a fact on disk; waits as long as the disk is full, since work without its record would be lost. */
export async function report(wrapper: Wrapper, fact: WrapperFact): Promise<void> {
  const logged = await waitForRoom(wrapper, () => wrapper.events.append(Date.now(), fact), false);
  writeStatus(wrapper, logged);
}

/** Repeats what the full disk refused. A step of the work is given up when the attempt is stopped; a report is not. */
export async function waitForRoom<T>(wrapper: Wrapper, act: () => T | Promise<T>, mayStop = true): Promise<T> {
  let told = false;
  return await untilRoom(act, {
    onWait: () => {
      if (!told) wrapper.pane.say("the disk is full; waiting for room");
      told = true;
    },
    giveUp: () => mayStop && wrapper.stopBecause !== null,
  });
}

/** Runs a command that a stop ends. */
export async function supervise(wrapper: Wrapper, start: () => RunningCommand): ReturnType<() => RunningCommand["result"]> {
  throwIfStopped(wrapper);
  const running = start();
  wrapper.running = running;
  try {
    return await running.result;
  } finally {
    wrapper.running = null;
  }
}
