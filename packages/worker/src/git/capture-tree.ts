import { chmodSync, copyFileSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { hasCode } from "../durable-files.ts";
import { hashNestedFiles } from "./hash-nested-files.ts";
import { gitText, runGit } from "./run-git.ts";

/** A worktree as seen from outside: its own `.git` file, index and flags are in the agent's hands and are not used. */
export interface Workspace {
  /** The project's bare repository. */
  repository: string;
  worktree: string;
  /** Our index of it, with the file times known, so that only what changed is read. */
  index: string;
  base: string;
  /** The repository's folder for this worktree, with the agent's index and HEAD. */
  adminDir: string;
  /** Checksum of the agent's index when nobody had touched it yet. */
  indexSum: string;
}

export interface CapturedTree {
  tree: string;
  /** `diff-tree -r -z --no-renames --raw` from the base; undefined when the tree is the known one. */
  raw: string | undefined;
}

/**
 * Writes everything in the worktree that is not ignored as a tree.
 * Tracked files stay tracked; files the agent added by force count; a repository inside the worktree counts as its files.
 */
export async function captureTree(workspace: Workspace, knownTree: string | undefined): Promise<CapturedTree> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  rmSync(`${workspace.index}.lock`, { force: true });
  const nested = await addAll(workspace);
  await addForced(workspace, nested);
  if (nested.length > 0) await hashNestedFiles(workspace, nested);
  const tree = await gitText(["write-tree"], run);
  if (tree === knownTree) return { tree, raw: undefined };
  const raw = await rawDiff(workspace, tree);
  const links = newLinks(raw);
  if (links.length === 0) return { tree, raw };
  await hashNestedFiles(workspace, links);
  const flat = await gitText(["write-tree"], run);
  return { tree: flat, raw: await rawDiff(workspace, flat) };
}

async function rawDiff(workspace: Workspace, tree: string): Promise<string> {
  const args = ["diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", "--raw", workspace.base, tree];
  return (await runGit(args, { gitDir: workspace.repository })).toString("utf8");
}

/** A repository with commits of its own is staged as a link, which would name a commit that exists nowhere else. */
function newLinks(raw: string): string[] {
  const fields = raw.split("\0");
  const links: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [before, after] = fields[i]?.split(" ") ?? [];
    const path = fields[i + 1];
    if (after === "160000" && before !== ":160000" && path !== undefined) links.push(path);
  }
  return links;
}

/** Makes an index file usable as ours. The time is kept: git reads every file that is as young as its index. */
export function copyIndex(from: string, to: string): void {
  const draft = `${to}.${process.pid}.tmp`;
  try {
    copyFileSync(from, draft);
    const whole = Math.floor(statSync(from).mtimeMs / 1000);
    utimesSync(draft, whole, whole);
    renameSync(draft, to);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Stages all; gives the folders that are repositories without a commit, before which `git add` stops. */
async function addAll(workspace: Workspace): Promise<string[]> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  try {
    await runGit(["add", "-A"], run);
    return [];
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "GIT_FAILED") throw error;
    makeReadable(workspace.worktree);
    const nested = await untrackedRepositories(workspace);
    const excluded = nested.map((folder) => `:(exclude,literal)${folder}`);
    await runGit(["add", "-A", "--", ".", ...excluded], { ...run, env: { GIT_LITERAL_PATHSPECS: "0" } });
    return nested;
  }
}

async function addForced(workspace: Workspace, nested: readonly string[]): Promise<void> {
  const inNested = (path: string) => nested.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const forced = (await forciblyAdded(workspace)).filter((path) => !inNested(path) && exists(join(workspace.worktree, path)));
  if (forced.length === 0) return;
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  await runGit(["add", "-f", "--pathspec-from-file=-", "--pathspec-file-nul"], { ...run, input: forced.join("\0") });
}

async function untrackedRepositories(workspace: Workspace): Promise<string[]> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  const names = (await runGit(["ls-files", "-z", "--others", "--exclude-standard"], run)).toString("utf8").split("\0");
  return names.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
}

/** What the agent's own index holds beyond the base: also ignored files, when they were added by force. */
async function forciblyAdded(workspace: Workspace): Promise<string[]> {
  const theirs = join(workspace.adminDir, "index");
  if (checksumOf(theirs) === workspace.indexSum) return [];
  try {
    const args = ["diff-index", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=A", workspace.base];
    const names = await runGit(args, { gitDir: workspace.repository, index: theirs });
    return names
      .toString("utf8")
      .split("\0")
      .filter((name) => name !== "");
  } catch (error) {
    // The agent's index may be broken; the files themselves were staged all the same.
    if (error instanceof FactoryError && error.code === "GIT_FAILED") return [];
    throw error;
  }
}

/** The checksum that git writes at the end of an index; empty when there is no index. */
export function checksumOf(index: string): string {
  try {
    return readFileSync(index).subarray(-20).toString("hex");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  }
}

function makeReadable(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) continue;
    const mode = lstatSync(path).mode;
    const wanted = entry.isDirectory() ? 0o700 : 0o400;
    if ((mode & wanted) !== wanted) chmodSync(path, mode | wanted);
    if (entry.isDirectory()) makeReadable(path);
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
