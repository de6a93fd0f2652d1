import { execFile, execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { plainConfig } from "@dispatch/fleet";
import { createRepositories } from "@dispatch/git";
import { makeJob, makePool, makeWorkerBundle, type PoolScene, pushBase } from "../../packages/fleet/src/testing/pool-scene.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";
import { atMost, type Benchmark, median, milliseconds, type Outcome, ratios } from "./benchmark.ts";

const run = promisify(execFile);
const transports = ["ssh2", "openssh"] as const;
const calls = 200;
const repositoryMegabytes = 200;

interface Bench {
  lab: SshLab;
  machine: SshMachine;
  workerBundle: string;
  base: string;
  /** Number of the last attempt. */
  n: number;
}

/** The links to nodes on a real sshd of this machine. */
export const links: Benchmark = {
  name: "links",
  tells: "connecting, calling, starting and relaying git over ssh2 and OpenSSH, against the ssh client",
  rounds: 5,
  async measure(rounds, say): Promise<Outcome> {
    const lab = makeSshLab();
    try {
      const machine = await lab.add("bench");
      const bench: Bench = { lab, machine, workerBundle: makeWorkerBundle(lab.dir), base: "", n: 0 };
      const first = await open(bench, "ssh2");
      await first.pool.prepareRepository("far", "demo");
      bench.base = pushBase(lab.dir, join(machine.home, ".dispatch/repos/demo.git"));
      await first.pool.close();
      const found = new Map<string, number[]>();
      const note = (what: string, value: number): void => void found.set(what, [...(found.get(what) ?? []), value]);
      for (let round = 1; round <= rounds; round++) {
        say(`round ${round} of ${rounds}`);
        note("ssh HOST true", await milliseconds(() => run("ssh", ["-F", lab.configFile, "bench", "true"])));
        note(
          "ssh HOST 'tmux new -d true'",
          await milliseconds(() => run("ssh", ["-F", lab.configFile, "bench", "tmux -L bench new-session -d true"])),
        );
        for (const transport of transports) await measureLink(bench, transport, note);
      }
      for (const transport of transports) await measureRelay(bench, transport, note);
      return outcomeOf(found);
    } finally {
      await lab.close();
    }
  },
};

async function open(bench: Bench, transport: (typeof transports)[number]): Promise<PoolScene> {
  const { lab, machine, workerBundle } = bench;
  const scene = makePool({
    nodes: [
      {
        id: "far",
        slots: 8,
        lowPriority: false,
        labels: [],
        executors: null,
        capacity: { cpus: null, memoryMb: null, gpus: 0 },
        ...plainConfig,
        ssh: { target: "bench", transport, hostKey: machine.hostKey(), workDir: "~/.dispatch" },
      },
    ],
    workerBundle,
    knownHostsDir: join(lab.dir, "known"),
    configFile: lab.configFile,
  });
  await scene.pool.open();
  return scene;
}

async function measureLink(bench: Bench, transport: (typeof transports)[number], note: (what: string, value: number) => void): Promise<void> {
  const began = performance.now();
  const scene = await open(bench, transport);
  note(`${transport}: until the node is up`, performance.now() - began);
  const up = (): boolean => scene.pool.nodes()[0]?.status.kind === "up";
  const trips: number[] = [];
  for (let n = 0; n < calls; n++) trips.push(await milliseconds(() => scene.pool.inventory("far")));
  note(`${transport}: a call`, median(trips));
  const job = makeJob(++bench.n, bench.base, "echo new > lib/new.js");
  const start = performance.now();
  const starting = scene.pool.startAttempt("far", job);
  await scene.until("the first event", () => scene.reports.some((report) => report.attempt === job.attempt));
  note(`${transport}: from start to the first event`, performance.now() - start);
  await starting;
  await scene.ended(job.attempt);
  bench.machine.cut();
  await scene.until("the fall", () => !up());
  const fell = performance.now();
  await scene.until("the return", up);
  note(`${transport}: from a cut to up again`, performance.now() - fell);
  await scene.pool.close();
}

/** While a repository is pushed, calls go on; what they take then is what a heartbeat would be late. */
async function measureRelay(bench: Bench, transport: (typeof transports)[number], note: (what: string, value: number) => void): Promise<void> {
  const source = join(bench.lab.dir, `source-${transport}`);
  mkdirSync(source);
  const git = (...args: string[]) => execFileSync("git", ["-C", source, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { stdio: "ignore" });
  execFileSync("dd", ["if=/dev/urandom", `of=${join(source, "noise")}`, "bs=1M", `count=${repositoryMegabytes}`], { stdio: "ignore" });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "much");
  const scene = await open(bench, transport);
  const repositories = createRepositories({ hubDir: join(bench.lab.dir, `hub-${transport}`), dial: scene.pool.dialRepository });
  const project = `big-${transport}`;
  const main = await repositories.openHub({ id: project, repo: source, branch: "main" });
  const url = await scene.pool.prepareRepository("far", project);
  const direct = join(bench.lab.dir, `direct-${transport}.git`);
  execFileSync("git", ["init", "-q", "--bare", direct]);
  note(
    `${transport}: ${repositoryMegabytes} MB pushed by path, without a link`,
    await milliseconds(() => repositories.sendCommit(project, main, direct)),
  );
  let pushing = true;
  const late: number[] = [];
  const ask = async (): Promise<void> => {
    while (pushing) late.push(await milliseconds(() => scene.pool.inventory("far")));
  };
  const asking = ask();
  const pushMs = await milliseconds(() => repositories.sendCommit(project, main, url)).finally(() => {
    pushing = false;
  });
  note(`${transport}: ${repositoryMegabytes} MB pushed through the link`, pushMs);
  await asking;
  for (let n = 0; n < 5; n++) {
    note(`${transport}: a commit that is there, sent again by path`, await milliseconds(() => repositories.sendCommit(project, main, direct)));
    note(`${transport}: a commit that is there, sent again through the link`, await milliseconds(() => repositories.sendCommit(project, main, url)));
  }
  note(`${transport}: a call meanwhile, median`, median(late));
  note(`${transport}: a call meanwhile, slowest`, Math.max(...late));
  await scene.pool.close();
}

function outcomeOf(found: ReadonlyMap<string, readonly number[]>): Outcome {
  const values = (what: string): readonly number[] => found.get(what) ?? [];
  const faster = median(ratios(values("ssh2: from start to the first event"), values("ssh HOST 'tmux new -d true'")));
  return {
    rows: [...found].map(([what, row]) => ({ what, unit: "ms", values: row })),
    figures: Object.fromEntries([...found].map(([what, row]) => [what, median(row)])),
    goals: [
      atMost("ssh2: start to first event, of a fresh ssh HOST 'tmux new -d'", faster, 1 / 15),
      atMost("slowest call during the relay over ssh2, ms", Math.max(...values("ssh2: a call meanwhile, slowest")), 5000),
    ],
    notes: [
      "the first event is that of a real wrapper: a Node.js process in tmux that has claimed the attempt durably; the ssh client's command only starts tmux",
    ],
  };
}
