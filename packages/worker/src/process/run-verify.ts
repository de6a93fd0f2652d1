import { realpathSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import type { CommandResult, VerifyCommand } from "@dispatch/core";
import { allowedEnvironment } from "./environment.ts";
import type { AttemptGroup } from "./limit/attempt-group.ts";
import { type CommandRun, type OutputAllowance, type RunningCommand, runCommand } from "./run-command.ts";

export interface VerifyPlace {
  /** Folder whose content is verified. */
  root: string;
  token: string;
  since: string;
  fifo: string;
  log: string;
  group?: AttemptGroup;
  allowance?: OutputAllowance;
  onOutput?: (chunk: Buffer) => void;
}

const graceMs = 2000;
const logLimitBytes = 20 * 1024 * 1024;

/** Starts one verify command. A folder outside of the root, or none at all, gives `not-started`. */
export function startVerify(command: VerifyCommand, place: VerifyPlace): RunningCommand {
  const cwd = folderInside(place.root, command.cwd);
  if (cwd === undefined) return { result: Promise.resolve(withoutFolder(command)), end: () => {} };
  const run: CommandRun = {
    argv: ["/bin/sh", "-c", command.run],
    label: command.run,
    cwd,
    env: { ...allowedEnvironment(), PWD: cwd, ...command.env },
    stdin: null,
    timeoutMs: command.timeoutSeconds * 1000,
    graceMs,
    token: place.token,
    since: place.since,
    fifo: place.fifo,
    log: place.log,
    logLimitBytes,
    ...(place.group === undefined ? {} : { group: place.group }),
    ...(place.allowance === undefined ? {} : { allowance: place.allowance }),
    ...(place.onOutput === undefined ? {} : { onOutput: place.onOutput }),
  };
  return runCommand(run);
}

/** Links are followed: an agent could have put one where the spec names a folder. */
function folderInside(root: string, cwd: string): string | undefined {
  try {
    const path = realpathSync(join(root, cwd));
    const inside = relative(realpathSync(root), path);
    return inside === ".." || inside.startsWith("../") || isAbsolute(inside) ? undefined : path;
  } catch {
    return undefined;
  }
}

function withoutFolder(command: VerifyCommand): CommandResult {
  return {
    command: command.run,
    outcome: "not-started",
    exitCode: null,
    signal: null,
    durationMs: 0,
    outputBytes: 0,
    outputTail: `the folder ${command.cwd} is not there`,
  };
}
