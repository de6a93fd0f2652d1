import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { AttemptJob, AttemptOutcome } from "@dispatch/core";
import { decodeLine } from "@dispatch/protocol";
import { type AttemptFiles, attemptFiles } from "../attempt-files.ts";
import { untilRoom } from "../disk-room.ts";
import { claimFile, readFileIfAny, replaceFile } from "../durable-files.ts";
import { openEventLog } from "../event-log.ts";
import { endProcesses } from "../process/end-processes.ts";
import { removeGroup } from "../process/limit/attempt-group.ts";
import { makeFifo } from "../process/output-pipe.ts";
import { identifySelf } from "../process/session-identity.ts";
import { openWrapperGroup } from "./hold-limits.ts";
import { makeWorktree } from "./make-worktree.ts";
import { openPane } from "./pane.ts";
import { runRounds } from "./run-rounds.ts";
import { deadlineOf } from "./spend-limits.ts";
import { report, StopAsked, throwIfStopped, type Wrapper, waitForRoom } from "./wrapper.ts";

const graceMs = 3000;

/**
 * Runs one attempt from its job.json to its `attempt-ended`, whatever happens to tmux, host and controller meanwhile.
 * An attempt has one wrapper ever: a second one finds it claimed and ends at once. `showSession` is called when it is
 * claimed and is over before the agent begins.
 */
export async function wrapAttempt(attemptDir: string, showSession: () => Promise<void>): Promise<void> {
  const dir = resolve(attemptDir);
  const files = attemptFiles(dirname(dirname(dir)), basename(dir));
  const job = JSON.parse(readFileSync(files.job, "utf8")) as AttemptJob;
  const identity = identifySelf(job.token);
  const stop: { ask: (() => void) | null; asked: boolean } = { ask: null, asked: false };
  survive(() => {
    stop.asked = true;
    stop.ask?.();
  });
  const claimed = await untilRoom(() => claimFile(files.identity, `${JSON.stringify(identity)}\n`), { onWait: () => {}, giveUp: () => stop.asked });
  if (!claimed) return;
  const wrapper: Wrapper = {
    files,
    job,
    events: openEventLog(files.events),
    pane: openPane(),
    since: identity.pidStart,
    stopBecause: null,
    running: null,
    group: null,
    deadline: deadlineOf(job, performance.now()),
  };
  stop.ask = () => {
    wrapper.stopBecause ??= stopReason(files);
    wrapper.running?.end();
  };
  if (stop.asked) stop.ask();
  await report(wrapper, { type: "attempt-started", identity });
  const outcome = await work(wrapper, showSession());
  const group = wrapper.group?.folder ?? undefined;
  await endProcesses({ token: job.token, since: wrapper.since, ...(group === undefined ? {} : { group }) }, graceMs);
  if (group !== undefined) removeGroup(group);
  await report(wrapper, { type: "attempt-ended", outcome });
  wrapper.pane.say(`attempt ${outcome.kind}`);
}

async function work(wrapper: Wrapper, shown: Promise<void>): Promise<AttemptOutcome> {
  const { files, job } = wrapper;
  // A defect in a callback must end the attempt with a word, not the process without one.
  const defect = new Promise<never>((_, reject) => {
    process.on("uncaughtException", reject);
    process.on("unhandledRejection", reject);
  });
  defect.catch(() => {});
  try {
    return await Promise.race([
      defect,
      (async () => {
        await waitForRoom(wrapper, () => {
          makeFifo(files.fifo);
          replaceFile(files.spec, job.specText, false);
          mkdirSync(files.notices, { recursive: true, mode: 0o700 });
        });
        wrapper.group = await waitForRoom(wrapper, () => openWrapperGroup(wrapper));
        const workspace = await makeWorktree(wrapper);
        await shown;
        throwIfStopped(wrapper);
        return await runRounds(wrapper, workspace);
      })(),
    ]);
  } catch (error) {
    if (wrapper.stopBecause !== null) return { kind: "stopped", because: wrapper.stopBecause };
    if (error instanceof StopAsked) return { kind: "stopped", because: error.message };
    return { kind: "lost", because: error instanceof Error ? error.message : String(error) };
  }
}

/** Hangup: the tmux server died, the work goes on. Keys of a person who watches must not end it either. */
function survive(onTerminate: () => void): void {
  for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTOU", "SIGTTIN", "SIGPIPE"] as const) process.on(signal, () => {});
  process.on("SIGTERM", onTerminate);
}

function stopReason(files: AttemptFiles): string {
  const because = decodeLine(readFileIfAny(files.stop) ?? "")?.["because"];
  return typeof because === "string" ? because : "the session was asked to end";
}
