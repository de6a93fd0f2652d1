import { existsSync } from "node:fs";
import { type DiffText, FactoryError, invariant, type Oid } from "@dispatch/core";
import { type Environment, usersEnvironment } from "./git-environment.ts";
import { checkOut, layOver } from "./open-base.ts";
import { failureOf, type Git, openGit, resolveRef } from "./open-git.ts";
import { readBlobs, readFile } from "./read-files.ts";
import { diffOf, mergeBaseOf } from "./read-history.ts";
import { runGit } from "./run-git.ts";

export interface ChangeAsked {
  /** A folder of the repository, at whatever depth. */
  folder: string;
  /** Undefined: where head left the default branch of origin, or main. */
  base: string | undefined;
  head: string;
}

/** What lies between two revisions of any repository of this machine, to be looked at without changing anything there. */
export interface ChangeView {
  base: Oid;
  head: Oid;
  /** Where the change starts: the commit that base and head forked at. */
  from: Oid;
  /** Base and head forked at no commit, or at several: the change is all that differs from base itself. */
  forked: boolean;
  /** Files of the worktree that differ from what is committed there; none in a bare repository. */
  uncommitted(): Promise<number>;
  diff(): Promise<DiffText>;
  readBlobs(blobs: readonly Oid[]): Promise<ReadonlyMap<Oid, string>>;
  readFile(revision: Oid, path: string): Promise<string | undefined>;
  /** Writes the files of a revision into an empty folder, with a repository of its own that borrows the objects. */
  checkOut(revision: Oid, folder: string): Promise<void>;
  /** Puts files of head over what was checked out in a folder. */
  layOver(folder: string, paths: readonly string[]): Promise<void>;
}

/** Throws REPOSITORY_INVALID or USAGE, and says what to fetch where a clone is too shallow. */
export async function openChange({ folder, base: named, head: tip }: ChangeAsked, env: Environment): Promise<ChangeView> {
  const options = { env, remoteQuietMs: 0 };
  const git = openGit(await gitDirAt(folder, env), options);
  const shallow = (await git.read("look at the clone", "rev-parse", "--is-shallow-repository")).trim() === "true";
  const head = await commitOf(git, "head", tip, shallow);
  const base = named === undefined ? await defaultBase(git, head, shallow) : await commitOf(git, "base", named, shallow);
  const fork = await mergeBaseOf(git, base, head);
  if (fork === undefined && shallow) throw tooShallow(named ?? base, tip);
  const from = fork ?? base;
  return {
    base,
    head,
    from,
    forked: fork !== undefined,
    uncommitted: () => countUncommitted(folder, env),
    diff: () => diffOf(git, from, head),
    readBlobs: (blobs) => readBlobs(git, blobs),
    readFile: (revision, path) => readFile(git, revision, path),
    checkOut: (revision, into) => checkOut(git, revision, into, options),
    layOver: (into, paths) => layOver(head, into, paths, options),
  };
}

/** The git folder of the very worktree that a folder lies in, so that HEAD is that worktree's. */
async function gitDirAt(folder: string, env: Environment): Promise<string> {
  if (!existsSync(folder)) throw invalid(`${folder} does not exist`, "name a folder of a git repository with --repo");
  const args = ["-C", folder, "rev-parse", "--show-object-format", "--absolute-git-dir"];
  const answer = await runGit({ args, env: usersEnvironment(env) });
  if (answer.exitCode !== 0) {
    if (!/not a git repository/i.test(answer.stderr)) throw failureOf(answer, { doing: `look into ${folder}` });
    throw invalid(`${folder} lies in no git repository`, "run it inside one, or name one with --repo DIR");
  }
  const [format, dir] = answer.stdout.toString("utf8").replace(/\n$/, "").split("\n");
  invariant(dir !== undefined, "git named no git folder");
  if (format !== "sha1") throw invalid(`${folder} is a repository of the object format ${format}`, "only sha1 repositories can be judged");
  return dir;
}

async function commitOf(git: Git, side: "base" | "head", revision: string, shallow: boolean): Promise<Oid> {
  const commit = revision === "" ? undefined : await resolveRef(git, revision);
  if (commit !== undefined) return commit;
  throw usage(`the ${side} ${JSON.stringify(revision)} is no commit of this repository`, fetching(revision, shallow));
}

const defaultBranches = ["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main"];

async function defaultBase(git: Git, head: Oid, shallow: boolean): Promise<Oid> {
  for (const ref of defaultBranches) {
    const commit = await resolveRef(git, ref);
    if (commit === undefined) continue;
    const fork = await mergeBaseOf(git, commit, head);
    if (fork === undefined && shallow) throw tooShallow(ref, "head");
    return fork ?? commit;
  }
  const hint = "name it with --base REV, or fetch the default branch: git fetch origin && git remote set-head origin --auto";
  throw usage("no base was named, and there is neither a default branch of origin nor a branch main", hint);
}

async function countUncommitted(folder: string, env: Environment): Promise<number> {
  const args = ["--no-optional-locks", "-C", folder, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"];
  const { exitCode, stdout } = await runGit({ args, env: usersEnvironment(env) });
  return exitCode === 0 ? stdout.toString("utf8").split("\0").length - 1 : 0;
}

/** Which fetch brings a revision. */
function fetching(revision: string, shallow: boolean): string {
  const deep = shallow ? "--unshallow " : "";
  const branch = /^(?:refs\/remotes\/)?origin\/([^~^:@\s]+)/.exec(revision)?.[1];
  const why = shallow ? "this clone is shallow; " : "";
  if (branch !== undefined) return `${why}bring it with git fetch ${deep}origin +refs/heads/${branch}:refs/remotes/origin/${branch}`;
  if (/^[0-9a-f]{40}$/.test(revision)) return `${why}bring it with git fetch ${deep}origin ${revision}`;
  if (shallow) return `${why}bring the rest with git fetch --unshallow origin`;
  return "git branch --all lists the branches that are there; git fetch origin brings what origin has";
}

function tooShallow(base: string, head: string): FactoryError {
  return usage(
    `this clone is too shallow to tell where ${head} left ${base}`,
    "bring the history with git fetch --unshallow origin; in GitHub Actions: fetch-depth: 0 at actions/checkout",
  );
}

function usage(message: string, hint: string): FactoryError {
  return new FactoryError("USAGE", message, { fault: "user", hint });
}

function invalid(message: string, hint: string): FactoryError {
  return new FactoryError("REPOSITORY_INVALID", message, { fault: "user", hint });
}
