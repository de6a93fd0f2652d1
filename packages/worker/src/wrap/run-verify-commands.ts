import { appendFileSync } from "node:fs";
import type { CommandResult, Finding, VerifyCommand } from "@dispatch/core";
import { unlessFull } from "../disk-room.ts";
import type { Workspace } from "../git/capture-tree.ts";
import { startVerify } from "../process/run-verify.ts";
import type { RoundLimits } from "./hold-limits.ts";
import { supervise, type Wrapper } from "./wrapper.ts";

const paneBytesOfVerify = 256 * 1024;

/** One round's commands: what they run in and what they may use. */
export interface CommandPlace {
  wrapper: Wrapper;
  workspace: Workspace;
  round: number;
  limits: RoundLimits;
}

export interface RanCommands {
  results: readonly CommandResult[];
  /** Those that a limit of the node caused. */
  remarks: readonly Finding[];
}

/** Runs commands one after the other on what lies in the worktree now. `word` tells people why. */
export async function runCommands(place: CommandPlace, word: string, commands: readonly VerifyCommand[]): Promise<RanCommands> {
  const { wrapper, workspace, round, limits } = place;
  const { files, job, since } = wrapper;
  const results: CommandResult[] = [];
  const remarks: Finding[] = [];
  for (const command of commands) {
    wrapper.pane.say(`${word}: ${command.run}`);
    // The log holds all runs of the round; the plain one needs no name.
    if (word !== "verify") unlessFull(() => appendFileSync(files.verifyLog(round), `== ${word}: ${command.run}\n`));
    let room = paneBytesOfVerify;
    const onOutput = (chunk: Buffer): void => {
      if (room > 0) wrapper.pane.copy(chunk.subarray(0, room));
      room -= chunk.length;
    };
    const where = { root: workspace.worktree, token: job.token, since, fifo: files.fifo, log: files.verifyLog(round), onOutput };
    const group = wrapper.group === null ? {} : { group: wrapper.group };
    const ran = await supervise(wrapper, () => startVerify(command, { ...where, ...group, allowance: limits.allowance }));
    const { startError: _, tooMuch: __, ...result } = ran;
    results.push(result);
    remarks.push(...limits.after(ran, `${word} command ${command.run}`));
  }
  return { results, remarks };
}
