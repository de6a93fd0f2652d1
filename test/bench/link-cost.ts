import { join } from "node:path";
import { createNodePool, type NodeConfig } from "@dispatch/fleet";
import type { SshLab } from "../kit/real-sshd.ts";
import { jobOf } from "./fleet-lab.ts";

export interface LinkBench {
  lab: SshLab;
  workerBundle: string;
  nodes: readonly NodeConfig[];
  base: string;
  /** Number of the first attempt. */
  from: number;
}

/** Processor time of this process for one attempt, in ms, when nothing is decided and kept: the start, and all that the node reports of it. */
export async function linkCpuMs(bench: LinkBench, count: number): Promise<number> {
  const cursors: Record<string, number> = {};
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const pool = createNodePool({
    nodes: bench.nodes,
    workerBundle: bench.workerBundle,
    cursors: () => cursors,
    attemptsOn: () => 0,
    log: silent,
    clock: { now: () => Date.now(), after: afterMs },
    ssh: { knownHostsDir: join(bench.lab.dir, "known"), configFile: bench.lab.configFile, env: process.env },
  });
  await pool.open();
  try {
    const before = process.cpuUsage();
    await new Promise<void>((resolve, reject) => {
      let started = 0;
      let ended = 0;
      const startNext = (node: string): void => {
        if (started === count) return;
        started++;
        pool.startAttempt(node, jobOf(bench.from + started, bench.base, "true")).catch(reject);
      };
      pool.onReport(({ node, attempt, seq, fact }) => {
        cursors[attempt] = seq;
        if (fact.type !== "attempt-ended") return;
        ended++;
        if (ended === count) resolve();
        else startNext(node);
      });
      for (const { id, slots } of bench.nodes) for (let n = 0; n < slots; n++) startNext(id);
    });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / count;
  } finally {
    await pool.close();
  }
}

function afterMs(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
