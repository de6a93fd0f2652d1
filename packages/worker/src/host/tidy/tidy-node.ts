import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AttemptId, type ProjectId, projectIdPattern } from "@dispatch/core";
import { type NodeUsage, nodeRepositoryPath, type TidyOrder } from "@dispatch/protocol";
import type { AttemptFiles } from "../../attempt-files.ts";
import { removeGroup } from "../../process/limit/attempt-group.ts";
import { groupOf } from "../close-dead-attempt.ts";
import { complain, filesOf, type Host, readJob, refuse } from "../host.ts";
import type { ProjectTurns } from "../project-turns.ts";
import type { VerifyRunner } from "../run-verify-job.ts";
import { namesIn } from "../take-stock.ts";
import { verifyProjectOf } from "../verify-places.ts";
import { chooseRecords, isOver } from "./choose-records.ts";
import { measureFolder, measureSizes, type Sizes, usageOf } from "./measure-usage.ts";
import { removeLeftovers, removeOldBundles, removeWhole } from "./remove-leftovers.ts";
import { type KnownAttempt, surveyAttempts } from "./survey-attempts.ts";
import { lastUseOf, refsOf, tidyRepository, worktreeOf } from "./tidy-repository.ts";

const hourMs = 3_600_000;

export interface TidyParts {
  host: Host;
  turns: ProjectTurns;
  verifier: VerifyRunner;
}

/** What one tidying knows and has done. */
interface Tidying extends TidyParts {
  order: TidyOrder;
  over: ReadonlySet<AttemptId>;
  now: number;
  sizes: Sizes;
  usage: NodeUsage;
  freedBytes: number;
}

/**
 * Removes what the order lets go, in this order: records that are old, records that are younger when room is short, refs and objects
 * nobody needs, repositories of projects that are over, and last worktrees of verify jobs, which save time and hold nothing.
 * Whatever is not named as over stays, whoever's it is. Being killed in between is harmless: each step stands by itself.
 */
export async function tidyNode(parts: TidyParts, order: TidyOrder): Promise<{ freedBytes: number; usage: NodeUsage }> {
  checkOrder(order);
  const { host } = parts;
  const now = Date.now();
  await removeLeftovers(host.home, now);
  const sizes = (await measureSizes(host)) ?? new Map<string, number>();
  const tidying: Tidying = { ...parts, order, over: new Set(order.over), now, sizes, usage: usageOf(host, sizes, now), freedBytes: 0 };
  await removeRecords(tidying);
  const known = await surveyAttempts(host, tidying.over);
  for (const name of namesIn(join(host.home, "repos"))) {
    const project = /^(.+)\.git$/.exec(name)?.[1];
    if (project !== undefined && projectIdPattern.test(project)) await careFor(tidying, project, known).catch(complain);
  }
  for (const path of await removeOldBundles(host, now)) tidying.freedBytes += sizes.get(path) ?? 0;
  await measureAgain(tidying);
  if (await removeVerifyWorktrees(tidying)) await measureAgain(tidying);
  return { freedBytes: tidying.freedBytes, usage: tidying.usage };
}

function checkOrder(order: TidyOrder): void {
  const quotas = [order.quotaBytes, order.projectQuotaBytes];
  if (!Array.isArray(order.over) || !Array.isArray(order.projects)) throw refuse("tidy needs attempts and projects");
  if (typeof order.keepMs !== "number" || quotas.some((quota) => quota !== null && typeof quota !== "number")) throw refuse("tidy needs limits");
}

async function measureAgain(tidying: Tidying): Promise<void> {
  const sizes = await measureSizes(tidying.host);
  if (sizes !== undefined) tidying.usage = usageOf(tidying.host, sizes, Date.now());
}

async function removeRecords(tidying: Tidying): Promise<void> {
  const { host, sizes, order, now } = tidying;
  const known = await surveyAttempts(host, tidying.over);
  const records = known.flatMap(({ attempt, project, endedAt, over }) => {
    const files = filesOf(host, attempt);
    return over ? [{ attempt, project, endedAt, bytes: (sizes.get(files.dir) ?? 0) + (sizes.get(files.discardedWorktree) ?? 0) }] : [];
  });
  for (const { attempt, bytes } of chooseRecords(records, tidying.usage, order, now)) {
    const files = filesOf(host, attempt);
    // Its content was seen to be held before it was put aside.
    await rm(files.discardedWorktree, { recursive: true, force: true, maxRetries: 3 });
    dropGroup(files);
    await removeWhole(files.dir);
    tidying.freedBytes += bytes;
  }
}

/** Left where a wrapper died and no host closed its attempt. One that is not empty stays. */
function dropGroup(files: AttemptFiles): void {
  try {
    const token = readJob(files)?.token;
    const group = token === undefined ? undefined : groupOf(files, token);
    if (group !== undefined) removeGroup(group);
  } catch (error) {
    complain(error);
  }
}

async function careFor(tidying: Tidying, project: ProjectId, known: readonly KnownAttempt[]): Promise<void> {
  const { host, over, now } = tidying;
  const repository = nodeRepositoryPath(host.home, project);
  await tidying.turns.keepHouse(project, async (giveUp) => {
    // Whoever came meanwhile counts; of the others nothing that is needed ceases to be by itself.
    const all = [...known, ...(await surveyAttempts(host, over, known))];
    const attempts = all.filter((one) => one.project === project || one.project === undefined);
    if (await mayDrop(tidying, project, attempts)) {
      if (!giveUp.aborted) await drop(tidying, project);
      return;
    }
    const before = tidying.sizes.get(repository) ?? 0;
    const care = { home: host.home, repository, attempts, over, now, pressed: isPressed(tidying, project), giveUp };
    if (await tidyRepository(care)) tidying.freedBytes += Math.max(0, before - (await measureFolder(host, repository)));
  });
}

/** Whether room is short, by what was measured less what went since. */
function isPressed({ order, usage, freedBytes }: Tidying, project: ProjectId): boolean {
  return isOver(usage.bytes - freedBytes, order.quotaBytes) || isOver((usage.projects[project] ?? 0) - freedBytes, order.projectQuotaBytes);
}

/** A repository in which nothing but a copy of the hub is left, of a project that this controller does not know and nobody used lately. */
async function mayDrop(tidying: Tidying, project: ProjectId, attempts: readonly KnownAttempt[]): Promise<boolean> {
  const { host, order, now } = tidying;
  if (order.projects.includes(project) || attempts.some((known) => !known.over)) return false;
  const repository = nodeRepositoryPath(host.home, project);
  const quietMs = isPressed(tidying, project) ? Math.min(hourMs, order.keepMs) : order.keepMs;
  if (now - lastUseOf(repository) <= quietMs) return false;
  const admins = namesIn(join(repository, "worktrees")).map((name) => worktreeOf(join(repository, "worktrees", name)));
  if (admins.some((worktree) => worktree === undefined || dirname(worktree) !== join(host.home, "verify"))) return false;
  return (await refsOf(repository)).every((ref) => ref.name.startsWith("refs/dispatch/base/") || isHeldElsewhere(tidying, ref.name));
}

function isHeldElsewhere({ over }: Tidying, ref: string): boolean {
  return over.has(/^refs\/dispatch\/(?:result|salvage)\/([^/]+)$/.exec(ref)?.[1] ?? "");
}

async function drop(tidying: Tidying, project: ProjectId): Promise<void> {
  const { host, verifier, sizes } = tidying;
  const repository = nodeRepositoryPath(host.home, project);
  if (!(await verifier.forget(project))) return;
  await removeWhole(repository);
  tidying.freedBytes += (sizes.get(repository) ?? 0) + (sizes.get(join(host.home, "verify", project)) ?? 0);
}

/** Those whose repository is gone; and under pressure all of the projects that are over their quota, or all there are. */
async function removeVerifyWorktrees(tidying: Tidying): Promise<boolean> {
  const { host, usage, order, verifier } = tidying;
  let removed = false;
  const names = namesIn(join(host.home, "verify"));
  for (const project of new Set(names.map((name) => verifyProjectOf(name)))) {
    if (!projectIdPattern.test(project)) continue;
    const pressed = isOver(usage.bytes, order.quotaBytes) || isOver(usage.projects[project] ?? 0, order.projectQuotaBytes);
    if (!pressed && existsSync(nodeRepositoryPath(host.home, project))) continue;
    let bytes = 0;
    for (const name of names) if (verifyProjectOf(name) === project) bytes += await measureFolder(host, join(host.home, "verify", name));
    if (!(await verifier.forget(project))) continue;
    tidying.freedBytes += bytes;
    removed = true;
  }
  return removed;
}
