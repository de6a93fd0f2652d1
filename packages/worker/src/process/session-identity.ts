import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { SessionIdentity } from "@dispatch/core";
import { hasProc, startOf } from "./list-processes.ts";

/** Names this boot of the machine. */
export function bootId(): string {
  if (hasProc) return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return execFileSync("sysctl", ["-n", "kern.boottime"], { encoding: "utf8" }).trim();
}

/** The four facts about this process, which must be the first of a tmux pane. */
export function identifySelf(token: string): SessionIdentity {
  return { bootId: bootId(), tmuxStart: tmuxStart(), pid: process.pid, pidStart: startOf(process.pid) ?? "", token };
}

/** Whether the wrapper that wrote this identity lives: the same boot, the same pid, the same start. */
export function isAlive(identity: SessionIdentity, boot: string): boolean {
  return identity.bootId === boot && identity.pid > 0 && startOf(identity.pid) === identity.pidStart;
}

/** Seconds since the epoch; 0 when unknown. TMUX is `socket,server pid,session`. */
function tmuxStart(): number {
  const server = Number(process.env["TMUX"]?.split(",").at(-2));
  if (!Number.isInteger(server) || server <= 0) return 0;
  const start = startOf(server);
  if (start === undefined) return 0;
  if (!hasProc) return Math.floor(Date.parse(start) / 1000) || 0;
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
  // The kernel tells user space clock ticks of 1/100 s whatever its own rate is.
  return Math.floor(boot + Number(start) / 100);
}
