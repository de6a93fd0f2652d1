import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { AttemptId } from "@dispatch/core";
import { hasCode } from "../../durable-files.ts";
import { gitText, runGit } from "../../git/run-git.ts";
import { forgetWorktree } from "../../git/workspace.ts";
import { namesIn } from "../take-stock.ts";
import type { KnownAttempt } from "./survey-attempts.ts";

const hourMs = 3_600_000;
const packLimitMs = 5 * 60_000;
const keptBases = 4;

export interface RepositoryCare {
  home: string;
  repository: string;
  /** Those of this project, and those of which the project cannot be told. */
  attempts: readonly KnownAttempt[];
  over: ReadonlySet<AttemptId>;
  now: number;
  /** Room is short. */
  pressed: boolean;
  giveUp: AbortSignal;
}

interface Ref {
  name: string;
  oid: string;
}

/** Takes away the refs nobody needs and packs what is left when that is worth it. Gives whether it packed. */
export async function tidyRepository(care: RepositoryCare): Promise<boolean> {
  const { repository, giveUp } = care;
  const refs = await refsOf(repository);
  const old = [...oldBases(care, refs), ...refs.filter((ref) => isOfGone(care, ref))];
  if (giveUp.aborted) return false;
  if (old.length > 0) {
    const input = old.map(({ name, oid }) => `delete ${name} ${oid}\n`).join("");
    await runGit(["update-ref", "--stdin"], { gitDir: repository, input });
  }
  await removeOldWorktrees(care);
  if (giveUp.aborted || !(await isWorthPacking(care))) return false;
  return await pack(care);
}

export async function refsOf(repository: string): Promise<Ref[]> {
  const text = await gitText(["for-each-ref", "--format=%(objectname) %(refname)"], { gitDir: repository });
  return text.split("\n").flatMap((line) => {
    const space = line.indexOf(" ");
    return space < 0 ? [] : [{ oid: line.slice(0, space), name: line.slice(space + 1) }];
  });
}

/**
 * Commits that were sent here to start from. The newest stay: the next attempt will most likely begin at one of them, and they are
 * what the controller need not send again.
 */
function oldBases({ repository, attempts, now }: RepositoryCare, refs: readonly Ref[]): Ref[] {
  if (attempts.some((known) => !known.over && known.base === undefined)) return [];
  const needed = new Set(attempts.filter((known) => !known.over).map((known) => known.base));
  const packedAt = timeOf(join(repository, "packed-refs"));
  return refs
    .filter((ref) => ref.name.startsWith("refs/dispatch/base/"))
    .map((ref) => ({ ref, at: timeOf(join(repository, ref.name)) || packedAt }))
    .sort((a, b) => b.at - a.at)
    .slice(keptBases)
    .filter(({ ref, at }) => !needed.has(ref.oid) && now - at > hourMs)
    .map(({ ref }) => ref);
}

/** What it held is in the hub, and its record is gone. Where an agent rewrote its history the old one is in no hub, so it stays. */
function isOfGone({ home, over }: RepositoryCare, { name }: Ref): boolean {
  const attempt = /^refs\/dispatch\/(?:result|salvage|checkpoint)\/([^/]+)$/.exec(name)?.[1];
  return attempt !== undefined && over.has(attempt) && !existsSync(join(home, "attempts", attempt)) && !existsSync(join(home, "work", attempt));
}

/** `git worktree prune` would also forget the HEAD of an attempt that deleted its worktree; only what is over may go. */
async function removeOldWorktrees({ home, repository, over }: RepositoryCare): Promise<void> {
  for (const name of namesIn(join(repository, "worktrees"))) {
    const adminDir = join(repository, "worktrees", name);
    // What says nothing any more has the name of its attempt, unless git is just making it.
    const cutOff = over.has(name) && !existsSync(join(adminDir, "locked")) ? join(home, "work", name) : undefined;
    const worktree = worktreeOf(adminDir) ?? cutOff;
    if (worktree === undefined || existsSync(worktree)) continue;
    const mayGo = (dirname(worktree) === join(home, "work") && over.has(basename(worktree))) || dirname(worktree) === join(home, "verify");
    if (mayGo) await forgetWorktree(adminDir);
  }
}

/** Undefined also where git is just making it. */
export function worktreeOf(adminDir: string): string | undefined {
  if (existsSync(join(adminDir, "locked"))) return undefined;
  try {
    return dirname(readFileSync(join(adminDir, "gitdir"), "utf8").trim());
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

const stamp = "dispatch-packed";

async function isWorthPacking({ repository, attempts, now, pressed }: RepositoryCare): Promise<boolean> {
  if (attempts.some((known) => known.beginning)) return false;
  if (now - timeOf(join(repository, stamp)) < hourMs) return false;
  const counts = await gitText(["count-objects", "-v"], { gitDir: repository });
  const count = (what: string): number => Number(new RegExp(`^${what}: (\\d+)$`, "m").exec(counts)?.[1] ?? 0);
  return pressed || count("count") > 2000 || count("packs") > 10 || count("garbage") > 0;
}

/**
 * Packs, and drops what nothing reaches. An index of ours may be all that names an object of an attempt that still works, so
 * nothing goes that was written since the first of those began.
 */
async function pack(care: RepositoryCare): Promise<boolean> {
  const { repository, attempts, now } = care;
  const firstJob = Math.min(now, ...attempts.filter((known) => !known.over).map((known) => known.since));
  const before = `${new Date(firstJob - hourMs).toISOString().slice(0, 19).replace("T", " ")} +0000`;
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  const timer = setTimeout(stop, packLimitMs);
  care.giveUp.addEventListener("abort", stop);
  try {
    const run = { gitDir: repository, background: limit.signal };
    writeFileSync(join(repository, stamp), "");
    utimesSync(join(repository, stamp), new Date(now), new Date(now));
    await runGit(["repack", "-q", "-A", "-d", "-l", `--unpack-unreachable=${before}`], run);
    await runGit(["prune", `--expire=${before}`], run);
    return true;
  } catch (error) {
    if (limit.signal.aborted) return false;
    throw error;
  } finally {
    clearTimeout(timer);
    care.giveUp.removeEventListener("abort", stop);
  }
}

/** When anything last came into a repository, in ms since the epoch. */
export function lastUseOf(repository: string): number {
  const bases = join(repository, "refs/dispatch/base");
  const objects = join(repository, "objects");
  const inside = [...namesIn(bases).map((name) => join(bases, name)), ...namesIn(objects).map((name) => join(objects, name))];
  return Math.max(...[repository, bases, ...inside].map(timeOf));
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
