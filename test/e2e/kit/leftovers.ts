import { existsSync, readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

/** Processes that live in a scene: everything a factory starts inherits its HOME. Empty where there is no /proc. */
export function processesOf(home: string): number[] {
  if (!existsSync("/proc/self/environ")) return [];
  const mark = `HOME=${home}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => readEnvironment(pid).includes(mark));
}

function readEnvironment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

/** Waits until nothing of a scene runs any more. What stays is ended, and is a failure of the test. */
export async function expectNothingLeft(home: string): Promise<void> {
  try {
    await until("everything the factory started has ended", () => processesOf(home).length === 0, 30_000);
  } catch (error) {
    const left = processesOf(home).map((pid) => ({ pid, command: commandOf(pid) }));
    for (const { pid } of left) endByPid(pid);
    throw new Error(`left running: ${JSON.stringify(left)}`, { cause: error });
  }
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
  } catch {
    return "";
  }
}

function endByPid(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended between the look and the signal.
  }
}
