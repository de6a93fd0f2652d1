import { setTimeout as delay } from "node:timers/promises";
import { makeBenchFactory, project, verifyCommand } from "./bench-factory.ts";
import { type Benchmark, median, type Outcome } from "./benchmark.ts";
import { type BoardTimes, boardTimes } from "./board-growth.ts";
import { tasksByHand } from "./git-by-hand.ts";
import { childrenOf, costOf } from "./process-cost.ts";

const tasks = 200;
const slots = 8;
const sample = 40;
const limitMs = 30 * 60_000;

interface Round {
  wall: number;
  handPerTask: number;
  controllerCpu: number;
  hostCpu: number;
  rss: number;
  peakRss: number;
}

async function oneRound(say: (line: string) => void): Promise<Round> {
  const factory = makeBenchFactory(slots);
  try {
    factory.writeSpecs(tasks);
    const before = await tasksByHand(factory.target, sample, slots, verifyCommand);
    const start = process.hrtime.bigint();
    factory.dispatch("start", project);
    try {
      const deadline = Date.now() + limitMs;
      let merged = 0;
      let told = 0;
      while (merged < tasks) {
        if (Date.now() > deadline) throw new Error(`${merged} of ${tasks} tasks landed within the limit`);
        await delay(1000);
        merged = await factory.merged();
        if (merged - told < tasks / 4) continue;
        told = merged;
        say(`  ${merged} of ${tasks} after ${(Number(process.hrtime.bigint() - start) / 1e9).toFixed(1)} s`);
      }
      const wall = Number(process.hrtime.bigint() - start) / 1e9;
      const pid = factory.daemonPid();
      const controller = costOf(pid);
      const hostCpu = childrenOf(pid).reduce((sum, child) => sum + costOf(child).cpuSeconds, 0);
      const after = await tasksByHand(factory.target, sample, slots, verifyCommand);
      const handPerTask = (before + after) / 2 / sample;
      return { wall, handPerTask, controllerCpu: controller.cpuSeconds, hostCpu, rss: controller.rssMiB, peakRss: controller.peakRssMiB };
    } finally {
      factory.dispatch("down", "--stop");
    }
  } finally {
    factory.remove();
  }
}

function asOutcome(rounds: readonly Round[], growth: readonly BoardTimes[]): Outcome {
  const each = (pick: (round: Round) => number) => rounds.map(pick);
  const rows = [
    { what: `${tasks} tasks on ${slots} slots, from start to the last on main`, unit: "s", values: each((round) => round.wall) },
    { what: "tasks on main", unit: "/s", values: each((round) => tasks / round.wall) },
    { what: "a task, wall", unit: "s", values: each((round) => round.wall / tasks) },
    { what: "  git, agent and verify by hand, as many at once", unit: "s", values: each((round) => round.handPerTask) },
    { what: "  overhead beyond them", unit: "s", values: each((round) => round.wall / tasks - round.handPerTask) },
    { what: "controller, processor time a task", unit: "ms", values: each((round) => (round.controllerCpu / tasks) * 1000) },
    { what: "worker host, processor time a task", unit: "ms", values: each((round) => (round.hostCpu / tasks) * 1000) },
    { what: "controller, memory at the end", unit: "MiB", values: each((round) => round.rss) },
    { what: "controller, most memory", unit: "MiB", values: each((round) => round.peakRss) },
    ...growth.flatMap(({ tasks: n, decideMs, statusMs }) => [
      { what: `a board made anew and one decision, ${n} tasks`, unit: "ms", values: decideMs },
      { what: `one status view, ${n} tasks`, unit: "ms", values: statusMs },
    ]),
  ];
  const middle = (pick: (round: Round) => number) => median(each(pick));
  return {
    rows,
    figures: {
      wallSeconds: middle((round) => round.wall),
      tasksPerSecond: middle((round) => tasks / round.wall),
      overheadSecondsPerTask: middle((round) => round.wall / tasks - round.handPerTask),
      byHandSecondsPerTask: middle((round) => round.handPerTask),
      controllerCpuMsPerTask: middle((round) => (round.controllerCpu / tasks) * 1000),
      hostCpuMsPerTask: middle((round) => (round.hostCpu / tasks) * 1000),
      controllerRssMiB: middle((round) => round.rss),
      controllerPeakRssMiB: middle((round) => round.peakRss),
      ...Object.fromEntries(
        growth.flatMap(({ tasks: n, decideMs, statusMs }) => [
          [`decideMs${n}`, median(decideMs)],
          [`statusMs${n}`, median(statusMs)],
        ]),
      ),
    },
    goals: [],
    notes: [
      "the issue names these figures and no goal for them.",
      "decisions and views are measured in this process, on boards at half time; they show what grows with the number of tasks.",
      `by hand is measured before and after the run, ${sample} tasks each: worktree, agent, verify and commit in ${slots} lanes, landing one by one.`,
    ],
  };
}

export const skeleton: Benchmark = {
  name: "skeleton",
  tells: `${tasks} specs of an agent that writes one file, ${slots} local slots, a real daemon`,
  rounds: 1,
  async measure(rounds, say) {
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      done.push(await oneRound(say));
    }
    return asOutcome(done, [boardTimes(200), boardTimes(1000), boardTimes(4000)]);
  },
};
