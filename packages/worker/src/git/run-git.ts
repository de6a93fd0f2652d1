import { spawn } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { FactoryError } from "@dispatch/core";
import { diskFull, saysDiskFull } from "../disk-room.ts";
import { allowedEnvironment } from "../process/environment.ts";

export interface GitRun {
  gitDir: string;
  workTree?: string;
  index?: string;
  input?: string | Buffer;
  env?: Readonly<Record<string, string>>;
  /** More output than this is a failure with the fact `tooLarge`. */
  maxBytes?: number;
  /** Runs behind everything else on the machine, and ends at once when this says so. */
  background?: AbortSignal;
}

const lockPatienceMs = 15_000;

/** Settings an agent or a person could have changed in ways that hide or alter content. */
const pinned = [
  "core.hooksPath=/dev/null",
  "core.excludesFile=/dev/null",
  "core.attributesFile=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.ignoreStat=false",
  "core.sparseCheckout=false",
  "core.autocrlf=false",
  "core.safecrlf=false",
  "core.quotePath=true",
  "gc.auto=0",
  "maintenance.auto=false",
  "advice.addEmbeddedRepo=false",
  "submodule.recurse=false",
  "core.fsync=committed,loose-object",
  "core.fsyncMethod=batch",
].flatMap((setting) => ["-c", setting]);

const identity = {
  GIT_AUTHOR_NAME: "Dispatch",
  GIT_AUTHOR_EMAIL: "dispatch@localhost",
  GIT_COMMITTER_NAME: "Dispatch",
  GIT_COMMITTER_EMAIL: "dispatch@localhost",
};

/**
 * Runs git on exactly this repository, index and work tree, whatever lies in the folders above,
 * in the user's settings or in the work tree's own `.git`. Gives what it printed; throws GIT_FAILED or DISK_FULL.
 */
export async function runGit(args: readonly string[], run: GitRun): Promise<Buffer> {
  for (;;) {
    try {
      return await runOnce(args, run);
    } catch (error) {
      if (!(await outwaitLock(error))) throw error;
    }
  }
}

/**
 * A git that was killed leaves its lock files for ever. A lock that stands in the way is waited for,
 * and removed when it is older than any git of ours takes. False: the failure is of another kind.
 */
async function outwaitLock(error: unknown): Promise<boolean> {
  if (!(error instanceof FactoryError) || error.code !== "GIT_FAILED") return false;
  const lock = /Unable to create '(.+\.lock)': File exists/.exec(error.message)?.[1];
  if (lock === undefined) return false;
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && Date.now() - made > lockPatienceMs) rmSync(lock, { force: true });
  else await new Promise((resolve) => setTimeout(resolve, 200));
  return true;
}

async function runOnce(args: readonly string[], run: GitRun): Promise<Buffer> {
  const env = {
    ...allowedEnvironment(),
    ...identity,
    LC_ALL: "C",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_DIR: run.gitDir,
    ...(run.workTree === undefined ? {} : { GIT_WORK_TREE: run.workTree }),
    ...(run.index === undefined ? {} : { GIT_INDEX_FILE: run.index }),
    ...run.env,
  };
  const { background } = run;
  const [program, ...before] = background === undefined ? ["git"] : ["nice", "-n", "19", "git"];
  const child = spawn(program ?? "git", [...before, ...pinned, ...args], {
    env,
    detached: background !== undefined,
    cwd: run.workTree ?? run.gitDir,
    // A filter that an agent configured may hang; nothing honest takes this long.
    timeout: 30 * 60_000,
    killSignal: "SIGKILL",
    stdio: [run.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const said: Buffer[] = [];
  let bytes = 0;
  let tooLarge = false;
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > (run.maxBytes ?? Number.POSITIVE_INFINITY)) {
      tooLarge = true;
      child.kill("SIGKILL");
    } else out.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    if (said.length < 64) said.push(chunk);
  });
  // git may end before it has read everything; its exit code tells the story.
  child.stdin?.on("error", () => {});
  if (run.input !== undefined) child.stdin?.end(run.input);
  // With the programs that git started for it.
  const giveUp = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
  };
  background?.addEventListener("abort", giveUp);
  if (background?.aborted === true) giveUp();
  const ended = await new Promise<{ code: number | null; problem?: Error }>((resolve) => {
    child.once("error", (problem) => resolve({ code: null, problem }));
    child.once("close", (code) => resolve({ code }));
  });
  background?.removeEventListener("abort", giveUp);
  if (ended.code === 0) return Buffer.concat(out);
  throw gitFailure(args, { ...ended, stderr: Buffer.concat(said).toString("utf8"), tooLarge });
}

export async function gitText(args: readonly string[], run: GitRun): Promise<string> {
  return (await runGit(args, run)).toString("utf8").trim();
}

/** Whether git answered yes (exit code 0) or no (1); anything else is thrown. */
export async function gitAsks(args: readonly string[], run: GitRun): Promise<boolean> {
  try {
    await runGit(args, run);
    return true;
  } catch (error) {
    if (error instanceof FactoryError && error.code === "GIT_FAILED" && error.facts["exitCode"] === 1) return false;
    throw error;
  }
}

function gitFailure(args: readonly string[], ended: { code: number | null; problem?: Error; stderr: string; tooLarge: boolean }): FactoryError {
  const name = `git ${args.find((arg) => !arg.startsWith("-")) ?? ""}`;
  if (saysDiskFull(ended.stderr)) return diskFull(name, new Error(ended.stderr.trim()));
  if (ended.problem !== undefined && "code" in ended.problem && ended.problem.code === "ENOENT") {
    return new FactoryError("TOOL_MISSING", "git was not found on the node", {
      fault: "user",
      hint: "Install git on the node.",
      cause: ended.problem,
    });
  }
  return new FactoryError("GIT_FAILED", `${name}: ${ended.stderr.trim() || ended.problem?.message || `exit code ${ended.code}`}`, {
    facts: { exitCode: ended.code, args, tooLarge: ended.tooLarge },
  });
}
