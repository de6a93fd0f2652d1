import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type AttemptJob, defaultGatePolicy, laterSpecFields, noLimits, type TaskSpec, type VerifyCommand } from "@dispatch/core";
import { tmuxSocketName } from "@dispatch/protocol";
import { send } from "../process/end-processes.ts";
import { removeGroup } from "../process/limit/attempt-group.ts";
import { startOf } from "../process/list-processes.ts";
import { connectHost, type HostClient } from "./host-client.ts";

/** A node's home in a temp folder, with a project in its repository, the real bundle and real sessions. */
export interface TestNode {
  home: string;
  bundle: string;
  socket: string;
  base: string;
  host(): Promise<HostClient>;
  git(...args: string[]): string;
  job(change?: Partial<Omit<AttemptJob, "spec">> & { spec?: Partial<TaskSpec>; script?: string; n?: number }): AttemptJob;
  read(path: string): string;
  processesOf(word: string): number[];
  /** Ends the tmux server there is; a host that lives may start another one at once. */
  endTmux(): Promise<void>;
  close(): Promise<void>;
}

export const files = { "README.md": "a project\n", "lib/value.js": "export const value = 1;\n", ".gitignore": "ignored/\n*.log\n" };

/** What every node of this process begins with: made once by a real host and a real push. */
let made: { base: string; files: readonly TreeFile[] } | undefined;
let program: Buffer | undefined;

export function workerProgram(dir: string): Buffer {
  if (program === undefined) {
    const file = join(dir, "first.mjs");
    execFileSync(process.execPath, [fileURLToPath(new URL("../../bundle.mjs", import.meta.url)), file]);
    program = readFileSync(file);
    rmSync(file);
  }
  return program;
}

interface TreeFile {
  path: string;
  /** Undefined for a folder. */
  content: Buffer | undefined;
}

function readTree(dir: string): TreeFile[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).map((entry) => {
    const full = join(entry.parentPath, entry.name);
    return { path: relative(dir, full), content: entry.isDirectory() ? undefined : readFileSync(full) };
  });
}

function writeTree(dir: string, tree: readonly TreeFile[]): void {
  for (const { path, content } of tree) {
    const full = join(dir, path);
    mkdirSync(content === undefined ? full : dirname(full), { recursive: true });
    if (content !== undefined) writeFileSync(full, content);
  }
}

/** `prepare` may put something under the home before it is used. */
export async function makeNode(prepare: (home: string) => void = () => {}): Promise<TestNode> {
  // Spaces and letters beyond ASCII everywhere, always.
  const root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch wörker-")));
  const home = join(root, "home of nöde");
  const bundle = join(root, "wörker bundle.mjs");
  writeFileSync(bundle, workerProgram(root));
  mkdirSync(home);
  prepare(home);
  const socket = tmuxSocketName(home);
  const clients: HostClient[] = [];
  const repository = join(home, "repos", "demo.git");
  const git = (...args: string[]) =>
    execFileSync("git", ["--git-dir", repository, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const host = async () => {
    const client = connectHost(bundle, home);
    clients.push(client);
    return client;
  };
  if (made === undefined) {
    const first = await host();
    await first.call("hello", { cursors: {} });
    await first.call("ensureRepo", { project: "demo" });
    await first.end();
    made = { base: pushBase(root, repository), files: readTree(repository) };
  } else {
    writeTree(repository, made.files);
  }
  const { base } = made;
  return {
    home,
    bundle,
    socket,
    base,
    host,
    git,
    job: (change) => makeJob(base, change ?? {}),
    read: (path) => readFileSync(join(home, path), "utf8"),
    processesOf,
    async endTmux() {
      const pid = Number(execFileSync("tmux", ["-L", socket, "display-message", "-p", "#{pid}"], { encoding: "utf8" }));
      spawnSync("tmux", ["-L", socket, "kill-server"]);
      await eventually(() => startOf(pid) === undefined);
    },
    async close() {
      for (const client of clients) if (client.child.exitCode === null && client.child.signalCode === null) await client.end();
      spawnSync("tmux", ["-L", socket, "kill-server"], { stdio: "ignore" });
      rmSync(join(process.env["TMUX_TMPDIR"] ?? "/tmp", `tmux-${process.getuid?.()}`, socket), { force: true });
      // A wrapper survives its tmux server by design.
      for (const pid of processesOf(home)) send(pid, "SIGKILL");
      removeGroups(home);
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What a wrapper that was killed could not remove. */
function removeGroups(home: string): void {
  const attempts = join(home, "attempts");
  for (const name of existsSync(attempts) ? readdirSync(attempts) : []) {
    const note = join(attempts, name, "group.json");
    if (existsSync(note)) removeGroup(JSON.parse(readFileSync(note, "utf8")).folder);
  }
}

function pushBase(root: string, repository: string): string {
  const source = join(root, "source");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), content);
  }
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", source, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { encoding: "utf8" }).trim();
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "base");
  const base = git("rev-parse", "HEAD");
  git("push", "-q", repository, `HEAD:refs/dispatch/base/${base}`);
  return base;
}

export function verify(run: string, change: Partial<VerifyCommand> = {}): VerifyCommand {
  return { run, cwd: ".", timeoutSeconds: 20, env: {}, ...change };
}

/** A job whose agent is `sh -c script`. */
function makeJob(base: string, change: Partial<Omit<AttemptJob, "spec">> & { spec?: Partial<TaskSpec>; script?: string; n?: number }): AttemptJob {
  const { script = "echo 'export const value = 2;' > lib/value.js", n = 1, spec: specChange, ...rest } = change;
  const spec: TaskSpec = {
    id: "S01-value",
    project: "demo",
    title: "Raise the value",
    type: "chore",
    priority: 1,
    dependsOn: [],
    after: [],
    modifies: ["lib"],
    creates: [],
    deletes: [],
    forbids: [],
    reads: [],
    verify: [],
    executor: "script",
    estimateMinutes: 1,
    timeoutMinutes: 1,
    attempts: 1,
    allowEmpty: false,
    commit: "feat: raise the value",
    goal: "The value is 2.",
    labels: [],
    ...laterSpecFields,
    ...specChange,
  };
  return {
    attempt: `demo--S01-value--${n}`,
    project: "demo",
    specId: spec.id,
    n,
    branch: `dispatch/S01-value/${n}`,
    base,
    token: `token-${n}-${Math.random().toString(36).slice(2)}`,
    spec,
    specText: "# Raise the value\n",
    specDigest: "sha256:abc",
    prompt: "Make the value 2.",
    executor: { name: "script", command: ["sh", "-c", script], prompt: "file", timeoutSeconds: 30, env: {} },
    verify: [verify("echo verified")],
    gates: defaultGatePolicy,
    maxRounds: 3,
    limits: noLimits,
    commitSubject: spec.commit,
    ...rest,
  };
}

/** Living processes whose command line or environment holds a word. */
function processesOf(word: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        if (/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))) return false;
        return readFileSync(`/proc/${pid}/cmdline`).includes(word) || readFileSync(`/proc/${pid}/environ`).includes(word);
      } catch {
        return false;
      }
    });
}

/** Waits for something outside of a host's messages. */
export async function eventually<T>(what: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  let pause = 0;
  for (let spent = 0; spent < 20_000; spent += pause) {
    const asked = performance.now();
    const value = await what();
    if (value !== undefined && value !== false) return value;
    // Asking may cost more than what is waited for, such as a look at all processes.
    pause = Math.max(20, 4 * (performance.now() - asked));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error("waited in vain");
}
