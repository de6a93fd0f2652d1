import { spawn } from "node:child_process";
import { FactoryError } from "@dispatch/core";

export interface GitCall {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  input?: Buffer | string;
  /** Milliseconds without a byte of output after which the command and all it started are killed. */
  quietMs?: number;
}

export interface GitAnswer {
  /** Null when a signal ended it. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
  /** The quiet limit ended it. */
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
    const child = spawn("git", call.args, { cwd: "/", env: { ...call.env }, detached: ownSession, stdio: ["pipe", "pipe", "pipe"] });
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
      timer = setTimeout(() => {
        timedOut = true;
        kill();
      }, call.quietMs);
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
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(cannotStart(error));
    });
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      if (stdoutBytes > maxOutputBytes) reject(tooLarge(call.args));
      else resolve({ exitCode, stdout: Buffer.concat(stdout), stderr: stderr.toString("utf8"), timedOut });
    });
    // git may answer without reading all of its input; its exit code tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(call.input);
    watch();
  });
}

function cannotStart(cause: Error): FactoryError {
  return new FactoryError("TOOL_MISSING", `git could not be started: ${cause.message}`, {
    fault: "user",
    hint: "install git 2.38 or newer and see that it is on the PATH of the daemon",
    cause,
  });
}

function tooLarge(args: readonly string[]): FactoryError {
  const command = args.find((arg) => !arg.startsWith("-")) ?? "git";
  return new FactoryError("GIT_FAILED", `git ${command} printed more than ${maxOutputBytes} bytes`, {
    hint: "the change is too large to be checked; split it",
  });
}
