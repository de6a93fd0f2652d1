import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type ErrorView, factoryPaths, type HealthView, type StatusView, type TaskRow, type TaskView } from "@dispatch/protocol";
import { parseDocument } from "yaml";
import { expectNothingLeft } from "./leftovers.ts";
import { type Ran, runProgram } from "./run-program.ts";
import { until } from "./until.ts";
import { type SpecInput, specText } from "./write-spec.ts";

const root = resolve(import.meta.dirname, "../../..");
const cli = join(root, "packages/cli/dist/bundle/dispatch.js");
export const fixtures = join(root, "test/fixtures");

/** What `--json` printed. */
interface Told<T = unknown> extends Ran {
  value: T;
}

interface Answer {
  status: number;
  body: string;
}

/** One temp folder with a factory, shell scripts as agents, and the repositories of its projects. */
export interface Scene {
  root: string;
  factory: string;
  home: string;
  env: Record<string, string>;
  /** Runs the real command line in the factory. */
  dispatch(...args: string[]): Promise<Ran>;
  /** The same with --json; `value` is what it printed. */
  json<T = unknown>(...args: string[]): Promise<Told<T>>;
  /** The same, which must end with 0. */
  must<T = unknown>(...args: string[]): Promise<T>;
  git(folder: string, ...args: string[]): Promise<string>;
  /** Files of the factory. */
  read(path: string): string;
  write(path: string, text: string): void;
  /** Changes dispatch.yaml. */
  configure(path: readonly string[], value: unknown): void;
  /** Puts a spec into specs/pending (or another folder of the factory); returns its path. */
  spec(input: SpecInput, folder?: string): string;
  /** What the agent of a spec does: a shell script, run in the worktree. */
  answer(specId: string, script: string): void;
  /** Lets agents go on that call `hold NAME` in their answer. */
  release(name: string): void;
  /** Whether an agent has come to `hold NAME`. */
  reached(name: string): boolean;
  /** Makes a git repository with one commit of these files; returns its folder. */
  repository(name: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** Commits files in a repository of the scene. */
  commit(folder: string, files: Readonly<Record<string, string>>, subject: string): Promise<string>;
  status(): Promise<StatusView>;
  task(id: string): Promise<TaskView>;
  /** Waits until a task is in one of these states, and fails at once when it is over in another one. */
  untilTask(id: string, ...states: TaskRow["state"][]): Promise<TaskRow>;
  /** One request on the daemon's socket, with a JSON body or none. */
  ask(method: string, path: string, body?: object): Promise<Answer>;
  /** Pid of the daemon; undefined when none answers. */
  daemonPid(): Promise<number | undefined>;
  /** Ends daemon and sessions, proves that nothing is left running, removes the folder. */
  end(): Promise<void>;
}

interface SceneOptions {
  slots?: number;
  /** Name of the factory's folder in the scene. */
  factory?: string;
}

/** An agent as a person would write one: a shell script. The three differ in how the prompt reaches them. */
const agentBody = `
id=$(printf '%s\\n' "$prompt" | sed -n 's/^# Task \\([^ ]*\\) of .*/\\1/p' | head -n 1)
[ -n "$id" ] || { echo "no task in the prompt" >&2; exit 64; }
printf '%s\\n' "$prompt" > "$ANSWERS/$DISPATCH_ATTEMPT.$DISPATCH_ROUND.prompt"
echo "agent at work on $id"
hold() {
  : > "$ANSWERS/$1.reached"
  while [ ! -e "$ANSWERS/$1.open" ]; do sleep 0.05; done
}
. "$ANSWERS/$id.sh"
`;
const agents: Readonly<Record<string, { prompt: string; last: string[]; take: string }>> = {
  "by-file": { prompt: "file", last: ["{promptFile}"], take: 'prompt=$(cat "$1")' },
  "by-stdin": { prompt: "stdin", last: [], take: "prompt=$(cat)" },
  "by-argument": { prompt: "argument", last: ["{prompt}"], take: "prompt=$1" },
};

/** Makes a scene whose factory is fresh from `dispatch init`, with the three agents configured. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  if (!existsSync(cli)) throw new Error(`${cli} is not there: npm run build`);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-e2e-")));
  const at = (...parts: string[]): string => join(folder, ...parts);
  for (const name of ["home", "tmux", "answers", "agents"]) mkdirSync(at(name));
  const scene = createScene(folder, at(options.factory ?? "factory"));
  try {
    await furnish(scene, at, options.slots ?? 2);
    return scene;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function furnish(scene: Scene, at: (...parts: string[]) => string, slots: number): Promise<void> {
  for (const [name, { take }] of Object.entries(agents)) {
    writeFileSync(at("agents", `${name}.sh`), `#!/bin/sh\nset -eu\n${take}\n${agentBody}`);
    chmodSync(at("agents", `${name}.sh`), 0o755);
  }
  const { code, stderr } = await runProgram(process.execPath, [cli, "init", scene.factory], { cwd: scene.root, env: scene.env });
  if (code !== 0) throw new Error(`dispatch init ended with ${code}: ${stderr}`);
  for (const [name, { prompt, last }] of Object.entries(agents)) {
    const command = [at("agents", `${name}.sh`), ...last];
    scene.configure(["executors", name], { command, prompt, timeout_s: 120, env: { ANSWERS: at("answers") } });
  }
  scene.write(factoryPaths.nodes, `${JSON.stringify({ nodes: [{ name: "local", transport: "local", slots }] }, null, 2)}\n`);
}

function createScene(folder: string, factory: string): Scene {
  const home = join(folder, "home");
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    TMUX_TMPDIR: join(folder, "tmux"),
    GIT_CONFIG_NOSYSTEM: "1",
    NO_COLOR: "1",
    LANG: "C.UTF-8",
  };
  const dispatch = (...args: string[]): Promise<Ran> =>
    runProgram(process.execPath, [cli, ...args], { cwd: existsSync(factory) ? factory : folder, env });
  const scene: Scene = {
    root: folder,
    factory,
    home,
    env,
    dispatch,
    async json<T>(...args: string[]) {
      const ran = await dispatch(...args, "--json");
      return { ...ran, value: parse<T>(ran, args) };
    },
    async must<T>(...args: string[]) {
      const told = await scene.json<T>(...args);
      if (told.code !== 0) throw new Error(`dispatch ${args.join(" ")} ended with ${told.code}: ${told.stdout}${told.stderr}`);
      return told.value;
    },
    ...filesOf(folder, factory),
    ...gitOf(folder, env),
    ...daemonOf(factory),
    async end() {
      await dispatch("down", "--stop");
      try {
        await expectNothingLeft(home);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
  return scene;
}

function parse<T>(ran: Ran, args: readonly string[]): T {
  try {
    return JSON.parse(ran.stdout) as T;
  } catch {
    throw new Error(`dispatch ${args.join(" ")} --json printed no JSON (exit code ${ran.code}): ${ran.stdout}${ran.stderr}`);
  }
}

type FileActs = Pick<Scene, "read" | "write" | "configure" | "spec" | "answer" | "release" | "reached">;

function filesOf(folder: string, factory: string): FileActs {
  const answers = join(folder, "answers");
  const read = (path: string): string => readFileSync(join(factory, path), "utf8");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(factory, path)), { recursive: true });
    writeFileSync(join(factory, path), text);
  };
  return {
    read,
    write,
    configure(path, value) {
      const document = parseDocument(read(factoryPaths.config));
      if (value === undefined) document.deleteIn(path);
      else document.setIn(path, document.createNode(value));
      write(factoryPaths.config, document.toString());
    },
    spec(input, into = factoryPaths.pendingSpecs) {
      const path = `${into}/${input.id}.md`;
      write(path, specText(input));
      return path;
    },
    answer: (id, script) => writeFileSync(join(answers, `${id}.sh`), script),
    release: (name) => writeFileSync(join(answers, `${name}.open`), ""),
    reached: (name) => existsSync(join(answers, `${name}.reached`)),
  };
}

function gitOf(folder: string, env: Record<string, string>): Pick<Scene, "git" | "repository" | "commit"> {
  const person = ["-c", "user.name=Ada Author", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"];
  const git = async (cwd: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram("git", [...person, ...args], { cwd, env });
    if (code !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  const commit = async (cwd: string, files: Readonly<Record<string, string>>, subject: string): Promise<string> => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text, { mode: path.endsWith(".sh") ? 0o755 : 0o644 });
    }
    await git(cwd, "add", "-A");
    await git(cwd, "commit", "-q", "--allow-empty", "-m", subject);
    return git(cwd, "rev-parse", "HEAD");
  };
  return {
    git,
    commit,
    async repository(name, files) {
      const path = join(folder, name);
      mkdirSync(path);
      await git(path, "init", "-q");
      await commit(path, files, "The project as it is");
      return path;
    },
  };
}

type DaemonActs = Pick<Scene, "status" | "task" | "untilTask" | "ask" | "daemonPid">;

function daemonOf(factory: string): DaemonActs {
  const ask = (method: string, path: string, body?: object): Promise<Answer> =>
    requestOf({ socketPath: join(factory, factoryPaths.socket), method, path }, body);
  async function get<T>(path: string): Promise<T> {
    const { status, body } = await ask("GET", path);
    const value = JSON.parse(body) as T & Partial<ErrorView>;
    if (status >= 400) throw new Error(`GET ${path}: ${value.error?.code} ${value.error?.message}`);
    return value;
  }
  const status = (): Promise<StatusView> => get<StatusView>("/v1/status");
  const task = (id: string): Promise<TaskView> => get<TaskView>(`/v1/tasks/${id}`);
  return {
    ask,
    status,
    task,
    async untilTask(id, ...states) {
      let last = "unknown";
      const over: TaskRow["state"][] = ["merged", "parked", "cancelled"];
      const look = async (): Promise<TaskRow | undefined> => {
        const row = (await status()).tasks.find((candidate) => candidate.id === id);
        last = row === undefined ? "unknown" : `${row.state}: ${row.because}`;
        if (row !== undefined && states.includes(row.state)) return row;
        if (row !== undefined && over.includes(row.state)) {
          const { state } = (await task(id)).task;
          const found =
            state.kind === "parked" ? state.because.findings.map((finding) => `${finding.gate} ${finding.path ?? ""} ${finding.found}`) : [];
          throw new Error(`${id} is over as ${last}; expected ${states.join(" or ")}: ${found.join(" | ")}`);
        }
        return undefined;
      };
      return until(`${id} is ${states.join(" or ")}`, look).catch((error: unknown) => {
        throw new Error(`${error instanceof Error ? error.message : String(error)}; it is ${last}`);
      });
    },
    async daemonPid() {
      try {
        return (await get<HealthView>("/v1/health")).pid;
      } catch {
        return undefined;
      }
    },
  };
}

/** One HTTP request; rejects when nobody answers. */
export function requestOf(options: RequestOptions, send?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.once("error", reject);
    call.end(send === undefined ? undefined : JSON.stringify(send));
  });
}
