import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "ssh2";
import { makeWorkerBundle } from "../../packages/fleet/src/testing/pool-scene.ts";
import { eventually } from "../kit/eventually.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";
import { type BenchEngine, openBenchEngine } from "./bench-engine.ts";
import { atMost, type Benchmark, type Goal, median, milliseconds, type Outcome, ratios } from "./benchmark.ts";
import { giveBase, openClient, openEcho, openExec, sshNode } from "./fleet-lab.ts";
import { costOf } from "./process-cost.ts";

const sizes = [8, 32, 100] as const;
const results = 20;
const pollMs = 1000;
const idleSeconds = 10;
const firstLooksMs = 40_000;

interface Bench {
  lab: SshLab;
  machine: SshMachine;
  workerBundle: string;
  base: string;
  note(what: string, value: number): void;
}

/** From a result that a wrapper has written to the fact in the ledger, with many sessions on one node. */
export const detectLatency: Benchmark = {
  name: "detect-latency",
  tells: "from a result on the node to the fact in the ledger, with 32 and 100 sessions on one node; reconcile and idle cost",
  rounds: 3,
  async measure(rounds, say): Promise<Outcome> {
    const lab = makeSshLab();
    const found = new Map<string, number[]>();
    try {
      const machine = await lab.add("node");
      const workerBundle = makeWorkerBundle(lab.dir);
      const note = (what: string, value: number): void => void found.set(what, [...(found.get(what) ?? []), value]);
      const bench: Bench = { lab, machine, workerBundle, base: await giveBase(lab, workerBundle, machine), note };
      for (let round = 1; round <= rounds; round++) {
        for (const size of sizes) {
          say(`round ${round} of ${rounds}: ${size} sessions`);
          await measureSize(bench, size);
        }
      }
      return outcomeOf(found);
    } finally {
      await lab.close();
    }
  },
};

async function measureSize(bench: Bench, size: number): Promise<void> {
  const { lab, machine, workerBundle, base } = bench;
  const engine = await openBenchEngine({ lab, workerBundle, base, nodes: [sshNode(machine, "ssh2", { slots: size })] });
  const opened = performance.now();
  const client = await openClient(lab, machine.name);
  try {
    const gates = await startSessions(bench, engine, size);
    await measureReconcile(bench, engine, size);
    if (size > 8) await measureDetection(bench, engine, client, gates, size);
    if (size === Math.max(...sizes)) {
      // Until the host has looked at its machine for the first time; it does so again after some minutes.
      await eventually("the host's first looks", () => performance.now() - opened > firstLooksMs, firstLooksMs * 2);
      await measureIdle(bench);
    }
    await measureLostPush(bench, engine, gates, size);
    for (const gate of gates) gate.open();
    await eventually("the end of all sessions", () => countEnded(engine) === size, 120_000);
  } finally {
    client.end();
    await engine.close();
  }
}

interface Gate {
  attempt: string;
  /** Lets the agent end; once. */
  open(): void;
}

/** Agents that wait without using the processor: each reads from a pipe of its own. */
async function startSessions({ lab, machine }: Bench, engine: BenchEngine, size: number): Promise<Gate[]> {
  const run = `${size}at${Math.round(performance.now())}`;
  const names = Array.from({ length: size }, (_, n) => `W${run}-n${n}`);
  const pipes = names.map((name) => join(lab.dir, name));
  execFileSync("mkfifo", pipes);
  await engine.feed(names.map((id, n) => ({ id, command: ["sh", "-c", `read line < ${pipes[n]}`] })));
  await eventually(`${size} sessions on ${machine.name}`, () => countRunning(engine) === size, 300_000);
  return names.map((name, n) => {
    let done = false;
    return {
      attempt: `demo--${name}--1`,
      open() {
        if (done) return;
        done = true;
        // Its reader waits already, or finds this end open when it comes.
        const fd = openSync(pipes[n] ?? "", constants.O_RDWR | constants.O_NONBLOCK);
        execFileSync("sh", ["-c", `echo go > ${pipes[n]}`]);
        setTimeout(() => closeSync(fd), 5000).unref();
      },
    };
  });
}

function countRunning({ engine }: BenchEngine): number {
  return [...engine.world.attempts.values()].filter(({ state, rounds }) => state.kind === "running" && rounds.length > 0).length;
}

function countEnded({ engine }: BenchEngine): number {
  return [...engine.world.attempts.values()].filter(({ endedAt }) => endedAt > 0).length;
}

/** The whole list of sessions, as it is asked for after a reconnect. */
async function measureReconcile({ machine, note }: Bench, { pool }: BenchEngine, size: number): Promise<void> {
  const asked: number[] = [];
  for (let n = 0; n < results; n++) asked.push(await milliseconds(() => pool.seenAttempts(machine.name)));
  note(`list of ${size} sessions, ms`, median(asked));
}

/** The node stamps whole milliseconds; half of one is taken off as the mean of what is cut away. */
async function measureDetection({ machine, note }: Bench, engine: BenchEngine, client: Client, gates: readonly Gate[], size: number): Promise<void> {
  const pushed: number[] = [];
  const polled: number[] = [];
  const written = new Map<string, number>();
  const stop = engine.onFacts((events) => {
    for (const { event } of events) {
      if (event.type !== "wrapper-reported" || event.fact.type === "attempt-started" || event.fact.type === "round-started") continue;
      pushed.push(performance.timeOrigin + performance.now() - event.reportedAt - 0.5);
      if (event.fact.type === "attempt-ended") written.set(event.attempt, event.reportedAt);
    }
  });
  const echo = await openEcho(client);
  await echo();
  const trips: number[] = [];
  let polling = true;
  const seen = new Set<string>();
  const poll = async (): Promise<void> => {
    while (polling) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      const ended = await readEnded(client, machine);
      const now = performance.timeOrigin + performance.now();
      for (const [attempt, at] of written) {
        if (!ended.has(attempt) || seen.has(attempt)) continue;
        seen.add(attempt);
        polled.push(now - at);
      }
    }
  };
  const polls = poll();
  for (const gate of gates.slice(0, results)) {
    trips.push(await milliseconds(echo));
    gate.open();
    await eventually(`the result of ${gate.attempt}`, () => written.has(gate.attempt));
  }
  await eventually("the last poll", () => seen.size >= results);
  polling = false;
  await polls;
  stop();
  pushed.sort((a, b) => a - b);
  note(`echo beside ${size} sessions, ms`, median(trips));
  note(`result to ledger, ${size} sessions, median ms`, median(pushed));
  note(`result to ledger, ${size} sessions, p99 ms`, pushed[Math.ceil(pushed.length * 0.99) - 1] ?? Number.NaN);
  note(`the same by a poll each second, ${size} sessions, ms`, median(polled));
}

/** What a poll asks: which sessions are over. */
async function readEnded(client: Client, machine: SshMachine): Promise<ReadonlySet<string>> {
  const channel = await openExec(client, `grep -l '"attempt-ended"' ${machine.home}/.dispatch/attempts/*/events.ndjson`);
  let text = "";
  channel.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  channel.stderr.resume();
  await new Promise<void>((resolve) => channel.once("close", () => resolve()));
  return new Set(text.split("\n").map((path) => path.split("/").at(-2) ?? ""));
}

/** Processor time of this process and of the node's host while nothing happens. Page faults of ended children tell of every process that the host started. */
async function measureIdle({ machine, note }: Bench): Promise<void> {
  const host = machine.processes().find(({ args }) => / host --home /.test(args) && !args.startsWith("env"));
  if (host === undefined) throw new Error("no host");
  const hostBefore = costOf(host.pid);
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
  const { user, system } = process.cpuUsage(before);
  const hostAfter = costOf(host.pid);
  note("idle, 100 sessions: controller, % of a core", (user + system) / 1e4 / idleSeconds);
  note("idle, 100 sessions: host on the node, % of a core", ((hostAfter.cpuSeconds - hostBefore.cpuSeconds) * 100) / idleSeconds);
  note("idle, 100 sessions: page faults of processes the host started", hostAfter.childFaults - hostBefore.childFaults);
}

/** A result that is written while the link is cut: nobody hears of it, and the next link brings it. */
async function measureLostPush({ machine, note }: Bench, engine: BenchEngine, gates: readonly Gate[], size: number): Promise<void> {
  const gate = gates.at(-1);
  const isUp = (): boolean => engine.pool.nodes()[0]?.status.kind === "up";
  if (gate === undefined) throw new Error("no session is left");
  let times = 0;
  const stop = engine.onFacts((events) => {
    for (const { event } of events) {
      if (event.type === "wrapper-reported" && event.attempt === gate.attempt && event.fact.type === "attempt-ended") times++;
    }
  });
  machine.cut();
  await eventually("the fall of the link", () => !isUp());
  gate.open();
  const fell = performance.now();
  await eventually(`the result of ${gate.attempt}`, () => times > 0, 60_000);
  note(`cut link to the result that was written meanwhile, ${size} sessions, ms`, performance.now() - fell);
  note("results that came twice", times - 1);
  stop();
}

function outcomeOf(found: ReadonlyMap<string, readonly number[]>): Outcome {
  const values = (what: string): readonly number[] => found.get(what) ?? [];
  const of = (ours: string, theirs: string): number => median(ratios(values(ours), values(theirs)));
  const goals: Goal[] = sizes
    .slice(1)
    .flatMap((size) => [
      atMost(
        `${size} sessions: result to ledger, of the echo`,
        of(`result to ledger, ${size} sessions, median ms`, `echo beside ${size} sessions, ms`),
        5,
      ),
      atMost(
        `${size} sessions: result to ledger, of a poll each second`,
        of(`result to ledger, ${size} sessions, median ms`, `the same by a poll each second, ${size} sessions, ms`),
        1 / 100,
      ),
      atMost(`${size} sessions: p99 ms`, median(values(`result to ledger, ${size} sessions, p99 ms`)), 50),
    ]);
  goals.push(
    atMost(
      "reconcile after a cut, 100 sessions, of 8",
      of("cut link to the result that was written meanwhile, 100 sessions, ms", "cut link to the result that was written meanwhile, 8 sessions, ms"),
      1.5,
    ),
    atMost("list of 100 sessions alone, of 8", of("list of 100 sessions, ms", "list of 8 sessions, ms"), 1.5),
    atMost("idle, 100 sessions: controller, % of a core", median(values("idle, 100 sessions: controller, % of a core")), 1),
    atMost("idle, 100 sessions: host, % of a core", median(values("idle, 100 sessions: host on the node, % of a core")), 1),
    atMost("idle, 100 sessions: processes the host started", Math.max(...values("idle, 100 sessions: page faults of processes the host started")), 0),
    atMost("results that came twice", Math.max(...values("results that came twice")), 0),
  );
  return {
    rows: [...found].map(([what, row]) => ({ what, unit: "", values: row })),
    figures: Object.fromEntries([...found].map(([what, row]) => [what, median(row)])),
    goals,
    notes: [
      `real wrappers whose agents wait; ${results} of them end one after the other, and three reports of each are timed, from the wrapper's stamp to the listener of the engine, the ledger's fdatasync included.`,
      "a list of sessions reads three small files a session on the node and has no other cost, so it grows with them; what a person waits for after a cut is the whole reconcile, in which the list is little.",
      "the poll runs beside it over a connection of its own: one command a second that reads all results.",
    ],
  };
}
