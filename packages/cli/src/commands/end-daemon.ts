import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "@dispatch/core";
import type { DownRequest } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import type { DaemonClient } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";
import { plural } from "../render/figures.ts";
import { healthOf } from "../start-daemon.ts";

type Mode = NonNullable<DownRequest["mode"]>;

const pollMs = 100;

/** `dispatch down [--drain|--stop]`: asks, then waits until the daemon has ended. A daemon that does not run is down. */
export async function endDaemon(context: CommandContext, input: { mode: Mode; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const asked = await askDown(client, input.mode);
  if (asked === undefined) {
    if (input.json) terminal.json({ running: false });
    else terminal.out([`no daemon runs for ${client.factory}`]);
    return exitCodes.ok;
  }
  const { pid, sessions } = asked;
  if (!input.json) terminal.note(wordsOf(input.mode, sessions));
  const interruption = catchInterruption();
  try {
    // It closes its doors first; only when the process is gone does it leave the factory to another.
    while ((await healthOf(client)) !== undefined || isAlive(pid)) {
      await delay(pollMs, undefined, { signal: interruption.signal });
    }
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    terminal.note(["not waiting any longer; the daemon goes on with what it was asked"]);
    return exitCodes.interrupted;
  } finally {
    interruption.release();
  }
  if (input.json) terminal.json({ running: false, mode: input.mode, sessions });
  else terminal.out(["the daemon has ended"]);
  return exitCodes.ok;
}

/** Who was asked, and the number of sessions then; undefined when there is none to ask. */
async function askDown(client: DaemonClient, mode: Mode): Promise<{ pid: number; sessions: number } | undefined> {
  const asked = await unlessUnreachable(async () => ({ pid: (await client.health()).pid, sessions: (await client.status()).sessions.length }));
  // It may be gone before its answer has arrived.
  if (asked !== undefined) await unlessUnreachable(() => client.post("/down", { mode } satisfies DownRequest));
  return asked;
}

/** What has ended stays listed as a zombie until its parent asks for it, and some parents take their time. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
  return !isZombie(pid);
}

/** Where there is no /proc, nothing is known of it. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

async function unlessUnreachable<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}

function wordsOf(mode: Mode, sessions: number): string[] {
  if (sessions === 0) return [];
  switch (mode) {
    case "leave":
      return [`${plural(sessions, "session")} ${sessions === 1 ? "goes" : "go"} on and will be taken over at the next start`];
    case "drain":
      return [`waiting for ${plural(sessions, "session")} to end and land; nothing new starts (Ctrl-C only stops waiting)`];
    case "stop":
      return [`stopping ${plural(sessions, "session")}; their work is kept and their tasks are placed again at the next start`];
  }
}
