import { posix } from "node:path";
import { makeWorkerBundle, type PoolScene } from "../../packages/fleet/src/testing/pool-scene.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";
import { atMost, type Benchmark, median, milliseconds, type Outcome, ratios } from "./benchmark.ts";
import { openDelayProxy } from "./delay-proxy.ts";
import {
  closeMaster,
  execToEnd,
  freshSsh,
  giveBase,
  jobOf,
  openClient,
  openEcho,
  openMaster,
  openPool,
  openSftp,
  type SshTransport,
  sparesReady,
  sshNode,
} from "./fleet-lab.ts";

const transports = ["ssh2", "openssh"] as const;
const rttMs = 50;
const fileBytes = 2048;
const together = 8;
const trials = 5;

interface Bench {
  lab: SshLab;
  machine: SshMachine;
  workerBundle: string;
  base: string;
  /** Number of the last attempt. */
  n: number;
  note(what: string, value: number): void;
}

/** From the decision to start an attempt to the node's word that it has it, and to its wrapper's first event. */
export const dispatchLatency: Benchmark = {
  name: "dispatch-latency",
  tells: "starting an attempt over a line of 50 ms and over loopback, against sftp + exec, a fresh ssh and ControlMaster",
  rounds: 5,
  async measure(rounds, say): Promise<Outcome> {
    const lab = makeSshLab();
    const found = new Map<string, number[]>();
    try {
      const machine = await lab.add("near", { sshd: ["Subsystem sftp internal-sftp"] });
      const proxy = await openDelayProxy(machine.port, rttMs);
      try {
        lab.configure(`Host far\n  HostName 127.0.0.1\n  Port ${proxy.port}\n`);
        const workerBundle = makeWorkerBundle(lab.dir);
        const note = (what: string, value: number): void => void found.set(what, [...(found.get(what) ?? []), value]);
        const bench: Bench = { lab, machine, workerBundle, base: await giveBase(lab, workerBundle, machine), n: 0, note };
        for (let round = 1; round <= rounds; round++) {
          say(`round ${round} of ${rounds}`);
          await measurePeer(bench);
          for (const transport of transports) await measureFar(bench, transport);
          await measureNear(bench);
        }
      } finally {
        await proxy.close();
      }
    } finally {
      await lab.close();
    }
    return outcomeOf(found);
  },
};

/** The echo of a standing channel is the round trip of the line; what is compared with is a file written, renamed and a program started. */
async function measurePeer({ lab, machine, note }: Bench): Promise<void> {
  const client = await openClient(lab, "far");
  const echo = await openEcho(client);
  await echo();
  const trips: number[] = [];
  for (let n = 0; n < trials; n++) trips.push(await milliseconds(echo));
  const rtt = median(trips);
  note("echo, ms", rtt);
  const sftp = await openSftp(client);
  const content = Buffer.alloc(fileBytes, "x");
  const taken: number[] = [];
  for (let n = 0; n < trials; n++) {
    const path = posix.join(machine.home, `task-${n}`);
    taken.push(
      await milliseconds(async () => {
        await new Promise<void>((resolve, reject) => sftp.writeFile(`${path}.tmp`, content, (error) => (error ? reject(error) : resolve())));
        await new Promise<void>((resolve, reject) => sftp.ext_openssh_rename(`${path}.tmp`, path, (error) => (error ? reject(error) : resolve())));
        await execToEnd(client, "true");
      }),
    );
  }
  note("sftp write, rename, exec: RTTs", median(taken) / rtt);
  client.end();
}

async function measureFar(bench: Bench, transport: SshTransport): Promise<void> {
  const { lab, machine, workerBundle, note } = bench;
  const scene = await openPool(lab, workerBundle, [sshNode(machine, transport, { target: "far" })]);
  await warm(bench, scene);
  const echo: number[] = [];
  const alone: number[] = [];
  const burst: number[] = [];
  for (let n = 0; n < trials; n++) {
    echo.push(await milliseconds(() => scene.pool.tail(machine.name, "demo--S01-value--1", "agent", 0)));
    const job = jobOf(++bench.n, bench.base, "true", fileBytes);
    alone.push(await milliseconds(() => scene.pool.startAttempt(machine.name, job)));
    await scene.ended(job.attempt);
    await sparesReady(machine);
  }
  for (let n = 0; n < 2; n++) {
    const jobs = Array.from({ length: together }, () => jobOf(++bench.n, bench.base, "true", fileBytes));
    burst.push(await milliseconds(() => Promise.all(jobs.map((job) => scene.pool.startAttempt(machine.name, job)))));
    for (const job of jobs) await scene.ended(job.attempt);
    await sparesReady(machine);
  }
  const rtt = rttMs;
  note(`${transport}: the smallest call, RTTs`, median(echo) / rtt);
  note(`${transport}: one start until it is taken, RTTs`, median(alone) / rtt);
  note(`${transport}: ${together} starts until all are taken, RTTs`, median(burst) / rtt);
  await scene.pool.close();
}

/** An attempt brings the node's caches and its spare wrapper about, as on any node that has worked before. */
async function warm(bench: Bench, scene: PoolScene): Promise<void> {
  const job = jobOf(++bench.n, bench.base, "true");
  await scene.pool.startAttempt(bench.machine.name, job);
  await scene.ended(job.attempt);
  await sparesReady(bench.machine);
}

async function measureNear(bench: Bench): Promise<void> {
  const { lab, machine, workerBundle, note } = bench;
  const command = "tmux -L bench new-session -d true";
  const viaMaster = await openMaster(lab, "near");
  const scenes = new Map<SshTransport, PoolScene>();
  const values = new Map<string, number[]>();
  const add = (what: string, value: number): void => void values.set(what, [...(values.get(what) ?? []), value]);
  for (const transport of transports) {
    const scene = await openPool(lab, workerBundle, [sshNode(machine, transport)]);
    await warm(bench, scene);
    scenes.set(transport, scene);
  }
  await sparesReady(machine, scenes.size);
  for (let n = 0; n < trials; n++) {
    add("ssh near 'tmux new -d', fresh, ms", await milliseconds(() => freshSsh(lab, "near", command)));
    add("the same through ControlMaster, ms", await milliseconds(() => viaMaster(command)));
    for (const [transport, scene] of scenes) {
      const first = (count: number) => startTogether(bench, scene, count);
      const [warmMs = 0] = await first(1);
      add(`${transport}: from start to the first event, ms`, warmMs);
      const [, coldMs = 0] = await first(2);
      add(`${transport}: the same for a second one at once, without a spare, ms`, coldMs);
    }
  }
  for (const [what, all] of values) note(what, median(all));
  for (const scene of scenes.values()) await scene.pool.close();
  await closeMaster(lab, "near");
}

/** Milliseconds from the calls to the first events of the attempts, in the order of their arrival. */
async function startTogether(bench: Bench, scene: PoolScene, count: number): Promise<number[]> {
  const jobs = Array.from({ length: count }, () => jobOf(++bench.n, bench.base, "true"));
  const begin = performance.now();
  const firsts = jobs.map(async ({ attempt }) => {
    await scene.until(`the first event of ${attempt}`, () => scene.reports.some((report) => report.attempt === attempt));
    return performance.now() - begin;
  });
  await Promise.all(jobs.map((job) => scene.pool.startAttempt(bench.machine.name, job)));
  const times = await Promise.all(firsts);
  for (const job of jobs) await scene.ended(job.attempt);
  await sparesReady(bench.machine, transports.length);
  return times.sort((a, b) => a - b);
}

function outcomeOf(found: ReadonlyMap<string, readonly number[]>): Outcome {
  const values = (what: string): readonly number[] => found.get(what) ?? [];
  const goals = transports.flatMap((transport) => {
    const one = `${transport}: one start until it is taken, RTTs`;
    const all = `${transport}: ${together} starts until all are taken, RTTs`;
    const first = values(`${transport}: from start to the first event, ms`);
    return [
      atMost(one, median(values(one)), 1.3),
      atMost(all, median(values(all)), 1.5),
      atMost(`${transport}: one start, of sftp write, rename and exec`, median(ratios(values(one), values("sftp write, rename, exec: RTTs"))), 0.25),
      atMost(`${transport}: start to first event, of a fresh ssh`, median(ratios(first, values("ssh near 'tmux new -d', fresh, ms"))), 1 / 15),
      atMost(`${transport}: start to first event, of ControlMaster`, median(ratios(first, values("the same through ControlMaster, ms"))), 1 / 2),
    ];
  });
  return {
    rows: [...found].map(([what, row]) => ({ what, unit: "", values: row })),
    figures: Object.fromEntries([...found].map(([what, row]) => [what, median(row)])),
    goals,
    notes: [
      `each value is the median of ${trials} in its round. A start carries a job of ${fileBytes} bytes; it is taken when the job is durable on the node.`,
      "the first event is that of a real wrapper, durable on the node and received here; what the ssh client is asked for only starts tmux.",
    ],
  };
}
