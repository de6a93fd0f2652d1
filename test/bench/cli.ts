import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { cliMain, makeBenchFactory } from "./bench-factory.ts";
import { atMost, type Benchmark, median, milliseconds, type Outcome, ratios } from "./benchmark.ts";

const tasks = 20;

/** Wall time of a program that has to end well. */
function wall(cwd: string, ...args: string[]): Promise<number> {
  return milliseconds(() => {
    const { status, stderr } = spawnSync(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
    if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  });
}

async function measureRounds(dir: string, rounds: number): Promise<Outcome> {
  const node: number[] = [];
  const help: number[] = [];
  const status: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const measured = [await wall(dir, "-e", "0"), await wall(dir, cliMain, "--help"), await wall(dir, cliMain, "status")] as const;
    if (round === 0) continue;
    node.push(measured[0]);
    help.push(measured[1]);
    status.push(measured[2]);
  }
  return {
    rows: [
      { what: "node -e 0", unit: "ms", values: node },
      { what: "dispatch --help", unit: "ms", values: help },
      { what: "  / node -e 0", unit: "x", values: ratios(help, node) },
      { what: `dispatch status (daemon runs, ${tasks} tasks)`, unit: "ms", values: status },
      { what: "  / node -e 0", unit: "x", values: ratios(status, node) },
    ],
    figures: { nodeMs: median(node), helpMs: median(help), statusMs: median(status) },
    goals: [atMost("dispatch --help, ms", median(help), 150), atMost("dispatch status with a running daemon, ms", median(status), 200)],
    notes: ["the built command is measured; the first round, which fills the page cache, is not counted."],
  };
}

export const cli: Benchmark = {
  name: "cli",
  tells: "wall time of dispatch --help and dispatch status",
  rounds: 15,
  async measure(rounds) {
    const factory = makeBenchFactory(2);
    try {
      factory.writeSpecs(tasks);
      factory.dispatch("start", "bench");
      try {
        // Quiet: what is measured is the command, not its rivals for the processor.
        const deadline = Date.now() + 300_000;
        while ((await factory.merged()) < tasks) {
          if (Date.now() > deadline) throw new Error("the tasks did not end");
          await delay(500);
        }
        return await measureRounds(factory.dir, rounds);
      } finally {
        factory.dispatch("down", "--stop");
      }
    } finally {
      factory.remove();
    }
  },
};
