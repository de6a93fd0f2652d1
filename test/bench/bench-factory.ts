import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { StoredEvent } from "@dispatch/core";
import { type Door, factoryPaths, type StatusView } from "@dispatch/protocol";
import { readLog } from "@dispatch/store";
import { parseDocument } from "yaml";

const root = resolve(import.meta.dirname, "../..");
export const cliMain = join(root, "packages/cli/dist/bundle/dispatch.js");
export const project = "bench";

/** What the agent writes into its file. */
export const writtenLine = "export const name = 1;";

/** What every task is verified with: it counts as one test that ran, and costs a shell. */
export const verifyCommand = "printf '1..1\\nok 1 - here\\n'";

export interface BenchFactory {
  dir: string;
  target: string;
  dispatch(...args: string[]): string;
  writeSpecs(n: number): void;
  /** How many tasks have landed, asked of the daemon. Throws when one waits for the lead. */
  merged(): Promise<number>;
  /** How many tasks are done and wait to land; asked and thrown alike. */
  queued(): Promise<number>;
  /** All that is stored; also while the daemon runs. */
  facts(): readonly StoredEvent[];
  hub: string;
  daemonPid(): number;
  remove(): void;
}

export interface BenchFactoryOptions {
  gateSlots?: number;
  landing?: "continuous" | "on-collect";
  /** In place of the verify command that only counts as one test. */
  verify?: string;
  /** Puts files beside those of the small repository. */
  fill?(target: string): void;
  /** For the commands and the daemon, beside the environment of this process. */
  env?: Readonly<Record<string, string>>;
}

function git(cwd: string, ...args: string[]): void {
  execFileSync("git", ["-c", "user.name=Bench", "-c", "user.email=bench@localhost", ...args], { cwd, stdio: "pipe" });
}

/** A factory in a temporary folder with a small repository, `slots` local slots, and an agent that writes one file and exits. */
export function makeBenchFactory(slots: number, options: BenchFactoryOptions = {}): BenchFactory {
  const { gateSlots = 1, landing = "continuous", verify = verifyCommand } = options;
  if (!existsSync(cliMain)) throw new Error("the built command is measured: run npm run build first");
  const home = mkdtempSync(join(tmpdir(), "dispatch-bench-"));
  const dir = join(home, "factory");
  const target = join(home, "target");
  const env = { ...process.env, ...options.env };
  const dispatch = (...args: string[]) => execFileSync(process.execPath, [cliMain, ...args], { cwd: dir, env, encoding: "utf8", stdio: "pipe" });
  mkdirSync(join(target, "src"), { recursive: true });
  writeFileSync(join(target, "README.md"), "# Target\n");
  options.fill?.(target);
  git(target, "init", "-q", "-b", "main");
  git(target, "add", "-A");
  git(target, "commit", "-q", "-m", "Begin");
  mkdirSync(dir);
  dispatch("init", ".");
  const config = parseDocument(readFileSync(join(dir, "dispatch.yaml"), "utf8"));
  // The prompt names the one path that may change; the agent writes it and exits.
  const script = `f=$(sed -n "s/^You may change only: \\(.*\\)[.]$/\\1/p" "$DISPATCH_PROMPT_FILE") && mkdir -p src && echo "${writtenLine}" > "$f"`;
  config.set("executors", { "one-file": { command: ["sh", "-c", script], prompt: "file", timeout_s: 60 } });
  writeFileSync(join(dir, "dispatch.yaml"), config.toString());
  writeFileSync(join(dir, "nodes.json"), `${JSON.stringify({ nodes: [{ name: "local", transport: "local", slots, gate_slots: gateSlots }] })}\n`);
  const policy = ["--landing", landing, "--verify", verify, "--executor", "one-file"];
  dispatch("project", "add", project, "--repo", "../target", "--branch", "main", ...policy);
  return {
    dir,
    target,
    hub: join(dir, factoryPaths.hubs, `${project}.git`),
    dispatch,
    writeSpecs(n) {
      const folder = join(dir, "specs", project);
      mkdirSync(folder, { recursive: true });
      for (let i = 1; i <= n; i++) writeFileSync(join(folder, `${specId(i)}.md`), specText(specId(i), verify));
    },
    merged: () => countTasks(dir, "merged"),
    queued: () => countTasks(dir, "queued"),
    facts: () => readLog(join(dir, factoryPaths.ledger)),
    daemonPid: () => doorOf(dir).pid,
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

async function countTasks(dir: string, state: "merged" | "queued"): Promise<number> {
  const { url, token } = doorOf(dir);
  const answer = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${token}` } });
  const { tasks } = (await answer.json()) as StatusView;
  const parked = tasks.find((task) => task.state === "parked");
  if (parked !== undefined) throw new Error(`${parked.id} is parked: ${parked.because}`);
  return tasks.filter((task) => task.state === state).length;
}

function doorOf(dir: string): Door {
  return JSON.parse(readFileSync(join(dir, factoryPaths.door), "utf8")) as Door;
}

function specId(i: number): string {
  return `S${String(i).padStart(4, "0")}-one-file`;
}

function specText(id: string, verify: string): string {
  return `---
task_id: ${id}
project: ${project}
title: One file for ${id}
type: feature
modifies: []
creates:
  - src/${id}.js
estimate_min: 1
---

## Goal

Add the file \`src/${id}.js\`, which exports the name of the task.

## Acceptance

- [ ] the file is there: \`${verify}\` -> exit 0

## Do not

- no other file
`;
}
