import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { FactoryError, isFactoryError, type VerifyJob } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import { readFileIfAny } from "../durable-files.ts";
import { type GitRun, runGit } from "../git/run-git.ts";
import { forgetWorktree } from "../git/workspace.ts";
import { endProcesses } from "../process/end-processes.ts";
import { checkedGroup, removeGroup } from "../process/limit/attempt-group.ts";
import { startOf } from "../process/list-processes.ts";
import type { Host } from "./host.ts";
import { namesIn } from "./take-stock.ts";
import { removeWhole } from "./tidy/remove-leftovers.ts";

/** On disk while commands run, so that a later host can end what a killed one left behind. */
export interface VerifyMarker {
  token: string;
  /** Control group of what runs. */
  group: string | null;
  host: { pid: number; start: string; bootId: string };
}

const markerEnd = ".running.json";

/** Where the jobs of one bay run: a worktree that is kept, and what stands beside it. */
export interface VerifyPlace {
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

export function placeOf(host: Host, project: string, bay: number): VerifyPlace {
  const worktree = join(host.home, "verify", bay === 0 ? project : `${project}${baySeparator}${bay}`);
  return { worktree, marker: `${worktree}${markerEnd}`, fifo: `${worktree}.fifo`, log: `${worktree}.log` };
}

/** The bays of which something lies on the disk, and the first one. */
export function baysOf(host: Host, project: string): number[] {
  const bays = new Set([0]);
  for (const name of namesIn(join(host.home, "verify"))) {
    const [, bay] = name.split(/[+.]/, 2);
    if (verifyProjectOf(name) === project && name.startsWith(`${project}${baySeparator}`)) bays.add(Number(bay));
  }
  return [...bays].sort((a, b) => a - b);
}

export async function removePlace(host: Host, project: string, place: VerifyPlace): Promise<boolean> {
  await endLeftovers(host, place.marker);
  const adminDir = adminDirOf(place.worktree, nodeRepositoryPath(host.home, project));
  await removeWhole(place.worktree);
  if (adminDir !== undefined) await forgetWorktree(adminDir);
  for (const path of [place.fifo, place.log]) rmSync(path, { force: true });
  return true;
}

function isOurs(host: Host, path: string): boolean {
  const marker = readMarker(path);
  return marker !== undefined && marker.host.bootId === host.bootId && marker.host.pid === process.pid && marker.host.start === host.since;
}

/** Whether another host that lives is at work there. */
export function isHeld(host: Host, path: string): boolean {
  const marker = readMarker(path);
  if (marker === undefined || marker.host.bootId !== host.bootId || isOurs(host, path)) return false;
  return startOf(marker.host.pid) === marker.host.start;
}

export async function endLeftovers(host: Host, path: string): Promise<void> {
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
export async function checkOut(host: Host, job: Pick<VerifyJob, "project" | "commit">, worktree: string): Promise<void> {
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
export function adminDirOf(worktree: string, repository: string): string | undefined {
  const link = join(worktree, ".git");
  if (!existsSync(link)) return undefined;
  const dir = /^gitdir: (.*)$/m.exec(readFileSync(link, "utf8"))?.[1];
  return dir !== undefined && dirname(dir) === join(repository, "worktrees") && existsSync(dir) ? dir : undefined;
}

/** Ends what killed hosts left behind; what is ours, or another one's that lives, goes on. */
export async function sweepPlaces(host: Host): Promise<void> {
  for (const name of namesIn(join(host.home, "verify"))) {
    if (!name.endsWith(markerEnd)) continue;
    const path = join(host.home, "verify", name);
    if (!isHeld(host, path) && !isOurs(host, path)) await endLeftovers(host, path);
  }
}
