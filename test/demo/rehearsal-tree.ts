import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DemoSpec, fixtureFolder, rehearsalProgram, scriptFolder } from "./read-specs.ts";

export interface Ran {
  status: number;
  output: string;
}

/** The target service in a repository of its own, on which specs are played without a factory. */
export interface RehearsalTree {
  folder: string;
  /** Plays one round of a spec and leaves its edits uncommitted. */
  playRound(spec: DemoSpec, round: number): Promise<Ran>;
  run(command: string): Promise<Ran>;
  /** What `./run.sh test` runs, in one process in place of one for each file: the same tests, several times as fast. */
  runTests(): Promise<Ran>;
  /** Repository-relative paths that differ from the last commit. */
  changedPaths(): Promise<string[]>;
  addedLines(): Promise<string[]>;
  commitAll(subject: string): Promise<void>;
  /** Object id of the committed tree. */
  treeId(): Promise<string>;
  /** Another one with the same files and history. */
  copy(): Promise<RehearsalTree>;
  remove(): Promise<void>;
}

const runner = `
import { readdirSync } from "node:fs";
import test from "node:test";
import { pathToFileURL } from "node:url";
const files = readdirSync("tests", { recursive: true }).filter((name) => name.endsWith(".test.js")).sort();
for (const file of files) {
  try {
    await import(pathToFileURL("tests/" + file).href);
  } catch (error) {
    test(file, () => Promise.reject(error));
  }
}
`;

/** Copies the fixture to a temporary folder and commits it. */
export async function createRehearsalTree(): Promise<RehearsalTree> {
  const tree = await openTree(fixtureFolder);
  const { status, output } = await tree.run("git init -q -b main");
  if (status !== 0) throw new Error(output);
  await tree.commitAll("chore: the service as it is");
  return tree;
}

async function openTree(from: string): Promise<RehearsalTree> {
  const root = await mkdtemp(join(tmpdir(), "demo-scripts-"));
  const folder = join(root, "posts-api");
  await cp(from, folder, { recursive: true });
  const prompt = join(root, "prompt.md");
  await writeFile(prompt, "rehearse\n");

  const env = { PATH: process.env["PATH"] ?? "", HOME: root, GIT_CONFIG_NOSYSTEM: "1" };
  const start = (program: string, args: readonly string[], more: Record<string, string> = {}): Promise<Ran> =>
    new Promise((resolve) => {
      execFile(program, [...args], { cwd: folder, env: { ...env, ...more }, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : 255, output: stdout + stderr });
      });
    });
  const git = async (...args: string[]): Promise<string> => {
    const { status, output } = await start("git", [
      "-c",
      "user.name=Demo",
      "-c",
      "user.email=demo@localhost",
      "-c",
      "maintenance.auto=false",
      ...args,
    ]);
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${output}`);
    return output;
  };
  const commitAll = async (subject: string): Promise<void> => {
    await git("add", "-A");
    await git("commit", "-q", "-m", subject);
  };

  return {
    folder,
    playRound: (spec, round) =>
      start(process.execPath, [rehearsalProgram, "--scripts", scriptFolder, "--fast"], {
        DISPATCH_SPEC_FILE: spec.file,
        DISPATCH_PROMPT_FILE: prompt,
        DISPATCH_ROUND: String(round),
        DISPATCH_ATTEMPT: "1",
      }),
    run: (command) => start("sh", ["-c", command]),
    runTests: () => start(process.execPath, ["--input-type=module", "--eval", runner]),
    copy: () => openTree(folder),
    async changedPaths() {
      const entries = (await git("status", "--porcelain", "-z", "-uall", "--no-renames")).split("\0");
      return entries.filter((entry) => entry !== "").map((entry) => entry.slice(3));
    },
    async addedLines() {
      await git("add", "-A");
      const lines = (await git("diff", "--cached", "-U0")).split("\n");
      return lines.filter((line) => line.startsWith("+") && !line.startsWith("+++"));
    },
    commitAll,
    treeId: async () => (await git("rev-parse", "HEAD^{tree}")).trim(),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
