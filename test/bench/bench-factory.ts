import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Door, factoryPaths, type StatusView } from "@dispatch/protocol";
import { parseDocument } from "yaml";

const root = resolve(import.meta.dirname, "../..");
export const cliMain = join(root, "packages/cli/dist/bundle/dispatch.js");
export const project = "bench";

/** What every task is verified with: it counts as one test that ran, and costs a shell. */
export const verifyCommand = "printf '1..1\\nok 1 - here\\n'";

export interface BenchFactory {
  dir: string;
  target: string;
  dispatch(...args: string[]): string;
  writeSpecs(n: number): void;
  /** How many tasks have landed, asked of the daemon. Throws when one waits for the lead. */
  merged(): Promise<number>;
  daemonPid(): number;
  remove(): void;
}

function git(cwd: string, ...args: string[]): void {
  execFileSync("git", ["-c", "user.name=Bench", "-c", "user.email=bench@localhost", ...args], { cwd, stdio: "pipe" });
}

/** A factory in a temporary folder with a small repository, `slots` local slots, and an agent that writes one file and exits. */
export function makeBenchFactory(slots: number): BenchFactory {
  if (!existsSync(cliMain)) throw new Error("the built command is measured: run npm run build first");
  const home = mkdtempSync(join(tmpdir(), "dispatch-bench-"));
  const dir = join(home, "factory");
  const target = join(home, "target");
  const dispatch = (...args: string[]) => execFileSync(process.execPath, [cliMain, ...args], { cwd: dir, encoding: "utf8", stdio: "pipe" });
  mkdirSync(join(target, "src"), { recursive: true });
  writeFileSync(join(target, "README.md"), "# Target\n");
  git(target, "init", "-q", "-b", "main");
  git(target, "add", "-A");
  git(target, "commit", "-q", "-m", "Begin");
  mkdirSync(dir);
  dispatch("init", ".");
  const config = parseDocument(readFileSync(join(dir, "dispatch.yaml"), "utf8"));
  // The prompt names the one path that may change; the agent writes it and exits.
  const script =
    'f=$(sed -n "s/^You may change only: \\(.*\\)[.]$/\\1/p" "$DISPATCH_PROMPT_FILE") && mkdir -p src && echo "export const name = 1;" > "$f"';
  config.set("executors", { "one-file": { command: ["sh", "-c", script], prompt: "file", timeout_s: 60 } });
  writeFileSync(join(dir, "dispatch.yaml"), config.toString());
  writeFileSync(join(dir, "nodes.json"), `${JSON.stringify({ nodes: [{ name: "local", transport: "local", slots }] })}\n`);
  dispatch("project", "add", project, "--repo", "../target", "--branch", "main", "--verify", verifyCommand, "--executor", "one-file");
  return {
    dir,
    target,
    dispatch,
    writeSpecs(n) {
      const folder = join(dir, "specs", project);
      mkdirSync(folder, { recursive: true });
      for (let i = 1; i <= n; i++) writeFileSync(join(folder, `${specId(i)}.md`), specText(specId(i)));
    },
    async merged() {
      const { url, token } = doorOf(dir);
      const answer = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${token}` } });
      const { tasks } = (await answer.json()) as StatusView;
      const parked = tasks.find((task) => task.state === "parked");
      if (parked !== undefined) throw new Error(`${parked.id} is parked: ${parked.because}`);
      return tasks.filter((task) => task.state === "merged").length;
    },
    daemonPid: () => doorOf(dir).pid,
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

function doorOf(dir: string): Door {
  return JSON.parse(readFileSync(join(dir, factoryPaths.door), "utf8")) as Door;
}

function specId(i: number): string {
  return `S${String(i).padStart(4, "0")}-one-file`;
}

function specText(id: string): string {
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

- [ ] the file is there: \`${verifyCommand}\` -> exit 0

## Do not

- no other file
`;
}
