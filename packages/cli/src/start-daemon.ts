import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ErrorCode, errorCode, FactoryError } from "@dispatch/core";
import { factoryPaths, type HealthView } from "@dispatch/protocol";
import type { DaemonClient } from "./daemon-client.ts";
import type { Failure } from "./render/error-lines.ts";

const startTimeoutMs = 60_000;
const pollMs = 40;
const shownLogLines = 15;

/** Makes sure that a daemon answers: the one that runs, or a new one in the background that outlives this process. */
export async function ensureDaemon(client: DaemonClient, mainFile: string): Promise<{ health: HealthView; started: boolean }> {
  const running = await healthOf(client);
  if (running !== undefined) return { health: running, started: false };
  const { loadFactory } = await import("@dispatch/controller/files");
  await loadFactory(client.factory);
  return { health: await startDaemon(client, mainFile), started: true };
}

/** Another daemon may be on its way up or down at this moment: then it answers soon, or leaves the factory to ours. */
async function startDaemon(client: DaemonClient, mainFile: string): Promise<HealthView> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const started = await spawnDaemon(client, mainFile, deadline);
    if (!(started instanceof Error)) return started;
    if (errorCode(started) !== "DAEMON_RUNNING" || Date.now() > deadline) throw started;
    await delay(pollMs * 5);
    const health = await healthOf(client);
    if (health !== undefined) return health;
  }
}

/** The health of a new daemon, or why it ended. */
async function spawnDaemon(client: DaemonClient, mainFile: string, deadline: number): Promise<HealthView | Error> {
  const { factory } = client;
  const logFile = join(factory, factoryPaths.daemonLog);
  await mkdir(join(factory, factoryPaths.state), { recursive: true, mode: 0o700 });
  const log = await open(logFile, "a", 0o600);
  const from = (await log.stat()).size;
  const child = spawn(process.execPath, [...process.execArgv, mainFile, "up", "--factory", factory], {
    cwd: factory,
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  const ended = endOf(child);
  await log.close();
  let end: End | undefined;
  try {
    while (end === undefined && Date.now() < deadline) {
      end = (await Promise.race([ended, delay(pollMs, undefined)])) ?? end;
      const health = await healthOf(client);
      if (health !== undefined) return health;
    }
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
  if (end?.failure !== undefined) return asError(end.failure);
  return new FactoryError("DAEMON_UNREACHABLE", `the daemon ${end?.how ?? `did not answer within ${startTimeoutMs / 1000} seconds`}`, {
    fault: "dependency",
    hint: `dispatch up runs it in this terminal; its log is ${logFile}`,
    facts: { log: await endOfLog(logFile, from) },
  });
}

interface End {
  /** `ended with exit code 1` */
  how: string;
  /** What it said through the channel before it ended. */
  failure: Failure | undefined;
}

/** Resolves after the process ended and everything it said was heard. */
function endOf(child: ChildProcess): Promise<End> {
  let failure: Failure | undefined;
  child.on("message", (message) => {
    failure = message as Failure;
  });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ how: `could not be started: ${error.message}`, failure }));
    child.once("close", (code, signal) => resolve({ how: code === null ? `was ended by ${signal}` : `ended with exit code ${code}`, failure }));
  });
}

function asError(failure: Failure): FactoryError {
  const { code, message, hint, facts } = failure;
  return new FactoryError(code as ErrorCode, message, { facts, ...(hint === undefined ? {} : { hint }) });
}

/** Undefined when no daemon answers. */
export async function healthOf(client: DaemonClient): Promise<HealthView | undefined> {
  try {
    return await client.health();
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}

async function endOfLog(file: string, from: number): Promise<string[]> {
  const text = (await readFile(file)).subarray(from).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-shownLogLines);
}
