import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import type { Socket } from "node:net";
import type { CommandResult } from "@dispatch/core";
import { isDiskFull } from "../disk-room.ts";
import { findProgram } from "./ask-program.ts";
import { endProcesses, type ProcessMark, tokenVariable } from "./end-processes.ts";
import { type AttemptGroup, enterBefore } from "./limit/attempt-group.ts";
import { openPipe } from "./output-pipe.ts";
import { createOutputTail } from "./output-tail.ts";

export interface CommandRun {
  /** Program and arguments; no shell in between. */
  argv: readonly [string, ...string[]];
  /** How the command is named in its result. */
  label: string;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** File that becomes the standard input; null gives an empty one. */
  stdin: string | null;
  timeoutMs: number;
  /** Between asking with TERM and insisting with KILL. */
  graceMs: number;
  /** In the environment of all that is started; by it everything is found again. */
  token: string;
  /** Kernel start of this process, before which nothing of ours can have started. */
  since: string;
  fifo: string;
  /** Gets the output, up to `logLimitBytes`; the rest is only counted. */
  log: string;
  logLimitBytes: number;
  /** What holds it; none: nothing but its token. */
  group?: AttemptGroup;
  /** What it may still print, together with all that share this; it is ended when it prints more. */
  allowance?: OutputAllowance;
  onOutput?: (chunk: Buffer) => void;
}

export interface OutputAllowance {
  leftBytes: number;
}

/** `startError`: why it could not be started. `tooMuch`: it was ended for what it printed. */
export type RunResult = CommandResult & { startError?: string; tooMuch?: true };

export interface RunningCommand {
  /** Never rejects for what the command did. When it settles nothing the command started is left. */
  result: Promise<RunResult>;
  /** Ends the command and all it started. */
  end(): void;
}

/** Runs a command under our own clock and leaves nothing of it behind, whatever sessions its children opened. */
export function runCommand(run: CommandRun): RunningCommand {
  const begin = performance.now();
  const unstartable = problemBeforeStart(run);
  if (unstartable !== undefined) return { result: Promise.resolve(notStarted(run, unstartable, begin)), end: () => {} };
  const pipe = openPipe(run.fifo);
  const stdin = run.stdin === null ? "ignore" : openSync(run.stdin, "r");
  const [program, ...args] = run.group === undefined ? run.argv : enterBefore(run.group, run.argv);
  let child: ChildProcess | undefined;
  let thrown: unknown;
  try {
    child = spawn(program, args, {
      cwd: run.cwd,
      env: { ...run.env, [tokenVariable]: run.token },
      detached: true,
      stdio: [stdin, pipe.writeEnd, pipe.writeEnd],
    });
  } catch (error) {
    thrown = error;
  }
  const output = pipe.handOver();
  if (typeof stdin === "number") closeSync(stdin);
  if (child === undefined) {
    output.destroy();
    return { result: Promise.resolve(notStarted(run, codeOf(thrown), begin)), end: () => {} };
  }
  return watchCommand(run, child, output, begin);
}

function watchCommand(run: CommandRun, child: ChildProcess, output: Socket, begin: number): RunningCommand {
  const tail = createOutputTail();
  const log = openLog(run);
  output.on("error", () => {});
  const mark: ProcessMark = {
    token: run.token,
    since: run.since,
    ...(child.pid === undefined ? {} : { leader: child.pid }),
    ...(typeof run.group?.folder === "string" ? { group: run.group.folder } : {}),
  };
  let timedOut = false;
  let tooMuch = false;
  let ending: Promise<number> | undefined;
  const end = (): void => {
    ending ??= endProcesses(mark, run.graceMs);
  };
  output.on("data", (chunk: Buffer) => {
    const allowed = run.allowance === undefined ? chunk : takeAllowed(run.allowance, chunk);
    tail.push(chunk);
    log.write(allowed);
    run.onOutput?.(allowed);
    if (allowed.length === chunk.length) return;
    tooMuch = true;
    end();
  });
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, run.timeoutMs);
  const drained = new Promise<void>((resolve) => output.once("close", () => resolve()));
  const result = new Promise<{ exitCode: number | null; signal: string | null; startError?: string }>((resolve) => {
    child.once("error", (error) => {
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, startError: codeOf(error) });
    });
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  }).then(async (ended): Promise<RunResult> => {
    clearTimeout(timer);
    const durationMs = Math.round(performance.now() - begin);
    if (ended.startError === undefined) {
      await ending;
      await endProcesses(mark, Math.min(run.graceMs, 1000));
    }
    // Nobody is left to write, so the end comes at once; the clock is for a process that even KILL cannot end.
    await within(drained, 2000);
    output.destroy();
    log.close();
    if (ended.startError !== undefined) return notStarted(run, ended.startError, begin);
    return {
      command: run.label,
      outcome: timedOut ? "timed-out" : ended.signal === null && !tooMuch ? "exited" : "killed",
      exitCode: timedOut || tooMuch ? null : ended.exitCode,
      signal: ended.signal,
      durationMs,
      outputBytes: tail.total(),
      outputTail: tail.text(),
      ...(tooMuch ? { tooMuch } : {}),
    };
  });
  return { result, end };
}

function takeAllowed(allowance: OutputAllowance, chunk: Buffer): Buffer {
  const allowed = chunk.subarray(0, Math.max(0, allowance.leftBytes));
  allowance.leftBytes -= chunk.length;
  return allowed;
}

function notStarted(run: CommandRun, startError: string, begin: number): RunResult {
  return {
    command: run.label,
    outcome: "not-started",
    exitCode: null,
    signal: null,
    durationMs: Math.round(performance.now() - begin),
    outputBytes: 0,
    outputTail: startError,
    startError,
  };
}

/** Node reports a missing folder as a missing program; told apart here. So is a program that a shell would start for us. */
function problemBeforeStart(run: CommandRun): string | undefined {
  try {
    if (!statSync(run.cwd).isDirectory()) return `${run.cwd} is not a folder`;
  } catch (error) {
    return `folder ${run.cwd}: ${codeOf(error)}`;
  }
  if (run.group === undefined) return undefined;
  const found = findProgram(run.argv[0], run.env["PATH"] ?? "/usr/bin:/bin", run.cwd);
  return "problem" in found ? found.problem : undefined;
}

function openLog(run: CommandRun): { write(chunk: Buffer): void; close(): void } {
  let fd: number | undefined;
  let room = run.logLimitBytes;
  try {
    fd = openSync(run.log, "a", 0o600);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
  return {
    write(chunk) {
      if (fd === undefined || room <= 0) return;
      const part = chunk.subarray(0, room);
      room -= part.length;
      try {
        for (let at = 0; at < part.length; ) at += writeSync(fd, part, at);
      } catch (error) {
        // A log is for people; a full disk must not end the work it tells of.
        if (!isDiskFull(error)) throw error;
      }
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    promise,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
