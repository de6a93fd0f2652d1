import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { ReportView, StatusView } from "@dispatch/protocol";
import { execa } from "execa";
import { parseDocument } from "yaml";
import { checkEveryCommit } from "./check-every-commit.ts";

const root = resolve(import.meta.dirname, "../..");
const cli = join(root, "packages/cli/dist/bundle/dispatch.js");
const project = "clawmarketing";

const { values: flags } = parseArgs({ options: { json: { type: "boolean" }, keep: { type: "string" } } });
const quiet = flags.json === true;
const startedAt = Date.now();

const home = flags.keep === undefined ? mkdtempSync(join(tmpdir(), "dispatch-demo-")) : resolve(flags.keep);
const factory = join(home, "factory");
const target = join(home, "posts-api");

function say(line = ""): void {
  if (!quiet) process.stdout.write(`${line}\n`);
}

/** Runs a program; its output is shown, or kept with `capture`. */
async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; capture?: boolean } = {},
): Promise<{ code: number; stdout: string }> {
  const out = options.capture === true || quiet ? "pipe" : "inherit";
  const result = await execa(program, args, { cwd: options.cwd ?? factory, stdin: "ignore", stdout: out, stderr: out, reject: false });
  const code = result.exitCode ?? 1;
  if (code !== 0 && out === "pipe") process.stderr.write(`${result.stderr ?? ""}\n`);
  return { code, stdout: result.stdout ?? "" };
}

async function must(program: string, args: readonly string[], options: { cwd?: string; capture?: boolean } = {}): Promise<string> {
  const { code, stdout } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
  return stdout;
}

const dispatch = (args: readonly string[], capture = false) => must(process.execPath, [cli, ...args], { capture });
const show = async (args: readonly string[]) => {
  say(`\n$ dispatch ${args.join(" ")}`);
  await dispatch(args);
};

async function makeTarget(): Promise<void> {
  cpSync(join(root, "test/fixtures/posts-api"), target, { recursive: true });
  const git = (...args: string[]) =>
    must("git", ["-c", "user.name=Demo", "-c", "user.email=demo@localhost", ...args], { cwd: target, capture: true });
  await git("init", "-q", "-b", "main");
  await git("add", "-A");
  await git("commit", "-q", "-m", "Posts API");
}

async function makeFactory(): Promise<void> {
  mkdirSync(factory, { recursive: true });
  await show(["init", "."]);
  const config = parseDocument(readFileSync(join(factory, "dispatch.yaml"), "utf8"));
  config.set("executors", {
    rehearsal: {
      command: [process.execPath, join(root, "test/rehearsal/rehearse.mjs"), "--scripts", join(root, "test/demo/scripts")],
      prompt: "file",
      timeout_s: 120,
    },
  });
  writeFileSync(join(factory, "dispatch.yaml"), config.toString());
  writeFileSync(join(factory, "nodes.json"), `${JSON.stringify({ nodes: [{ name: "local", transport: "local", slots: 4 }] }, null, 2)}\n`);
  await show(["project", "add", project, "--repo", "../posts-api", "--branch", "main", "--verify", "./run.sh test", "--executor", "rehearsal"]);
  cpSync(join(root, "test/demo/specs"), join(factory, "specs/pending"), { recursive: true });
}

async function play(): Promise<boolean> {
  say("The rehearsal: a real factory on this machine; only the agents are played by scripts.");
  say(`Folder: ${home}`);
  await makeTarget();
  await makeFactory();
  await show(["lint"]);
  say(`\n$ dispatch start ${project} --follow`);
  // One of the nine specs never passes, so the follow ends with 1: something waits for the lead.
  await run(process.execPath, [cli, "start", project, "--follow"]);
  await show(["collect", project]);
  await show(["report", project]);
  say("\n$ git log --first-parent --oneline        (in the target repository)");
  await must("git", ["--no-pager", "log", "--first-parent", "--oneline"], { cwd: target });
  const report = JSON.parse(await dispatch(["report", project, "--json"], true)) as ReportView;
  const status = JSON.parse(await dispatch(["status", project, "--json"], true)) as StatusView;
  await show(["down"]);
  say("\nChecking out every first-parent commit of main and running its tests:");
  const checked = await checkEveryCommit(target, ["./run.sh", "test"], (commit, green) => say(`  ${commit.slice(0, 12)} ${green ? "green" : "RED"}`));
  const summary = {
    merged: report.counts["merged"] ?? 0,
    parked: report.counts["parked"] ?? 0,
    tasks: report.tasks.length,
    maxParallel: report.maxParallel,
    roundsByTask: Object.fromEntries(report.tasks.map((task) => [task.id.slice(project.length + 1), task.rounds])),
    firstParentAllGreen: checked.every((one) => one.green),
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
  };
  const parked = report.waiting.find((waiting) => waiting.task !== null);
  say();
  say(
    `${summary.merged} of ${summary.tasks} merged, ${summary.parked} parked, at most ${summary.maxParallel} at once, every commit of main green: ${summary.firstParentAllGreen}, ${summary.seconds} s.`,
  );
  if (parked?.salvage != null) say(`Parked: ${parked.task}; its work is kept at ${parked.salvage}.`);
  say(
    "Real: specs, scheduling, locks, tmux sessions, worktrees, tests, gates, landing, publishing. Rehearsed: the agents, whose edits and token counts come from scripts.",
  );
  if (quiet) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.firstParentAllGreen && summary.merged === 8 && summary.parked === 1 && status.troubles.length === 0;
}

async function end(): Promise<void> {
  await run(process.execPath, [cli, "down", "--stop"], { capture: true }).catch(() => undefined);
  if (flags.keep === undefined) rmSync(home, { recursive: true, force: true });
  else say(`Kept: ${home}`);
}

process.once("SIGINT", () => {
  void end().then(() => process.exit(130));
});

let good = false;
try {
  good = await play();
} finally {
  await end();
}
process.exitCode = good ? 0 : 1;
