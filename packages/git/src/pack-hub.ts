import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFactoryError } from "@dispatch/core";
import type { Git } from "./open-git.ts";

/** What lies in a hub in files of its own. */
export interface Litter {
  looseObjects: number;
  packs: number;
  looseRefs: number;
}

const worth: Litter = { looseObjects: 2000, packs: 20, looseRefs: 500 };

/** Whether packing is worth its work. Pure. */
export function isWorthPacking(litter: Litter): boolean {
  return litter.looseObjects > worth.looseObjects || litter.packs > worth.packs || litter.looseRefs > worth.looseRefs;
}

export async function measureLitter(git: Git): Promise<Litter> {
  const { stdout } = await git.run({ args: ["count-objects", "-v"], doing: "count the hub's objects" });
  const countOf = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(stdout.toString("utf8"))?.[1] ?? 0);
  const entries = await readdir(join(git.dir, "refs"), { withFileTypes: true, recursive: true });
  return { looseObjects: countOf("count"), packs: countOf("packs"), looseRefs: entries.filter((entry) => entry.isFile()).length };
}

/** Puts single refs into one file. It locks each for a moment, so nothing else may move main meanwhile. */
export async function packRefs(git: Git): Promise<void> {
  await git.run({ args: ["pack-refs", "--all"], doing: "pack the hub's refs" });
}

/** Longer than any run of ours: a lock of this age was left by a git that was killed. */
const staleLockMs = 60 * 60_000;

/**
 * Puts single objects into packs and small packs into larger ones, one batch a time. Neither step drops an object, also none
 * that no ref names; other git commands may run meanwhile. False: a step took longer than `limitMs`, or was given up; it goes on next time.
 */
export async function packObjects(git: Git, limitMs: number, giveUp?: AbortSignal): Promise<boolean> {
  const lock = join(git.dir, "objects", "maintenance.lock");
  const age = await ageOf(lock);
  if (age !== undefined && age > staleLockMs) await rm(lock, { force: true });
  try {
    // One after the other: together they run in an order of git's own, in which a hub without packs fails.
    for (const task of ["loose-objects", "incremental-repack"]) {
      if (giveUp?.aborted === true) return false;
      const args = ["maintenance", "run", "--quiet", `--task=${task}`];
      await git.run({ args, doing: "pack the hub's objects", quietMs: limitMs, ...(giveUp === undefined ? {} : { giveUp }) });
    }
    return true;
  } catch (error) {
    if (isFactoryError(error) && error.facts["timedOut"] === true) return false;
    throw error;
  }
}

async function ageOf(file: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
