import { accessSync, existsSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { LimitWay } from "@dispatch/protocol";
import { findProgram } from "../ask-program.ts";
import { hasProc } from "../list-processes.ts";
import { canLimit, groupParent, unifiedHierarchy, wordsIn } from "./find-cgroup.ts";

/** How an attempt on this machine is held to its limits. Changes nothing. */
export function limitWay(): LimitWay {
  const parent = groupParent();
  if (parent !== undefined && canLimit(parent, "memory")) return "cgroup";
  if (hasServiceManager()) return "systemd";
  return hasProc ? "rlimit" : "none";
}

export function runtimeFolder(): string {
  return `/run/user/${process.getuid?.() ?? 0}`;
}

/**
 * Whether the user's own systemd can be asked for a group. Only where it lingers: otherwise it ends with the last login of the
 * user, and with it all that runs below it, so that a link that drops would end agents.
 */
function hasServiceManager(): boolean {
  const uid = process.getuid?.() ?? 0;
  const unified = unifiedHierarchy();
  if (uid === 0 || unified === undefined || !existsSync("/run/systemd/system")) return false;
  try {
    accessSync(join("/var/lib/systemd/linger", userInfo().username));
    if (!statSync(join(runtimeFolder(), "bus")).isSocket()) return false;
  } catch {
    return false;
  }
  const manager = join(unified.mount, "user.slice", `user-${uid}.slice`, `user@${uid}.service`);
  return wordsIn(manager, "cgroup.controllers").includes("memory") && "file" in findProgram("busctl", process.env["PATH"] ?? "", "/");
}
