import { availableParallelism, loadavg, totalmem } from "node:os";
import type { AgentProgram, GpuPulse, Heartbeat, LimitWay, NodeUsage } from "@dispatch/protocol";
import { limitWay } from "../../process/limit/limit-way.ts";
import { complain, type Host } from "../host.ts";
import { measureSizes, usageOf } from "../tidy/measure-usage.ts";
import { createHomeCheck } from "./check-home.ts";
import { createAgentLook } from "./look-at-agents.ts";
import { readGpus } from "./read-gpus.ts";
import { readFreeMemory } from "./read-memory.ts";

const minuteMs = 60_000;

/** What a heartbeat tells. Slow looks are taken in between, one after the other, and a beat tells the last of each. */
export interface PulseKeeper {
  take(sessions: number): Promise<Heartbeat>;
  /** A job was started with this command. */
  sawCommand(command: readonly string[]): void;
  /** Somebody else has measured. */
  sawUsage(usage: NodeUsage): void;
  close(): void;
}

export function keepPulse(host: Host): PulseKeeper {
  const checkHome = createHomeCheck(host.home);
  const agentLook = createAgentLook("/");
  let gpus: readonly GpuPulse[] = [];
  let agents: readonly AgentProgram[] = [];
  let usage: NodeUsage | null = null;
  let limits: LimitWay | undefined;
  const timers = new Set<NodeJS.Timeout>();

  /** The next look begins a while after the last one has ended, and none keeps the process alive. */
  function every(firstMs: number, pauseMs: () => number, look: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      look()
        .catch(complain)
        .finally(() => {
          if (!closed) every(pauseMs(), pauseMs, look);
        });
    }, firstMs);
    timer.unref();
    timers.add(timer);
  }
  let closed = false;

  every(
    500,
    () => (gpus.length > 0 ? 10_000 : 5 * minuteMs),
    async () => {
      gpus = await readGpus("/");
    },
  );
  every(
    1000,
    () => 3 * minuteMs,
    async () => {
      agents = await agentLook.look();
    },
  );
  every(
    20_000,
    () => 10 * minuteMs,
    async () => {
      const sizes = await measureSizes(host);
      if (sizes !== undefined) usage = usageOf(host, sizes, Date.now());
    },
  );

  return {
    async take(sessions) {
      limits ??= limitWay();
      const [home, freeMemoryBytes] = await Promise.all([checkHome(), readFreeMemory()]);
      const machine = { load1: loadavg()[0] ?? 0, cpus: availableParallelism(), freeMemoryBytes, totalMemoryBytes: totalmem() };
      return { ...machine, ...home, sessions, gpus, agents, usage, limits };
    },
    sawCommand: agentLook.sawCommand,
    sawUsage(measured) {
      usage = measured;
    },
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
