import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { hasCode } from "../durable-files.ts";

/** A process as the kernel shows it. Zombies are not among them: they are dead. */
export interface SeenProcess {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** When it started, as the kernel counts it; with the pid it names the process for good. */
  start: string;
}

export const hasProc = process.platform === "linux";

/** When a process started, or undefined when it is dead. */
export function startOf(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  return hasProc ? statOf(pid)?.start : psList(["-p", String(pid)])[0]?.start;
}

export function listProcesses(): SeenProcess[] {
  if (!hasProc) return psList(["-A"]);
  const seen: SeenProcess[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = statOf(pid);
    if (stat !== undefined) seen.push(stat);
  }
  return seen;
}

/** Whether the environment a process was started with holds `marker`. */
export function environHolds(pid: number, marker: string): boolean {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/environ`).includes(marker);
    return execFileSync("ps", ["eww", "-o", "command=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"] }).includes(marker);
  } catch {
    // Gone meanwhile, or of another user: in neither case one of ours.
    return false;
  }
}

function statOf(pid: number): SeenProcess | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH", "EACCES")) return undefined;
    throw error;
  }
  // The name in brackets may hold anything, also brackets; the fields begin after the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  if (state === "Z" || state === "X" || state === "x") return undefined;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    start: fields[19] ?? "",
  };
}

/** For systems without /proc. The session is left out there: `ps` does not agree on its column. */
export function psList(which: readonly string[]): SeenProcess[] {
  let text: string;
  try {
    text = execFileSync("ps", [...which, "-o", "pid=,ppid=,pgid=,stat=,lstart="], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    // `ps -p` ends with 1 when there is no such process.
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [pid, parent, group, state, ...start] = line.trim().split(/\s+/);
    if (pid === undefined || state === undefined || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), session: 0, start: start.join(" ") }];
  });
}

/** All command lines, for systems without /proc. */
export function psCommands(): string {
  return execFileSync("ps", ["-A", "-ww", "-o", "command="], { encoding: "latin1", maxBuffer: 1e8 });
}
