import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { FactoryError, type Forge } from "@dispatch/core";
import type { NodeLine } from "./node-line.ts";

export interface GitCall {
  /** Another program that is run in the same way. Default: git. */
  program?: "git" | Forge;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  input?: Buffer | string;
  /** Milliseconds without a byte of output after which the command and all it started are killed. */
  quietMs?: number;
  /** Has it killed the same way. */
  giveUp?: AbortSignal;
  /** Becomes its file descriptor 3. */
  line?: NodeLine;
}

export interface GitAnswer {
  /** Null when a signal ended it. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
  /** The quiet limit ended it, or it was given up. */
  timedOut: boolean;
}

const maxOutputBytes = 256 * 1024 * 1024;
const maxStderrBytes = 64 * 1024;

/**
 * Runs git once, with bytes in and bytes out. Any exit code is an answer.
 * With a quiet limit it runs in a session of its own: nothing it starts can ask on the terminal, and all of it can be ended.
 */
export function runGit(call: GitCall): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    const ownSession = call.quietMs !== undefined;
    const child = startGit(call, ownSession);
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let stderr = Buffer.alloc(0);
    let timedOut = false;
    let timer: NodeJS.Timeout | undefined;

    function kill(): void {
      if (child.pid === undefined) return;
      try {
        process.kill(ownSession ? -child.pid : child.pid, "SIGKILL");
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
    }

    function watch(): void {
      clearTimeout(timer);
      if (call.quietMs === undefined || timedOut) return;
      timer = setTimeout(end, call.quietMs);
    }

    function end(): void {
      timedOut = true;
      kill();
    }

    child.stdout.on("data", (chunk: Buffer) => {
      watch();
      stdoutBytes += chunk.length;
      if (stdoutBytes > maxOutputBytes) kill();
      else stdout.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      watch();
      stderr = Buffer.concat([stderr, chunk]).subarray(-maxStderrBytes);
    });
    if (call.line !== undefined) {
      connectLine(child, call.line);
      call.line.stderr.on("data", (chunk: Buffer) => {
        stderr = Buffer.concat([stderr, chunk]).subarray(-maxStderrBytes);
      });
    }
    call.giveUp?.addEventListener("abort", end);
    if (call.giveUp?.aborted === true) end();
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(cannotStart(error, call.program));
    });
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      call.giveUp?.removeEventListener("abort", end);
      if (stdoutBytes > maxOutputBytes) reject(tooLarge(call.args));
      else resolve({ exitCode, stdout: Buffer.concat(stdout), stderr: stderr.toString("utf8"), timedOut });
    });
    // git may answer without reading all of its input; its exit code tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(call.input);
    watch();
  });
}

function startGit({ program = "git", args, env, line }: GitCall, ownSession: boolean): ChildProcessWithoutNullStreams {
  const stdio = ["pipe", "pipe", "pipe", line === undefined ? "ignore" : "pipe"] as const;
  // The first three are pipes, so they are there.
  return spawn(program, args, { cwd: "/", env: { ...env }, detached: ownSession, stdio: [...stdio] }) as ChildProcessWithoutNullStreams;
}

const farewellMs = 5000;

/** Carries what git and the service on the node say to each other. Either may fall silent in one direction and go on in the other. */
function connectLine(child: ChildProcess, line: NodeLine): void {
  const socket = child.stdio[3] as Duplex | null | undefined;
  if (socket === null || socket === undefined) {
    line.kill();
    return;
  }
  socket.allowHalfOpen = true;
  // What breaks in the middle is seen by git as an early end.
  socket.on("error", () => line.stdin.end());
  line.stdin.on("error", () => undefined);
  line.stdout.on("error", () => socket.end());
  socket.pipe(line.stdin);
  line.stdout.pipe(socket);
  // A service that ended reads no more. What git still has to say is swallowed, so that it comes to read the answer, or that there is none.
  line.stdout.once("close", () => socket.unpipe(line.stdin).resume());
  child.once("error", () => line.kill());
  child.once("exit", () => {
    line.stdout.unpipe(socket).resume();
    socket.destroy();
    line.stdin.end();
    const timer = setTimeout(() => line.kill(), farewellMs);
    void line.ended.then(() => clearTimeout(timer));
  });
}

const installing = {
  git: "install git 2.38 or newer",
  gh: "install GitHub's command line (https://cli.github.com), log in with gh auth login,",
  glab: "install GitLab's command line (https://gitlab.com/gitlab-org/cli), log in with glab auth login,",
} as const;

function cannotStart(cause: Error, program: keyof typeof installing = "git"): FactoryError {
  return new FactoryError("TOOL_MISSING", `${program} could not be started: ${cause.message}`, {
    fault: "user",
    hint: `${installing[program]} and see that it is on the PATH of the daemon`,
    cause,
  });
}

function tooLarge(args: readonly string[]): FactoryError {
  const command = args.find((arg) => !arg.startsWith("-")) ?? "git";
  return new FactoryError("GIT_FAILED", `git ${command} printed more than ${maxOutputBytes} bytes`, {
    hint: "the change is too large to be checked; split it",
  });
}
