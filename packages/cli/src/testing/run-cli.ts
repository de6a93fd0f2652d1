import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout and stderr together hold the text; rejects when the process ends without. */
  says(text: string): Promise<void>;
}

const program = fileURLToPath(new URL("../../dist/bundle/dispatch.js", import.meta.url));

/** Program and arguments that run the command line as it was built. */
export function cliCommand(args: readonly string[]): [string, ...string[]] {
  if (!existsSync(program)) throw new Error(`${program} is not there: npm run build`);
  return [process.execPath, program, ...args];
}

/** Starts the command line as it was built, as a process of its own. */
export function startCli(args: readonly string[], options: { cwd: string; env?: Record<string, string> }): Running {
  const { DISPATCH_FACTORY: _, ...env } = process.env;
  const [program, ...rest] = cliCommand(args);
  const child = spawn(program, rest, { cwd: options.cwd, env: { ...env, ...options.env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
  return {
    child,
    ended,
    says(text) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if ((stdout + stderr).includes(text)) resolve();
        };
        child.stdout.on("data", look);
        child.stderr.on("data", look);
        void ended.then((end) => reject(new Error(`ended with ${end.code} and never said ${text}: ${end.stdout}${end.stderr}`)));
        look();
      });
    },
  };
}

export function runCli(args: readonly string[], options: { cwd: string; env?: Record<string, string> }): Promise<Ended> {
  return startCli(args, options).ended;
}
