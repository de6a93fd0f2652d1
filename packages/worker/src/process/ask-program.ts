import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";

const outputLimit = 256 * 1024;

export interface Question {
  argv: readonly [string, ...string[]];
  cwd: string;
  env: Readonly<Record<string, string>>;
  timeoutMs: number;
}

/** What a program prints, both outputs together; undefined when it cannot be started or does not end in time. Never rejects. */
export async function askProgram(question: Question): Promise<{ text: string; code: number | null } | undefined> {
  const [program, ...args] = question.argv;
  return await new Promise((resolve) => {
    // In a group of its own, so that what it started ends with it.
    const child = spawn(program, args, { cwd: question.cwd, env: question.env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        if (text.length < outputLimit) text += chunk;
      });
    }
    let lastWords: NodeJS.Timeout | undefined;
    const settle = (answer: { text: string; code: number | null } | undefined): void => {
      clearTimeout(timer);
      clearTimeout(lastWords);
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      endGroup(child.pid);
      settle(undefined);
    }, question.timeoutMs);
    child.once("error", () => settle(undefined));
    child.once("exit", (code, signal) => {
      const answer = () => settle(signal === null ? { text, code } : undefined);
      child.once("close", answer);
      // What it left behind could hold its outputs open for ever.
      endGroup(child.pid);
      lastWords = setTimeout(answer, 1000);
    });
  });
}

function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined && leader > 1) process.kill(-leader, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}

/** The file a program name means, or why there is none, as the code that starting it would give. */
export function findProgram(name: string, path: string, cwd: string): { file: string } | { problem: string } {
  if (name.includes("/")) {
    const file = isAbsolute(name) ? name : join(cwd, name);
    const problem = problemOf(file);
    return problem === undefined ? { file } : { problem };
  }
  let worst = "ENOENT";
  for (const folder of path.split(":")) {
    const file = join(isAbsolute(folder) ? folder : join(cwd, folder), name);
    const problem = problemOf(file);
    if (problem === undefined) return { file };
    if (problem === "EACCES") worst = problem;
  }
  return { problem: worst };
}

function problemOf(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return "EACCES";
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "ENOENT";
  }
}
