import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import {
  type CommandResult,
  FactoryError,
  type Generated,
  type GenerateJob,
  invariant,
  noLimits,
  type VerifyCommand,
  type VerifyJob,
} from "@dispatch/core";
import { replaceFile } from "../durable-files.ts";
import { openGroup, removeGroup } from "../process/limit/attempt-group.ts";
import { makeFifo } from "../process/output-pipe.ts";
import type { RunningCommand } from "../process/run-command.ts";
import { startVerify } from "../process/run-verify.ts";
import { commitGenerated } from "./commit-generated.ts";
import { checkOid, checkProject, type Host } from "./host.ts";
import { baysOf, checkOut, endLeftovers, isHeld, placeOf, removePlace, sweepPlaces, type VerifyMarker, type VerifyPlace } from "./verify-places.ts";

/**
 * Runs verify jobs, and those that make generated files, in worktrees that are kept between them: as many at once for a project
 * as it was given bays, one at a time in each.
 */
export interface VerifyRunner {
  run(job: VerifyJob): Promise<readonly CommandResult[]>;
  /** Makes generated files again and commits them. */
  generate(job: GenerateJob): Promise<Generated>;
  /** Ends the job of that name: its run rejects with NODE_FAILED. */
  cancel(id: string): void;
  /** Removes the kept worktrees of a project. False: somebody is at work there. */
  forget(project: string): Promise<boolean>;
  /** Ends what a killed host left behind. */
  sweep(): Promise<void>;
  /** Ends what runs; nothing of it is left when the promise settles. */
  close(): Promise<void>;
}

const mostBays = 64;

type BayJob = Omit<VerifyJob, "verify">;

export function createVerifyRunner(host: Host): VerifyRunner {
  const bays = createBays();
  const running = new Map<RunningCommand, string>();
  let closed = false;

  function throwIfOver(job: BayJob): void {
    if (closed) throw new FactoryError("NODE_UNREACHABLE", "the host is ending", { retry: "later" });
    if (bays.cancelled.has(job.id)) throw new FactoryError("NODE_FAILED", `verify job ${job.id} was cancelled`, { retry: "later" });
  }

  /** What commands return in a worktree with exactly the job's commit. */
  async function runCommands(job: BayJob, commands: readonly VerifyCommand[]): Promise<readonly CommandResult[]> {
    throwIfOver(job);
    const place = placeOf(host, job.project, job.bay);
    mkdirSync(dirname(place.worktree), { recursive: true });
    if (isHeld(host, place.marker)) {
      throw new FactoryError("NODE_FAILED", "another host of this home is running a verify job of the project", { retry: "later" });
    }
    await endLeftovers(host, place.marker);
    await checkOut(host, job, place.worktree);
    const results = await inPlace(host, place, async (start) => {
      const all: CommandResult[] = [];
      for (const command of commands) {
        throwIfOver(job);
        const started = start(command);
        running.set(started, job.id);
        const { startError: _, ...result } = await started.result;
        running.delete(started);
        all.push(result);
      }
      return all;
    });
    throwIfOver(job);
    return results;
  }

  return {
    run: (job) => bays.inTurn(job, () => runCommands(job, job.verify)),
    generate: (job) =>
      bays.inTurn(job, async () => {
        const results = await runCommands(
          job,
          job.files.map(({ command }) => command),
        );
        if (!results.every(isGreen)) return { results, commit: null };
        const commit = await commitGenerated(host, job);
        return commit === undefined ? { results, commit: null, problem: "the commands took away the .git of their worktree" } : { results, commit };
      }),
    cancel(id) {
      if (!bays.isKnown(id)) return;
      bays.cancelled.add(id);
      for (const [command, job] of running) if (job === id) command.end();
    },
    forget: (project) => forgetPlaces(host, bays.queues, checkProject(project)),
    sweep: () => sweepPlaces(host),
    async close() {
      closed = true;
      for (const command of running.keys()) command.end();
      await Promise.all([...running.keys()].map((command) => command.result));
    },
  };
}

interface Bays {
  /** One job at a time in each bay; a job that is under way already is not begun again. */
  inTurn<T>(job: BayJob, act: () => Promise<T>): Promise<T>;
  isKnown(id: string): boolean;
  /** Names of jobs that are to end. */
  cancelled: Set<string>;
  /** The last job of each bay that has one. */
  queues: Map<string, Promise<unknown>>;
}

function createBays(): Bays {
  const byId = new Map<string, Promise<unknown>>();
  const queues = new Map<string, Promise<unknown>>();
  const cancelled = new Set<string>();
  return {
    queues,
    cancelled,
    isKnown: (id) => byId.has(id),
    inTurn<T>(job: BayJob, act: () => Promise<T>) {
      const known = byId.get(job.id);
      // The same name is the same job, so it gives the same.
      if (known !== undefined) return known as Promise<T>;
      checkProject(job.project);
      checkOid(job.commit);
      invariant(Number.isInteger(job.bay) && job.bay >= 0 && job.bay < mostBays, `verify bay ${job.bay}`);
      const queue = `${job.project} ${job.bay}`;
      const mine = (queues.get(queue) ?? Promise.resolve()).then(act, act);
      queues.set(queue, mine);
      byId.set(job.id, mine);
      const forget = (): void => {
        byId.delete(job.id);
        cancelled.delete(job.id);
        if (queues.get(queue) === mine) queues.delete(queue);
      };
      mine.then(forget, forget);
      return mine;
    },
  };
}

function isGreen({ outcome, exitCode }: CommandResult): boolean {
  return outcome === "exited" && exitCode === 0;
}

/** Runs commands in a place, in a group of their own, under a marker that lasts until they have ended well. */
async function inPlace<T>(host: Host, place: VerifyPlace, act: (start: (command: VerifyCommand) => RunningCommand) => Promise<T>): Promise<T> {
  const token = randomBytes(16).toString("hex");
  const group = await openGroup(token, noLimits);
  const marker: VerifyMarker = { token, group: group.folder, host: { pid: process.pid, start: host.since, bootId: host.bootId } };
  replaceFile(place.marker, JSON.stringify(marker), false);
  rmSync(place.log, { force: true });
  makeFifo(place.fifo);
  const at = { root: place.worktree, token, since: host.since, fifo: place.fifo, log: place.log, group };
  const done = await act((command) => startVerify(command, at));
  if (group.folder !== null) removeGroup(group.folder);
  rmSync(place.marker, { force: true });
  return done;
}

async function forgetPlaces(host: Host, queues: Map<string, Promise<unknown>>, project: string): Promise<boolean> {
  let all = true;
  for (const bay of baysOf(host, project)) all = (await forgetPlace(host, queues, project, bay)) && all;
  return all;
}

async function forgetPlace(host: Host, queues: Map<string, Promise<unknown>>, project: string, bay: number): Promise<boolean> {
  const place = placeOf(host, project, bay);
  const queue = `${project} ${bay}`;
  if (queues.has(queue) || isHeld(host, place.marker)) return false;
  const mine = removePlace(host, project, place);
  queues.set(queue, mine);
  try {
    return await mine;
  } finally {
    if (queues.get(queue) === mine) queues.delete(queue);
  }
}
