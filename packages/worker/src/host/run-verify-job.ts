import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CommandResult, FactoryError, invariant, isFactoryError, noLimits, type VerifyJob } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import { readFileIfAny, replaceFile } from "../durable-files.ts";
import { type GitRun, runGit } from "../git/run-git.ts";
import { endProcesses } from "../process/end-processes.ts";
import { checkedGroup, openGroup, removeGroup } from "../process/limit/attempt-group.ts";
import { startOf } from "../process/list-processes.ts";
import { makeFifo } from "../process/output-pipe.ts";
import type { RunningCommand } from "../process/run-command.ts";
import { startVerify } from "../process/run-verify.ts";
import { checkOid, checkProject, type Host } from "./host.ts";
import { namesIn } from "./take-stock.ts";
import { removeWhole } from "./tidy/remove-leftovers.ts";

/** Runs verify jobs in worktrees that are kept between them: as many at once for a project as it was given bays, one at a time in each. */
export interface VerifyRunner {
  run(job: VerifyJob): Promise<readonly CommandResult[]>;
  /** Ends the job of that name: its run rejects with NODE_FAILED. */
  cancel(id: string): void;
  /** Removes the kept worktrees of a project. False: somebody is at work there. */
  forget(project: string): Promise<boolean>;
  /** Ends what a killed host left behind. */
  sweep(): Promise<void>;
  /** Ends what runs; nothing of it is left when the promise settles. */
  close(): Promise<void>;
}

/** On disk while commands run, so that a later host can end what a killed one left behind. */
interface VerifyMarker {
  token: string;
  /** Control group of what runs. */
  group: string | null;
  host: { pid: number; start: string; bootId: string };
}

const mostBays = 64;
const markerEnd = ".running.json";

export function createVerifyRunner(host: Host): VerifyRunner {
  const byId = new Map<string, Promise<readonly CommandResult[]>>();
  const queues = new Map<string, Promise<unknown>>();
  const running = new Map<RunningCommand, string>();
  const cancelled = new Set<string>();
  let closed = false;

  function throwIfOver(job: VerifyJob): void {
    if (closed) throw new FactoryError("NODE_UNREACHABLE", "the host is ending", { retry: "later" });
    if (cancelled.has(job.id)) throw new FactoryError("NODE_FAILED", `verify job ${job.id} was cancelled`, { retry: "later" });
  }

  async function runJob(job: VerifyJob): Promise<readonly CommandResult[]> {
    throwIfOver(job);
    const place = placeOf(host, job.project, job.bay);
    mkdirSync(join(host.home, "verify"), { recursive: true });
    if (isHeld(host, place.marker)) {
      throw new FactoryError("NODE_FAILED", "another host of this home is running a verify job of the project", { retry: "later" });
    }
    await endLeftovers(host, place.marker);
    await checkOut(host, job, place.worktree);
    const token = randomBytes(16).toString("hex");
    const group = await openGroup(token, noLimits);
    const marker: VerifyMarker = { token, group: group.folder, host: { pid: process.pid, start: host.since, bootId: host.bootId } };
    replaceFile(place.marker, JSON.stringify(marker), false);
    rmSync(place.log, { force: true });
    makeFifo(place.fifo);
    const results: CommandResult[] = [];
    for (const command of job.verify) {
      throwIfOver(job);
      const started = startVerify(command, { root: place.worktree, token, since: host.since, fifo: place.fifo, log: place.log, group });
      running.set(started, job.id);
      const { startError: _, ...result } = await started.result;
      running.delete(started);
      results.push(result);
    }
    if (group.folder !== null) removeGroup(group.folder);
    rmSync(place.marker, { force: true });
    throwIfOver(job);
    return results;
  }

  return {
    run(job) {
      const known = byId.get(job.id);
      if (known !== undefined) return known;
      checkProject(job.project);
      checkOid(job.commit);
      invariant(Number.isInteger(job.bay) && job.bay >= 0 && job.bay < mostBays, `verify bay ${job.bay}`);
      const queue = `${job.project}${baySeparator}${job.bay}`;
      const before = queues.get(queue) ?? Promise.resolve();
      const mine = before.then(
        () => runJob(job),
        () => runJob(job),
      );
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
    cancel(id) {
      if (!byId.has(id)) return;
      cancelled.add(id);
      for (const [command, job] of running) if (job === id) command.end();
    },
    forget: (project) => forgetPlaces(host, queues, checkProject(project)),
    async sweep() {
      for (const name of namesIn(join(host.home, "verify"))) {
        if (!name.endsWith(markerEnd)) continue;
        const path = join(host.home, "verify", name);
        if (!isHeld(host, path) && !isOurs(host, path)) await endLeftovers(host, path);
      }
    },
    async close() {
      closed = true;
      for (const command of running.keys()) command.end();
      await Promise.all([...running.keys()].map((command) => command.result));
    },
  };
}

interface Place {
  worktree: string;
  marker: string;
  fifo: string;
  log: string;
}

/** No project has it in its name. */
const baySeparator = "+";

/** The project of a worktree's name, or of a file's beside it. */
export function verifyProjectOf(name: string): string {
  return name.split(/[+.]/, 1)[0] ?? name;
}

function placeOf(host: Host, project: string, bay: number): Place {
  const worktree = join(host.home, "verify", bay === 0 ? project : `${project}${baySeparator}${bay}`);
  return { worktree, marker: `${worktree}${markerEnd}`, fifo: `${worktree}.fifo`, log: `${worktree}.log` };
}

/** The bays of which something lies on the disk, and the first one. */
function baysOf(host: Host, project: string): number[] {
  const bays = new Set([0]);
  for (const name of namesIn(join(host.home, "verify"))) {
    const [, bay] = name.split(/[+.]/, 2);
    if (verifyProjectOf(name) === project && name.startsWith(`${project}${baySeparator}`)) bays.add(Number(bay));
  }
  return [...bays].sort((a, b) => a - b);
}

async function forgetPlaces(host: Host, queues: Map<string, Promise<unknown>>, project: string): Promise<boolean> {
  let all = true;
  for (const bay of baysOf(host, project)) all = (await forgetPlace(host, queues, project, bay)) && all;
  return all;
}

async function forgetPlace(host: Host, queues: Map<string, Promise<unknown>>, project: string, bay: number): Promise<boolean> {
  const place = placeOf(host, project, bay);
  const queue = `${project}${baySeparator}${bay}`;
  if (queues.has(queue) || isHeld(host, place.marker)) return false;
  const mine = removePlace(host, project, place);
  queues.set(queue, mine);
  try {
    return await mine;
  } finally {
    if (queues.get(queue) === mine) queues.delete(queue);
  }
}

async function removePlace(host: Host, project: string, place: Place): Promise<boolean> {
  await endLeftovers(host, place.marker);
  const adminDir = adminDirOf(place.worktree, nodeRepositoryPath(host.home, project));
  await removeWhole(place.worktree);
  if (adminDir !== undefined) await rm(adminDir, { recursive: true, force: true });
  for (const path of [place.fifo, place.log]) rmSync(path, { force: true });
  return true;
}

function isOurs(host: Host, path: string): boolean {
  const marker = readMarker(path);
  return marker !== undefined && marker.host.bootId === host.bootId && marker.host.pid === process.pid && marker.host.start === host.since;
}

/** Whether another host that lives is at work there. */
function isHeld(host: Host, path: string): boolean {
  const marker = readMarker(path);
  if (marker === undefined || marker.host.bootId !== host.bootId || isOurs(host, path)) return false;
  return startOf(marker.host.pid) === marker.host.start;
}

async function endLeftovers(host: Host, path: string): Promise<void> {
  const marker = readMarker(path);
  if (marker === undefined) return;
  if (marker.host.bootId === host.bootId) {
    const group = checkedGroup(marker.group, marker.token);
    await endProcesses({ token: marker.token, since: marker.host.start, ...(group === undefined ? {} : { group }) }, 1000);
    if (group !== undefined) removeGroup(group);
  }
  rmSync(path, { force: true });
}

function readMarker(path: string): VerifyMarker | undefined {
  const text = readFileIfAny(path);
  return text === undefined ? undefined : (JSON.parse(text) as VerifyMarker);
}

/** Exactly the commit, with nothing beside it but installed dependencies. A worktree that is broken is made anew once. */
async function checkOut(host: Host, job: VerifyJob, worktree: string): Promise<void> {
  const repository = nodeRepositoryPath(host.home, job.project);
  if (!existsSync(repository)) throw new FactoryError("GIT_FAILED", `project ${job.project} has no repository on this node`, { retry: "later" });
  // Before anything is made anew: a commit that did not arrive is no broken worktree.
  await runGit(["cat-file", "-e", `${job.commit}^{commit}`], { gitDir: repository });
  const adminDir = adminDirOf(worktree, repository);
  if (adminDir !== undefined) {
    const run: GitRun = { gitDir: adminDir, workTree: worktree };
    try {
      rmSync(join(adminDir, "index.lock"), { force: true });
      await runGit(["checkout", "--quiet", "--detach", "--force", job.commit, "--"], run);
      await runGit(["clean", "-ffdxq", "-e", "node_modules"], { ...run, env: { GIT_LITERAL_PATHSPECS: "0" } });
      return;
    } catch (error) {
      if (!isFactoryError(error) || error.code !== "GIT_FAILED") throw error;
    }
    rmSync(adminDir, { recursive: true, force: true });
  }
  rmSync(worktree, { recursive: true, force: true });
  await runGit(["worktree", "add", "--quiet", "--force", "--detach", "--", worktree, job.commit], { gitDir: repository });
}

/** Only a folder of the repository: what a candidate's own tests did to the link must not lead anywhere else. */
function adminDirOf(worktree: string, repository: string): string | undefined {
  const link = join(worktree, ".git");
  if (!existsSync(link)) return undefined;
  const dir = /^gitdir: (.*)$/m.exec(readFileSync(link, "utf8"))?.[1];
  return dir !== undefined && dirname(dir) === join(repository, "worktrees") && existsSync(dir) ? dir : undefined;
}
