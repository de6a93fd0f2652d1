import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeWorkerBundle } from "../../packages/fleet/src/testing/pool-scene.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";
import { type BenchEngine, type BenchTask, openBenchEngine } from "./bench-engine.ts";
import { atMost, type Benchmark, type Goal, median, milliseconds, type Outcome, ratios } from "./benchmark.ts";
import { ensureProgram } from "./ensure-program.ts";
import { closeMaster, giveBase, openMaster, sshNode } from "./fleet-lab.ts";
import { clientCpuMs, runMake, runParallel, runSnakemake, runXargs } from "./fleet-peers.ts";
import { layeredPlan } from "./layered-plan.ts";
import { linkCpuMs } from "./link-cost.ts";

const slots = 8;
const machineCount = 4;
const allSlots = slots * machineCount;
const sleepSeconds = 0.5;
const width = 25;

interface Bench {
  lab: SshLab;
  machines: readonly SshMachine[];
  workerBundle: string;
  base: string;
  tasks: number;
  found: Map<string, number[]>;
  /** Number of the last run, which keeps the names of tasks apart. */
  runs: number;
}

/** Work through the product's engine, ledger, links, hosts, tmux and wrappers against the tools that people use for it. */
export const fleetThroughput: Benchmark = {
  name: "fleet-throughput",
  tells: "1,000 commands, 1,024 sleeps and a plan of 1,000 tasks on 4 nodes of 8 slots over ssh, against parallel, xargs, snakemake and make",
  rounds: 1,
  async measure(rounds, say, tasks = 1000): Promise<Outcome> {
    const versions = [
      ensureProgram("parallel", "parallel", say).split("\n")[0] ?? "",
      `snakemake ${ensureProgram("snakemake", "snakemake", say)}`,
      ensureProgram("make", "make", say).split("\n")[0] ?? "",
    ];
    const lab = makeSshLab();
    try {
      const machines: SshMachine[] = [];
      for (let n = 1; n <= machineCount; n++) machines.push(await lab.add(`n${n}`, { sshd: ["MaxSessions 1000", "MaxStartups 1000"] }));
      machines.push(await lab.add("stock", { sshd: ["MaxSessions 10"] }), await lab.add("wide", { sshd: ["MaxSessions 1000"] }));
      const workerBundle = makeWorkerBundle(lab.dir);
      const base = await giveBase(lab, workerBundle, ...machines);
      const bench: Bench = { lab, machines, workerBundle, base, tasks, found: new Map(), runs: 0 };
      for (let round = 1; round <= rounds; round++) await measureRound(bench, (line) => say(`round ${round} of ${rounds}: ${line}`));
      return outcomeOf(bench, versions);
    } finally {
      await lab.close();
    }
  },
};

async function measureRound(bench: Bench, say: (line: string) => void): Promise<void> {
  const { lab, tasks } = bench;
  const fleet = bench.machines.slice(0, machineCount);
  const note = (what: string, value: number): void => void bench.found.set(what, [...(bench.found.get(what) ?? []), value]);
  const sleeps = Math.round((tasks * 1.024) / allSlots) * allSlots;
  const socket = join(lab.dir, "m-%n");
  const sshCommand = `ssh -F ${lab.configFile} -o ControlPath=${socket}`;
  for (const { name } of fleet) await openMaster(lab, name, socket);
  say("the same command many times");
  note("true: parallel -M, ms a task", (await runParallel(lab, fleet, slots, tasks, "true")) / tasks);
  note("true: xargs + ControlMaster, ms a task", (await runXargs(fleet, slots, tasks, sshCommand, "true")) / tasks);
  await withEngine(bench, fleet, "ssh2", async (engine) => {
    const cpu = process.cpuUsage();
    note("true: dispatch, ms a task", (await milliseconds(() => engine.run(plain(bench, tasks, ["true"])))) / tasks);
    const { user, system } = process.cpuUsage(cpu);
    note("controller, processor time a whole task, ms", (user + system) / 1000 / tasks);
  });
  const links = { ...bench, nodes: fleet.map((machine) => sshNode(machine, "ssh2", { slots })), from: ++bench.runs * 100_000 };
  note("link, processor time of a start and its reports, ms", await linkCpuMs(links, Math.max(allSlots, Math.round(tasks / 4))));
  note("ssh through ControlMaster, processor time a call, ms", await clientCpuMs(sshCommand, "n1", 50));
  say("sleeps");
  const sleep = `sleep ${sleepSeconds}`;
  note("sleep: parallel -M / bound", (await runParallel(lab, fleet, slots, sleeps, sleep)) / boundMs(sleeps));
  note("sleep: xargs + ControlMaster / bound", (await runXargs(fleet, slots, sleeps, sshCommand, sleep)) / boundMs(sleeps));
  await withEngine(bench, fleet, "ssh2", async (engine) => {
    note("sleep: dispatch / bound", (await milliseconds(() => engine.run(plain(bench, sleeps, sleep.split(" "))))) / boundMs(sleeps));
  });
  for (const { name } of fleet) await closeMaster(lab, name, socket);
  say("a plan in layers");
  await measurePlan(bench, fleet, note);
  say("one node, stock sshd");
  await measureStock(bench, note);
}

function boundMs(sleeps: number): number {
  return Math.ceil(sleeps / allSlots) * sleepSeconds * 1000;
}

async function withEngine(
  bench: Bench,
  machines: readonly SshMachine[],
  transport: "ssh2" | "openssh",
  act: (engine: BenchEngine) => Promise<void>,
  each = slots,
): Promise<void> {
  const { lab, workerBundle, base } = bench;
  const engine = await openBenchEngine({ lab, workerBundle, base, nodes: machines.map((machine) => sshNode(machine, transport, { slots: each })) });
  try {
    await act(engine);
  } finally {
    await engine.close();
  }
}

function plain(bench: Bench, count: number, command: readonly string[]): BenchTask[] {
  const run = ++bench.runs;
  return Array.from({ length: count }, (_, n) => ({ id: `R${run}-t${n}`, command }));
}

async function measurePlan(bench: Bench, fleet: readonly SshMachine[], note: (what: string, value: number) => void): Promise<void> {
  const run = ++bench.runs;
  const plan = layeredPlan(bench.tasks, width, `R${run}n`);
  const out = join(bench.lab.dir, `plan-${run}`);
  mkdirSync(out);
  note("plan: make, s", (await runMake(join(bench.lab.dir, `make-${run}`), plan, allSlots)) / 1000);
  note("plan: snakemake, s", (await runSnakemake(join(bench.lab.dir, `snakemake-${run}`), plan, allSlots)) / 1000);
  await withEngine(bench, fleet, "ssh2", async (engine) => {
    const tasks = plan.map(({ id, dependsOn }) => ({
      id: `${id}-x`,
      dependsOn: dependsOn.map((name) => `${name}-x`),
      command: ["touch", join(out, id)],
    }));
    note("plan: dispatch, s", (await milliseconds(() => engine.run(tasks))) / 1000);
  });
  const made = readdirSync(out).length;
  if (made !== bench.tasks) throw new Error(`the plan made ${made} of ${bench.tasks} files`);
}

/** As many sessions at once on one node as sshd would allow channels of three connections; then the same with a cut in the middle. */
async function measureStock(bench: Bench, note: (what: string, value: number) => void): Promise<void> {
  const [stock, wide] = bench.machines.slice(machineCount);
  if (stock === undefined || wide === undefined) throw new Error("no machine");
  const count = Math.max(allSlots * 2, Math.round(bench.tasks / 8));
  for (const machine of [wide, stock]) {
    await withEngine(
      bench,
      [machine],
      "ssh2",
      async (engine) => {
        note(
          `${allSlots} at once on one node, ${machine.name}, s`,
          (await milliseconds(() => engine.run(plain(bench, count, ["sleep", "0.5"])))) / 1000,
        );
        note(`failed attempts, ${machine.name}`, engine.engine.world.attempts.size - count);
      },
      allSlots,
    );
  }
  const log = join(bench.lab.dir, `once-${++bench.runs}`);
  await withEngine(
    bench,
    [stock],
    "ssh2",
    async (engine) => {
      let ended = 0;
      let cuts = 0;
      engine.onFacts((events) => {
        for (const { event } of events) if (event.type === "wrapper-reported" && event.fact.type === "attempt-ended") ended++;
        // Three cuts, while about a quarter, a half and three quarters are done.
        if (ended < (count * (cuts + 1)) / 4 || cuts === 3) return;
        cuts++;
        stock.cut();
      });
      await engine.run(plain(bench, count, ["sh", "-c", `sleep 0.2; echo "$DISPATCH_ATTEMPT" >> ${log}`]));
      const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
      note("cut three times: tasks that ran twice", lines.length - new Set(lines).size + (engine.engine.world.attempts.size - count));
      note("cut three times: tasks lost", count - new Set(lines.map((line) => line.replace(/--\d+$/, ""))).size);
      note("cut three times: links that were cut", cuts);
    },
    allSlots,
  );
}

function outcomeOf({ found, tasks }: Bench, versions: readonly string[]): Outcome {
  const values = (what: string): readonly number[] => found.get(what) ?? [];
  const of = (ours: string, theirs: string): number => median(ratios(values(ours), values(theirs)));
  const dispatch = "true: dispatch, ms a task";
  const goals: Goal[] = [
    atMost("1: true, of parallel -M", of(dispatch, "true: parallel -M, ms a task"), 0.3),
    atMost("1: true, of xargs + ControlMaster", of(dispatch, "true: xargs + ControlMaster, ms a task"), 1.1),
    atMost("2: slots used by sleeps, of the bound", median(values("sleep: dispatch / bound")), 1.06),
    atMost("3: plan, of snakemake", of("plan: dispatch, s", "plan: snakemake, s"), 0.6),
    atMost("3: plan, of make", of("plan: dispatch, s", "plan: make, s"), 3),
    atMost(
      `7: ${allSlots} at once, MaxSessions 10 of 1000`,
      of(`${allSlots} at once on one node, stock, s`, `${allSlots} at once on one node, wide, s`),
      1.05,
    ),
    atMost("7: failed attempts with MaxSessions 10", Math.max(...values("failed attempts, stock")), 0),
    atMost("7: cut links, tasks that ran twice", Math.max(...values("cut three times: tasks that ran twice")), 0),
    atMost("7: cut links, tasks lost", Math.max(...values("cut three times: tasks lost")), 0),
    atMost(
      "link's processor time for a start and its reports, of ssh through ControlMaster",
      of("link, processor time of a start and its reports, ms", "ssh through ControlMaster, processor time a call, ms"),
      0.2,
    ),
  ];
  return {
    rows: [...found].map(([what, row]) => ({ what, unit: "", values: row })),
    figures: Object.fromEntries([...found].map(([what, row]) => [what, median(row)])),
    goals,
    notes: [
      `${tasks} tasks; ${versions.join("; ")}.`,
      "git is off on the controller's side: it pushes, fetches, builds and tests nothing, and worktrees are not removed. The wrapper's own git is on, in a repository of one file: worktree, tree, commit, about twenty processes a task.",
      "goals 1 to 3: each task here is a session of tmux with a Node.js process of its own, which alone takes longer to start than the goals leave for a task; the prototypes they come from had a shell there. The peers run a bare command.",
      "a whole task is placing, starting, five reports, collecting and landing, about a dozen facts, each on disk before the next; a start and its reports are what the ssh client does too, which tells only the exit code.",
    ],
  };
}
