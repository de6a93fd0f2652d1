import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode, FactoryError } from "@dispatch/core";
import { factoryPaths, type HealthView } from "@dispatch/protocol";
import type { DaemonClient } from "./daemon-client.ts";

const startTimeoutMs = 60_000;
const pollMs = 40;
const shownLogLines = 15;

/** Makes sure that a daemon answers: the one that runs, or a new one in the background that outlives this process. */
export async function ensureDaemon(client: DaemonClient, mainFile: string): Promise<{ health: HealthView; started: boolean }> {
  const running = await healthOf(client);
  if (running !== undefined) return { health: running, started: false };
  const { loadFactory } = await import("@dispatch/controller");
  await loadFactory(client.factory);
  return { health: await startDaemon(client, mainFile), started: true };
}

async function startDaemon(client: DaemonClient, mainFile: string): Promise<HealthView> {
  const { factory } = client;
  const logFile = join(factory, factoryPaths.daemonLog);
  await mkdir(join(factory, factoryPaths.state), { recursive: true, mode: 0o700 });
  const log = await open(logFile, "a", 0o600);
  const from = (await log.stat()).size;
  const child = spawn(process.execPath, [...process.execArgv, mainFile, "up", "--factory", factory], {
    cwd: factory,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => resolve(code === null ? `was ended by ${signal}` : `ended with exit code ${code}`));
  });
  await log.close();
  const deadline = Date.now() + startTimeoutMs;
  let end: string | undefined;
  while (end === undefined && Date.now() < deadline) {
    end = await Promise.race([ended, delay(pollMs, undefined)]);
    const health = await healthOf(client);
    if (health === undefined) continue;
    child.unref();
    return health;
  }
  child.unref();
  throw new FactoryError(
    "DAEMON_UNREACHABLE",
    end === undefined ? `the daemon (pid ${child.pid}) did not answer within ${startTimeoutMs / 1000} seconds` : `the daemon ${end}`,
    {
      fault: "dependency",
      hint: `dispatch up runs it in this terminal; its log is ${logFile}`,
      facts: { log: await endOfLog(logFile, from) },
    },
  );
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
