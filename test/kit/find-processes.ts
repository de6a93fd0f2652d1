import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A process with its arguments and, where the system shows it, its environment. */
export interface ShownProcess {
  pid: number;
  parent: number;
  args: string;
  readonly env: string;
}

/** All processes that show `text` in their arguments or in their environment; this one is left out. */
export function processesWith(text: string): ShownProcess[] {
  return allProcesses().filter((seen) => seen.pid !== process.pid && (seen.args.includes(text) || seen.env.includes(text)));
}

/** The children of a process whose arguments hold `text`. */
export function childrenOf(parent: number, text: string): ShownProcess[] {
  return allProcesses().filter((seen) => seen.parent === parent && seen.args.includes(text));
}

export function isRunning(pid: number): boolean {
  return process.platform === "linux" ? showProcess(pid) !== undefined : allProcesses().some((seen) => seen.pid === pid);
}

/** Kills without a word. A process that is gone already is what was wanted. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Zombies have neither arguments nor environment and are not among them. */
function allProcesses(): ShownProcess[] {
  if (process.platform !== "linux") return listWithPs();
  return readdirSync("/proc").flatMap((name) => {
    const shownProcess = /^\d+$/.test(name) ? showProcess(Number(name)) : undefined;
    return shownProcess === undefined ? [] : [shownProcess];
  });
}

/** Its environment is read when it is asked for: most are only looked at for their arguments. */
function showProcess(pid: number): ShownProcess | undefined {
  const args = shown(`/proc/${pid}/cmdline`);
  const stat = args === "" ? "" : readIfAny(`/proc/${pid}/stat`);
  if (stat === "") return undefined;
  const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return {
    pid,
    parent,
    args,
    get env() {
      return shown(`/proc/${pid}/environ`);
    },
  };
}

function listWithPs(): ShownProcess[] {
  const text = execFileSync("ps", ["-A", "-E", "-ww", "-o", "pid=,ppid=,stat=,command="], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return text.split("\n").flatMap((line) => {
    const [, pid, parent, state, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (args === undefined || state?.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), args, env: "" }];
  });
}

function shown(path: string): string {
  return readIfAny(path).replaceAll("\0", " ").trim();
}

/** Empty for a process that ended meanwhile or belongs to somebody else. */
function readIfAny(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
