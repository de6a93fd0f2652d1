import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptJob } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import type { AttemptFiles } from "../attempt-files.ts";
import { readFileIfAny, replaceFile } from "../durable-files.ts";
import { checksumOf, type Workspace } from "./capture-tree.ts";
import { gitText } from "./run-git.ts";

/** Written when a worktree is complete; without it no agent ever ran there. */
interface WorktreeRecord {
  adminDir: string;
  indexSum: string;
}

export function recordWorkspace(files: AttemptFiles, adminDir: string, durable: boolean): void {
  const record: WorktreeRecord = { adminDir, indexSum: checksumOf(join(adminDir, "index")) };
  replaceFile(join(files.dir, "worktree.json"), JSON.stringify(record), durable);
}

/** The worktree of an attempt, or undefined when it was never completed. */
export function readWorkspace(files: AttemptFiles, job: Pick<AttemptJob, "project" | "base">): Workspace | undefined {
  const text = readFileIfAny(join(files.dir, "worktree.json"));
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as WorktreeRecord;
  return { repository: nodeRepositoryPath(files.home, job.project), worktree: files.worktree, index: files.index, base: job.base, ...record };
}

/** Removes what git knows of a worktree. It says whose it is to the last, so that whoever is cut off in the middle can be followed by another. */
export async function forgetWorktree(adminDir: string): Promise<void> {
  for (const name of existsSync(adminDir) ? readdirSync(adminDir) : [])
    if (name !== "gitdir") await rm(join(adminDir, name), { recursive: true, force: true });
  await rm(adminDir, { recursive: true, force: true });
}

/** Removes the locks that a killed git left on what is this attempt's alone. Nothing of the attempt may run any more. */
export function removeLocks(repository: string, adminDir: string | undefined, branch: string): void {
  rmSync(join(repository, "refs", "heads", `${branch}.lock`), { force: true });
  if (adminDir === undefined) return;
  for (const name of ["HEAD.lock", "index.lock"]) rmSync(join(adminDir, name), { force: true });
}

/** The commit that is checked out in a worktree, or undefined when there is none (an unborn branch). */
export async function headOf(adminDir: string, repository: string): Promise<string | undefined> {
  const head = readFileSync(join(adminDir, "HEAD"), "utf8").trim();
  const branch = /^ref: (refs\/heads\/\S+)$/.exec(head)?.[1];
  const loose = branch === undefined ? head : readFileIfAny(join(repository, branch))?.trim();
  if (loose !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(loose)) return loose;
  const name = branch ?? "HEAD";
  const found = await gitText(["for-each-ref", "--format=%(objectname)", name], { gitDir: repository });
  return found === "" ? undefined : found;
}
