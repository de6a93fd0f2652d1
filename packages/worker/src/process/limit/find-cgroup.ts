import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readFileIfAny } from "../../durable-files.ts";
import { hasProc } from "../list-processes.ts";

export type Controller = "memory" | "pids" | "cpu";

/** Where the unified hierarchy is mounted, and the group of this process in it. Undefined: there is none. */
export function unifiedHierarchy(): { mount: string; own: string } | undefined {
  if (!hasProc) return undefined;
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((text) => / - cgroup2 /.test(text));
  // The fifth field, in which blanks are written as octal numbers.
  const mount = line?.split(" ")[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  const own = /^0::(\/.*)$/m.exec(readFileIfAny("/proc/self/cgroup") ?? "")?.[1];
  return mount === undefined || own === undefined || own.includes("/..") ? undefined : { mount, own: join(mount, own) };
}

/**
 * The group below which this process may make others and move what it starts into: the root of the hierarchy for root, else the
 * nearest group above itself that was delegated to its user.
 */
export function groupParent(): string | undefined {
  const unified = unifiedHierarchy();
  if (unified === undefined) return undefined;
  if (process.getuid?.() === 0) return isWritable(unified.mount) ? unified.mount : undefined;
  for (let folder = unified.own; ; folder = dirname(folder)) {
    if (isWritable(folder)) return folder;
    if (folder === unified.mount || folder === "/") return undefined;
  }
}

function isWritable(folder: string): boolean {
  try {
    for (const path of [folder, join(folder, "cgroup.procs"), join(folder, "cgroup.subtree_control")]) accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether groups below can be limited by a controller. Changes nothing. */
export function canLimit(parent: string, controller: Controller): boolean {
  if (wordsIn(parent, "cgroup.subtree_control").includes(controller)) return true;
  if (!wordsIn(parent, "cgroup.controllers").includes(controller)) return false;
  // A group that holds processes cannot hand on controllers, save the root of all, which alone has no type.
  const isRoot = readFileIfAny(join(parent, "cgroup.type")) === undefined;
  return isRoot || (readFileIfAny(join(parent, "cgroup.procs")) ?? "x").trim() === "";
}

export function wordsIn(folder: string, file: string): string[] {
  try {
    return (readFileIfAny(join(folder, file)) ?? "").split(/\s+/).filter((word) => word !== "");
  } catch {
    return [];
  }
}

/** Processes of a group and of those below it. */
export function processesIn(folder: string): number[] {
  const found = wordsIn(folder, "cgroup.procs")
    .map(Number)
    .filter((pid) => pid > 1);
  for (const below of groupsIn(folder)) found.push(...processesIn(below));
  return found;
}

export function groupsIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    // Gone meanwhile: its last process has ended.
    return [];
  }
}
