import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { factoryPaths, tmuxSocketName } from "@dispatch/protocol";
import { eventually } from "./eventually.ts";
import { childrenOf, killHard, processesWith, type ShownProcess } from "./find-processes.ts";
import { type FollowedWorld, followWorld } from "./follow-world.ts";
import { DaemonGone, type RealDaemon, startDaemon } from "./real-daemon.ts";

const root = resolve(import.meta.dirname, "../..");

/** A spec and how the rehearsed agent plays it: steps of test/rehearsal for each attempt, the last ones repeat. */
export interface FactorySpec {
  id: string;
  dependsOn?: readonly string[];
  modifies?: readonly string[];
  creates?: readonly string[];
  attempts: readonly (readonly object[])[];
}

/** One line of the agents' own log. */
export interface AgentRun {
  attempt: string;
  round: number;
  pid: number;
  /** False while it runs, and for ever when it was killed. */
  ended: boolean;
}

/** A factory in a temp folder with a target repository, a local node and rehearsed agents; the daemon is a real child process. */
export interface RealFactory {
  /** Changes with `move`. */
  readonly dir: string;
  readonly origin: string;
  readonly hub: string;
  /** The home of the node, or of the first one. */
  readonly node: string;
  /** The homes of all nodes. */
  readonly nodes: readonly string[];
  readonly specs: readonly FactorySpec[];
  /** Folds what all the daemons of this factory say. */
  readonly followed: FollowedWorld;
  /** Starts a daemon and waits until it is up; undefined when it ended before (a crash point in its recovery). */
  up(crashAt?: string): Promise<RealDaemon | undefined>;
  /** Puts the factory's folder somewhere else, with all that is in it; later daemons run in this environment. Only while no daemon runs. */
  move(env: Readonly<Record<string, string>>): void;
  /** Puts more specs into the inbox; the daemon takes them in when it is asked to start the project again. */
  addSpecs(specs: readonly FactorySpec[]): void;
  /** The daemon that was started last. */
  daemon(): RealDaemon;
  /** Waits for facts; fails with DaemonGone when the daemon dies first. */
  until<T>(what: string, ask: () => T, deadlineMs?: number): Promise<Exclude<T, undefined | false>>;
  agentRuns(): AgentRun[];
  overlaps(): string[];
  /** Keeps an agent in its `waitStep(name)`; `verify` keeps the tests of every attempt, `verify-landing` those of what lands. */
  hold(name: string): void;
  release(name: string): void;
  /** The processes that came to wait there so far. */
  held(name: string): number[];
  hostPid(): number;
  hasHost(): boolean;
  /** Everything that runs for this factory, by its arguments and environment. */
  processes(): ShownProcess[];
  /** Undefined while no session is open. */
  tmuxPid(): number | undefined;
  /** Process of an attempt's wrapper, as the attempt itself reported it. */
  wrapperPid(attempt: string): number;
  /** Lets somebody else push a commit with this file to origin; once. */
  pushFromOutside(file: string): void;
  /** Lets somebody else push another version of the shared contract to origin; once. */
  pushContract(): void;
  /** What the node has told an attempt: the names of its notices. */
  noticesOf(attempt: string): string[];
  git(repository: string, ...args: string[]): string;
  /** Ends everything of the factory and keeps its files; gives what was left over that should not have been. */
  end(): Promise<readonly ShownProcess[]>;
  /** Ends everything of the factory and says what was left over that should not have been. */
  close(): Promise<void>;
}

export const project = "shop";

/** A step in which an agent waits as long as `hold(name)` is in force. */
export function waitStep(name: string): object {
  return { run: `echo $$ >> "$HOLDS/${name}.pids"; while [ -e "$HOLDS/${name}" ]; do sleep 0.05; done` };
}

export interface RealFactoryOptions {
  slots?: number;
  /** Runs of landings that go on at once. */
  gateSlots?: number;
  landing?: "continuous" | "on-collect";
  /** How long the tests of what lands wait before they begin. */
  landingSeconds?: number;
  /** Nodes behind SSH in place of the local one: their entries in nodes.json, their homes, and the daemon's environment. */
  far?: { entries: readonly object[]; homes: readonly string[]; env: Readonly<Record<string, string>> };
}

export function makeRealFactory(firstSpecs: readonly FactorySpec[], options: RealFactoryOptions = {}): RealFactory {
  const specs = [...firstSpecs];
  const home = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-crash-")));
  let dir = join(home, "factory");
  const origin = join(home, "origin.git");
  const holds = join(home, "holds");
  const agentLog = join(home, "agents.log");
  mkdirSync(holds);
  writeFileSync(agentLog, "");
  makeTarget(home, origin);
  const entries = options.far?.entries ?? [{ name: "local" }];
  layOutFactory({
    dir,
    home,
    holds,
    agentLog,
    specs,
    landing: options.landing ?? "continuous",
    landingSeconds: options.landingSeconds ?? 0,
    nodes: entries.map((entry) => ({ slots: options.slots ?? 3, gate_slots: options.gateSlots ?? 1, ...entry })),
  });
  const nodes = options.far?.homes ?? [join(dir, factoryPaths.localNode, "local")];
  const [node = ""] = nodes;
  const socket = tmuxSocketName(node);
  let environment: Readonly<Record<string, string>> = { XDG_CONFIG_HOME: home, ...options.far?.env };
  const followed = followWorld(project);
  const daemons: RealDaemon[] = [];
  let following: Promise<void> = Promise.resolve();
  let gone: Promise<never> = new Promise(() => {});

  function daemon(): RealDaemon {
    const last = daemons.at(-1);
    if (last === undefined) throw new Error("no daemon was started");
    return last;
  }

  async function end(): Promise<readonly ShownProcess[]> {
    for (const one of daemons) one.kill("SIGKILL");
    await Promise.all(daemons.map((one) => one.ended));
    endTmux(socket);
    // A host ends with its daemon; a wrapper only when its work is done or it is told to.
    const left = await leftovers(home);
    for (const seen of left) killHard(seen.pid);
    await eventually("the end of all processes", () => processesWith(home).length === 0);
    return left;
  }

  return {
    get dir() {
      return dir;
    },
    origin,
    get hub() {
      return join(dir, factoryPaths.hubs, `${project}.git`);
    },
    node,
    nodes,
    specs,
    followed,
    daemon,
    move(env) {
      environment = { ...environment, ...env };
      const to = join(home, `elsewhere-${daemons.length}`, "the-factory");
      mkdirSync(dirname(to), { recursive: true });
      renameSync(dir, to);
      dir = to;
    },
    addSpecs(more) {
      specs.push(...more);
      writeSpecs(dir, join(home, "scripts"), more);
    },
    async up(crashAt) {
      await following;
      const started = startDaemon(dir, environment, crashAt);
      daemons.push(started);
      if (!(await started.up)) return undefined;
      following = started.events(followed.lastSeq(), followed.take).catch((error: unknown) => {
        if (!(error instanceof DaemonGone)) throw error;
      });
      gone = following.then(() => {
        throw new DaemonGone("the daemon ended");
      });
      gone.catch(() => {});
      return started;
    },
    until: (what, ask, deadlineMs) => followed.until(what, ask, gone, deadlineMs),
    agentRuns: () => readRuns(agentLog),
    overlaps: () => linesOf(agentLog).filter((line) => line.startsWith("overlap ")),
    hold: (name) => writeFileSync(join(holds, name), ""),
    release: (name) => rmSync(join(holds, name), { force: true }),
    held: (name) => linesOf(join(holds, `${name}.pids`)).map(Number),
    hostPid: () => onlyOne(childrenOf(daemon().pid, " host --home ")),
    hasHost: () => childrenOf(daemon().pid, " host --home ").length > 0,
    processes: () => processesWith(home),
    tmuxPid: () => tmuxServer(socket),
    wrapperPid(attempt) {
      for (const { event } of followed.events()) {
        if (event.type === "wrapper-reported" && event.attempt === attempt && event.fact.type === "attempt-started") return event.fact.identity.pid;
      }
      throw new Error(`${attempt} has not begun`);
    },
    pushFromOutside: (file) => pushCommit(join(home, "lead"), file, "from outside\n"),
    pushContract: () => pushCommit(join(home, "lead"), contractFile, contractText("two lines")),
    noticesOf: (attempt) => namesIn(join(node, "attempts", attempt, "notices")),
    git: runGit,
    end,
    async close() {
      const left = await end();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
      if (left.length > 0) throw new Error(`processes were left: ${left.map((seen) => `${seen.pid} ${seen.args.slice(0, 200)}`).join("; ")}`);
    },
  };
}

function onlyOne(found: readonly ShownProcess[]): number {
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) throw new Error(`expected one process, found ${found.length}`);
  return only.pid;
}

/** What still runs after a fair time. */
async function leftovers(home: string): Promise<ReturnType<typeof processesWith>> {
  try {
    await eventually("the end of all processes", () => processesWith(home).length === 0, 10_000);
    return [];
  } catch {
    return processesWith(home);
  }
}

function tmuxServer(socket: string): number | undefined {
  try {
    const pid = execFileSync("tmux", ["-L", socket, "display-message", "-p", "#{pid}"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return Number(pid) || undefined;
  } catch {
    return undefined;
  }
}

function endTmux(socket: string): void {
  try {
    execFileSync("tmux", ["-L", socket, "kill-server"], { stdio: "ignore" });
  } catch {
    // No server: it ended with its last session.
  }
  rmSync(join(process.env["TMUX_TMPDIR"] ?? "/tmp", `tmux-${process.getuid?.() ?? 0}`, socket), { force: true });
}

function runGit(repository: string, ...args: string[]): string {
  return execFileSync("git", ["-C", repository, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

const identity = ["-c", "user.name=Lead", "-c", "user.email=lead@localhost"];

const runTests = `#!/bin/sh
# Runs every test of tests/ and prints TAP. As long as the file $1 (for a landing: $1-landing) exists, it waits before it begins.
hold=$1
HOLDS=$(dirname "$hold")
export HOLDS
case $PWD in */verify/*) hold=$1-landing; sleep "\${2:-0}" ;; esac
if [ -e "$hold" ]; then
  echo $$ >> "$hold.pids"
  while [ -e "$hold" ]; do sleep 0.05; done
fi
n=0
red=0
for test in tests/*.sh; do
  n=$((n + 1))
  if sh "$test"; then echo "ok $n - $test"; else echo "not ok $n - $test"; red=1; fi
done
echo "1..$n"
exit $red
`;

function makeTarget(home: string, origin: string): void {
  const lead = join(home, "lead");
  mkdirSync(join(lead, "tests"), { recursive: true });
  writeFileSync(join(lead, "run-tests.sh"), runTests);
  writeFileSync(join(lead, "shared.txt"), "the first line\n");
  writeFileSync(join(lead, contractFile), contractText("one line"));
  writeFileSync(join(lead, "tests/lines.sh"), 'test -s shared.txt && test -z "$(sort shared.txt | uniq -d)"\n');
  runGit(lead, "init", "-q", "-b", "main");
  runGit(lead, "add", "-A");
  runGit(lead, ...identity, "commit", "-q", "-m", "The shop");
  runGit(home, "clone", "-q", "--bare", lead, origin);
  runGit(lead, "remote", "add", "origin", origin);
}

const contractFile = "SHARED_CONTEXT.md";

function contractText(lines: string): string {
  return `# Shared contract\n\n## type Line\n\nEvery agent writes ${lines}.\n`;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function pushCommit(lead: string, file: string, text: string): void {
  if (existsSync(join(lead, file)) && readFileSync(join(lead, file), "utf8") === text) return;
  runGit(lead, "pull", "-q", "--ff-only", "origin", "main");
  writeFileSync(join(lead, file), text);
  runGit(lead, "add", "-A");
  runGit(lead, ...identity, "commit", "-q", "-m", `Add ${file} from outside`);
  runGit(lead, "push", "-q", "origin", "HEAD:main");
}

interface Layout {
  dir: string;
  home: string;
  holds: string;
  agentLog: string;
  specs: readonly FactorySpec[];
  landing: "continuous" | "on-collect";
  landingSeconds: number;
  /** The entries of nodes.json. */
  nodes: readonly object[];
}

function layOutFactory({ dir, home, holds, agentLog, specs, landing, landingSeconds, nodes }: Layout): void {
  const scripts = join(home, "scripts");
  for (const folder of [scripts, join(dir, factoryPaths.pendingSpecs), join(dir, factoryPaths.directions)]) mkdirSync(folder, { recursive: true });
  const hook = fileURLToPath(new URL("./log-agent-runs.mjs", import.meta.url));
  const agent = [process.execPath, "--import", hook, join(root, "test/rehearsal/rehearse.mjs"), "--fast", "--scripts", scripts];
  const config = {
    version: 1,
    projects: {
      [project]: {
        repo: origin(home),
        verify: `sh run-tests.sh ${join(holds, "verify")} ${landingSeconds}`,
        executor: "rehearsal",
        landing,
        contracts: [contractFile],
      },
    },
    executors: { rehearsal: { command: agent, prompt: "file", timeout_s: 120, env: { AGENT_LOG: agentLog, HOLDS: holds } } },
  };
  // JSON is YAML.
  writeFileSync(join(dir, factoryPaths.config), JSON.stringify(config));
  writeFileSync(join(dir, factoryPaths.nodes), JSON.stringify({ nodes }));
  writeSpecs(dir, scripts, specs);
}

function writeSpecs(dir: string, scripts: string, specs: readonly FactorySpec[]): void {
  for (const spec of specs) {
    writeFileSync(join(dir, factoryPaths.pendingSpecs, `${spec.id}.md`), specText(spec));
    writeFileSync(join(scripts, `${spec.id}.json`), JSON.stringify({ attempts: spec.attempts.map((steps) => ({ rounds: [{ steps }] })) }));
  }
}

function origin(home: string): string {
  return join(home, "origin.git");
}

function specText({ id, dependsOn = [], modifies = [], creates = [] }: FactorySpec): string {
  const paths = [...creates, ...modifies].map((path) => `\`${path}\``).join(", ");
  return `---
task_id: ${id}
project: ${project}
title: Write ${id}
type: feature
priority: 1
depends_on: ${JSON.stringify(dependsOn)}
modifies: ${JSON.stringify(modifies)}
creates: ${JSON.stringify(creates)}
estimate_min: 5
---

## Goal

Write the lines of ${id} into ${paths}.

## Acceptance

- [ ] the tests pass: \`sh run-tests.sh\` -> exit 0
- [ ] a missing line is refused: \`sh run-tests.sh\` -> exit 0

## Do not

- no other file
`;
}

function linesOf(file: string): string[] {
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
}

function readRuns(agentLog: string): AgentRun[] {
  const runs: AgentRun[] = [];
  for (const line of linesOf(agentLog)) {
    const [word, attempt = "", round, pid] = line.split(" ");
    if (word === "start") runs.push({ attempt, round: Number(round), pid: Number(pid), ended: false });
    const open = word === "end" ? runs.findLast((run) => run.pid === Number(pid) && run.attempt === attempt) : undefined;
    if (open !== undefined) open.ended = true;
  }
  return runs;
}
