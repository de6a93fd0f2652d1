import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AttemptJob, TestName } from "@dispatch/core";
import type { Baseline, BaselineCommand } from "@dispatch/gates";
import { decodeLine } from "@dispatch/protocol";
import { unlessFull } from "../disk-room.ts";
import { readFileIfAny, replaceFile } from "../durable-files.ts";

/*
 * What a node remembers of a project's tests lies in a folder of the project's repository, and goes with it. All of it
 * can be made again. Only green baselines are shared between attempts: an agent can spoil what its own worktree ignores,
 * so a red one is believed by the attempt that saw it alone, while a green one excuses nothing.
 */
const folderName = "dispatch-tests";
const keptBaselines = 50;
const ledgerBytes = 64 * 1024;
const flakeDays = 30;

/** Where a project's tests are remembered on this node. */
export interface TestMemory {
  readBaseline(): Baseline | undefined;
  keepBaseline(baseline: Baseline): void;
  /** Tests that were red and then green on one tree, not long ago. */
  knownFlakes(now: number): TestName[];
  addFlakes(flaky: readonly TestName[], at: number): void;
}

export function openTestMemory(repository: string, job: Pick<AttemptJob, "base" | "verify">, ownFile: string): TestMemory {
  const folder = join(repository, folderName);
  const commands = JSON.stringify(job.verify.map(({ run, cwd, env }) => [run, cwd, env]));
  const name = `${job.base}-${createHash("sha256").update(commands).digest("hex").slice(0, 16)}.json`;
  const ledger = join(folder, "flakes.ndjson");
  return {
    readBaseline: () => parseBaseline(readFileIfAny(ownFile)) ?? parseBaseline(readFileIfAny(join(folder, name))),
    keepBaseline(baseline) {
      const shared = baseline.commands.every((command) => command.green);
      unlessFull(() => {
        mkdirSync(folder, { recursive: true });
        replaceFile(shared ? join(folder, name) : ownFile, JSON.stringify(baseline), false);
      });
      if (shared) forgetOldest(folder);
    },
    knownFlakes(now) {
      const known = new Map<string, TestName>();
      for (const line of lastLines(ledger)) {
        const { suite, name: test, at } = decodeLine(line) ?? {};
        if (typeof suite !== "string" || typeof test !== "string" || typeof at !== "number" || now - at > flakeDays * 86_400_000) continue;
        known.set(`${suite}\0${test}`, { suite, name: test });
      }
      return [...known.values()];
    },
    addFlakes(flaky, at) {
      if (flaky.length === 0) return;
      const lines = flaky.map((test) => `${JSON.stringify({ ...test, at })}\n`).join("");
      unlessFull(() => {
        mkdirSync(folder, { recursive: true });
        // One write to the end: attempts of the project that run at the same time do not lose each other's lines.
        appendFileSync(ledger, lines);
      });
    },
  };
}

function parseBaseline(text: string | undefined): Baseline | undefined {
  const { base, commands } = decodeLine(text ?? "") ?? {};
  return typeof base === "string" && Array.isArray(commands) && commands.every(isCommand) ? { base, commands } : undefined;
}

function isCommand(value: unknown): value is BaselineCommand {
  return (
    typeof value === "object" && value !== null && "command" in value && "green" in value && "failures" in value && Array.isArray(value.failures)
  );
}

function lastLines(path: string): string[] {
  const text = readFileIfAny(path) ?? "";
  if (text.length > 4 * ledgerBytes) unlessFull(() => replaceFile(path, text.slice(text.indexOf("\n", text.length - ledgerBytes) + 1), false));
  return text
    .slice(-ledgerBytes)
    .split("\n")
    .filter((line) => line.startsWith("{"));
}

function forgetOldest(folder: string): void {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  if (names.length <= keptBaselines) return;
  const told = names.map((name) => ({ name, at: timeOf(join(folder, name)) })).sort((left, right) => left.at - right.at);
  for (const { name } of told.slice(0, names.length - keptBaselines)) rmSync(join(folder, name), { force: true });
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
