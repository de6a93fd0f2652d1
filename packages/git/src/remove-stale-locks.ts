import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { FactoryError } from "@dispatch/core";

/** `main`: the locks that moving main takes. Conversations and readers that are under way hold none of these. */
export type LockScope = "all" | "main";

/**
 * A git process that was killed while it held a ref leaves `*.lock` files, and every later update fails.
 * The caller is the only controller of this hub, so a lock is stale as soon as no git process that could own it lives.
 * Waits up to `waitMs` for one that does. Returns how many were removed.
 */
export async function removeStaleLocks(gitDir: string, scope: LockScope, waitMs = 10_000): Promise<number> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const locks = await findLocks(gitDir, scope);
    if (locks.length === 0) return 0;
    const owners = ownersIn(await listProcesses(), gitDir, scope);
    if (owners.length === 0) {
      for (const lock of locks) await rm(lock, { force: true });
      return locks.length;
    }
    if (performance.now() > deadline) {
      throw new FactoryError("GIT_FAILED", `${gitDir} is locked by git process ${owners.join(", ")}`, {
        retry: "later",
        hint: "wait until it has ended, or end it",
        facts: { locks, owners },
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Names of refs cannot end in `.lock`, so no ref is ever taken for a lock. */
async function findLocks(gitDir: string, scope: LockScope): Promise<string[]> {
  const files = [
    ...(await listFiles(gitDir, false)),
    ...(await listFiles(join(gitDir, "refs"), true)),
    ...(await listFiles(join(gitDir, "logs"), true)),
  ];
  const ofMain = [join(gitDir, "HEAD.lock"), join(gitDir, "refs/heads/main.lock")];
  return files.filter((path) => (scope === "main" ? ofMain.includes(path) : path.endsWith(".lock")));
}

async function listFiles(folder: string, recursive: boolean): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** One line per process: its id, a space, its arguments. */
async function listProcesses(): Promise<string> {
  if (process.platform !== "linux") {
    const { stdout } = await promisify(execFile)("ps", ["-A", "-ww", "-o", "pid=,args="], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }
  const lines: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      lines.push(`${pid} ${(await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ")}`);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return lines.join("\n");
}

/** Ids of the git processes in a list of processes that may hold a lock in this repository. Pure. */
export function ownersIn(processes: string, gitDir: string, scope: LockScope): number[] {
  const owners: number[] = [];
  for (const line of processes.split("\n")) {
    const [, pid, args] = /^\s*(\d+)\s+(?:\S*\/)?git (.*)$/.exec(line) ?? [];
    if (args === undefined || !`${args} `.includes(`--git-dir=${gitDir} `)) continue;
    // The reader of objects stays, and writes nothing.
    if (/ cat-file --batch/.test(args)) continue;
    if (scope === "all" || args.includes(" update-ref ")) owners.push(Number(pid));
  }
  return owners;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH" || error.code === "ENOTDIR");
}
