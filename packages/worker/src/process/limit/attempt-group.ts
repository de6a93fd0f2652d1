import { createHash } from "node:crypto";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { AttemptLimits } from "@dispatch/core";
import type { LimitWay } from "@dispatch/protocol";
import { hasCode, readFileIfAny } from "../../durable-files.ts";
import { hasProc } from "../list-processes.ts";
import { type Controller, canLimit, groupParent, groupsIn, unifiedHierarchy, wordsIn } from "./find-cgroup.ts";
import { limitWay } from "./limit-way.ts";
import { enterScope } from "./systemd-scope.ts";

/** What holds all that one attempt starts, and its limits as far as this machine can enforce them. */
export interface AttemptGroup {
  way: LimitWay;
  /** Limits that were asked for and are not held here. */
  unheld: readonly string[];
  /** The control group; null where none could be made. */
  folder: string | null;
  /** For each process by itself, in KiB; null: no limit. */
  dataKib: number | null;
  /** Whether a command may only be started inside of the group. */
  mustEnter: boolean;
}

const baseName = "dispatch-attempts";

/** The name of an attempt's group. Names are for all to read, a token is not. */
export function groupName(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 32);
}

/** Makes the attempt's group with its limits in the best way there is. Made already: the same group. */
export async function openGroup(token: string, limits: AttemptLimits): Promise<AttemptGroup> {
  const asked = askedOf(limits);
  const way = limitWay();
  const inScope = way === "systemd" && asked.length > 0 ? await enterScope(groupName(token)) : undefined;
  const parent = inScope ?? groupParent();
  const wanted = asked.map(({ controller }) => controller);
  const folder = parent === undefined ? null : makeGroup({ parent, name: groupName(token), isScope: inScope !== undefined, wanted });
  const held = folder === null ? [] : asked.filter((limit) => applyLimit(folder, limit));
  const byProcess = hasProc && limits.memoryMb !== null && !held.some(({ controller }) => controller === "memory");
  return {
    way: held.length > 0 ? (inScope === undefined ? "cgroup" : "systemd") : byProcess ? "rlimit" : asked.length === 0 ? way : "none",
    unheld: asked.filter((limit) => !held.includes(limit) && !(byProcess && limit.controller === "memory")).map(({ name }) => name),
    folder,
    dataKib: byProcess ? (limits.memoryMb ?? 0) * 1024 : null,
    mustEnter: held.length > 0,
  };
}

interface AskedLimit {
  name: "memory" | "cpus" | "processes";
  controller: Controller;
  files: readonly { file: string; value: string; optional?: boolean }[];
}

function askedOf({ memoryMb, cpus, processes }: AttemptLimits): AskedLimit[] {
  const asked: AskedLimit[] = [];
  if (memoryMb !== null) {
    const value = String(Math.floor(memoryMb * 1024 * 1024));
    // With swap the same program would only become slow, and its neighbours with it.
    const swap = { file: "memory.swap.max", value: "0", optional: true };
    asked.push({ name: "memory", controller: "memory", files: [{ file: "memory.max", value }, swap] });
  }
  if (cpus !== null) {
    const value = `${Math.max(1000, Math.round(cpus * 100_000))} 100000`;
    asked.push({ name: "cpus", controller: "cpu", files: [{ file: "cpu.max", value }] });
  }
  if (processes !== null) asked.push({ name: "processes", controller: "pids", files: [{ file: "pids.max", value: String(Math.floor(processes)) }] });
  return asked;
}

function applyLimit(folder: string, { files }: AskedLimit): boolean {
  return files.every(({ file, value, optional }) => writeControl(join(folder, file), value) || optional === true);
}

interface NewGroup {
  parent: string;
  name: string;
  /** The parent is for this attempt alone. */
  isScope: boolean;
  wanted: readonly Controller[];
}

/** Null where the kernel does not let us. A base that somebody else just took away for being empty is made again. */
function makeGroup({ parent, name, isScope, wanted }: NewGroup): string | null {
  const base = isScope ? parent : join(parent, baseName);
  const folder = join(base, name);
  for (let n = 0; n < 5; n++) {
    try {
      mkdirSync(base, { recursive: true });
      for (const controller of wanted) {
        if (!isScope && canLimit(parent, controller)) writeControl(join(parent, "cgroup.subtree_control"), `+${controller}`);
        if (wordsIn(base, "cgroup.controllers").includes(controller)) writeControl(join(base, "cgroup.subtree_control"), `+${controller}`);
      }
      mkdirSync(folder, { recursive: true });
      return folder;
    } catch (error) {
      if (!hasCode(error, "ENOENT")) return null;
    }
  }
  return null;
}

/** Whether the kernel took it. Opened for writing alone: these files exist or the controller is not there. */
function writeControl(path: string, value: string): boolean {
  try {
    writeFileSync(path, value, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

/** How often the kernel killed something of the group because its memory was used up. */
export function memoryKills(group: AttemptGroup): number {
  if (group.folder === null) return 0;
  return Number(/^oom_kill (\d+)$/m.exec(readFileIfAny(join(group.folder, "memory.events")) ?? "")?.[1] ?? 0);
}

/** Has the kernel kill all in the group at once, also what is just being started. */
export function killGroup(folder: string): void {
  writeControl(join(folder, "cgroup.kill"), "1");
}

/** Removes a group in which nothing runs any more, and what was made for it. What is still in use stays. */
export function removeGroup(folder: string): void {
  for (const below of groupsIn(folder)) removeGroup(below);
  try {
    rmdirSync(folder);
    if (basename(dirname(folder)) === baseName) rmdirSync(dirname(folder));
  } catch (error) {
    if (!hasCode(error, "ENOENT", "EBUSY", "ENOTEMPTY", "EACCES", "EPERM")) throw error;
  }
}

/** The argument vector that starts a program inside the group. */
export function enterBefore(group: AttemptGroup, argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const steps: string[] = [];
  if (group.folder !== null) steps.push(group.mustEnter ? `echo 0 >"$1" || exit 126` : `{ echo 0 >"$1"; } 2>/dev/null`);
  if (group.dataKib !== null) steps.push(`ulimit -d ${Math.floor(group.dataKib)} || exit 126`);
  if (steps.length === 0) return argv;
  const procs = group.folder === null ? "" : join(group.folder, "cgroup.procs");
  return ["/bin/sh", "-c", `${steps.join("; ")}; shift; exec "$@"`, "sh", procs, ...argv];
}

/** The group that a wrapper wrote down, if it is one that its token names: the file lies where an agent can write. */
export function checkedGroup(folder: unknown, token: string): string | undefined {
  const unified = unifiedHierarchy();
  if (typeof folder !== "string" || unified === undefined || !folder.startsWith(`${unified.mount}/`) || folder.includes("/../")) return undefined;
  return basename(folder) === groupName(token) ? folder : undefined;
}
