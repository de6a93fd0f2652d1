import { spawn } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative } from "node:path";
import type { VerifyCommand } from "@dispatch/core";
import type { Preflight } from "@dispatch/spec";
import { allowedEnvironment } from "@dispatch/worker";
import type { RunOnBase } from "./preflight-specs.ts";

const graceMs = 500;

/**
 * Runs commands on the base in a folder of their own below the system's temporary one, with the environment that a node
 * gives. Neither hub nor origin is touched; folder and processes are gone when it settles, also when `signal` ends it.
 */
export function runInScratch(signal: AbortSignal): RunOnBase {
  return async (_project, base, verify) => {
    if (signal.aborted) return "not-run";
    const folder = await mkdtemp(join(await realpath(tmpdir()), "dispatch-preflight-"));
    try {
      await base.checkOut(folder);
      return await runAll(folder, verify, signal);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  };
}

async function runAll(folder: string, verify: readonly VerifyCommand[], signal: AbortSignal): Promise<Preflight["outcome"]> {
  for (const command of verify) {
    const cwd = await folderInside(folder, command.cwd);
    if (cwd === undefined) return "fails";
    const outcome = await runOne(cwd, command, signal);
    if (outcome !== "passes") return outcome;
  }
  return "passes";
}

/** Links are followed: what lies outside of the scratch folder is not run in. Undefined as well when it is not there. */
async function folderInside(root: string, cwd: string): Promise<string | undefined> {
  try {
    const path = await realpath(join(root, cwd));
    const inside = relative(root, path);
    return inside === ".." || inside.startsWith("../") || isAbsolute(inside) ? undefined : path;
  } catch {
    return undefined;
  }
}

/** The command runs as the leader of a group of its own, so that all it starts can be ended. */
function runOne(cwd: string, command: VerifyCommand, signal: AbortSignal): Promise<Preflight["outcome"]> {
  return new Promise((resolve) => {
    const env = { ...allowedEnvironment(), PWD: cwd, ...command.env };
    const child = spawn("/bin/sh", ["-c", command.run], { cwd, env, detached: true, stdio: "ignore" });
    let cut = false;
    let insist: NodeJS.Timeout | undefined;
    const cutOff = (): void => {
      cut = true;
      endGroup(child.pid, "SIGTERM");
      insist = setTimeout(() => endGroup(child.pid, "SIGKILL"), graceMs);
    };
    const timer = setTimeout(cutOff, command.timeoutSeconds * 1000);
    signal.addEventListener("abort", cutOff, { once: true });
    const settle = (outcome: Preflight["outcome"]): void => {
      clearTimeout(timer);
      clearTimeout(insist);
      signal.removeEventListener("abort", cutOff);
      // What it left running in the background would hold the folder.
      endGroup(child.pid, "SIGKILL");
      resolve(cut ? "not-run" : outcome);
    };
    child.once("error", () => settle("fails"));
    child.once("exit", (code) => settle(code === 0 ? "passes" : "fails"));
    if (signal.aborted) cutOff();
  });
}

function endGroup(leader: number | undefined, how: NodeJS.Signals): void {
  if (leader === undefined || leader <= 1) return;
  try {
    process.kill(-leader, how);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
