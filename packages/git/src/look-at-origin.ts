import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FactoryError, type Oid, type ProjectSource } from "@dispatch/core";
import { stripCredentials } from "./classify-git-error.ts";
import { type Environment, usersEnvironment } from "./git-environment.ts";
import { failureOf, type Git, type GitOptions, openGit, resolveRef } from "./open-git.ts";
import { runGit } from "./run-git.ts";

export interface Origin {
  /** What git is told. */
  url: string;
  /** What people are told: the address without credentials. */
  shown: string;
  branch: string;
  /** Full name of the branch's ref. */
  ref: string;
  /** The folder, when origin is on this machine. */
  path: string | undefined;
}

/** Where the project is published to, or the reason why that cannot be a repository. */
export async function findOrigin(project: ProjectSource, env: Environment): Promise<Origin> {
  const path = localPath(project.repo);
  const origin: Origin = {
    url: path ?? project.repo,
    shown: stripCredentials(project.repo),
    branch: project.branch,
    ref: `refs/heads/${project.branch}`,
    path,
  };
  if (project.repo === "" || project.repo.startsWith("-"))
    throw invalid(`repo ${JSON.stringify(origin.shown)} is not an address`, "name a path or URL");
  const { exitCode } = await runGit({ args: ["check-ref-format", origin.ref], env: usersEnvironment(env) });
  if (exitCode !== 0) throw invalid(`${JSON.stringify(project.branch)} is not a name for a branch`, "see branch of the project in dispatch.yaml");
  if (path !== undefined) await checkFolder(path, env);
  return origin;
}

/** The folder an address means, by the rule git has; undefined for anything to be reached over a network. */
export function localPath(repo: string): string | undefined {
  if (repo.startsWith("file://")) return fileURLToPath(repo);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(repo)) return undefined;
  const colon = repo.indexOf(":");
  const slash = repo.indexOf("/");
  if (colon >= 0 && (slash < 0 || colon < slash)) return undefined;
  return resolve(repo);
}

async function checkFolder(path: string, env: Environment): Promise<void> {
  if (!existsSync(path)) throw invalid(`${path} does not exist`, "see repo of the project in dispatch.yaml");
  if (!statSync(path).isDirectory()) throw invalid(`${path} is not a folder`, "name the folder of a git repository");
  if (existsSync(join(path, ".git")) || existsSync(join(path, "HEAD"))) return;
  const top = await runGit({ args: ["-C", path, "rev-parse", "--show-toplevel"], env: usersEnvironment(env) });
  const above = top.exitCode === 0 ? top.stdout.toString("utf8").trim() : "";
  if (above !== "") throw invalid(`${path} is a folder inside the repository ${above}`, `name the repository itself: ${above}`);
  throw invalid(`${path} is not a git repository`, `make it one with git init, commit, and try again`);
}

/** The commit of origin's branch now. Throws when there is none, saying what there is instead. */
export async function readOrigin(git: Git, origin: Origin): Promise<Oid> {
  return branchOf(origin, await readHeads(git, origin));
}

/** The commits of all branches of origin now, by full name. */
export async function readHeads(git: Git, origin: Origin): Promise<ReadonlyMap<string, Oid>> {
  const { stdout } = await git.talk({ args: ["ls-remote", "--heads", "--", origin.url], doing: `read ${origin.shown}`, remote: "origin" });
  const heads = new Map<string, Oid>();
  for (const line of stdout.toString("utf8").split("\n")) {
    const [oid, ref] = line.split("\t");
    if (oid !== undefined && ref !== undefined) heads.set(ref, oid);
  }
  return heads;
}

export function branchOf(origin: Origin, heads: ReadonlyMap<string, Oid>): Oid {
  const found = heads.get(origin.ref);
  if (found !== undefined) return found;
  if (heads.size === 0) throw invalid(`${origin.shown} has no commits`, `make a first commit on ${origin.branch}, then try again`);
  const names = [...heads.keys()].map((ref) => ref.slice("refs/heads/".length));
  const some = names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");
  throw invalid(
    `${origin.shown} has no branch ${origin.branch}; it has ${some}`,
    "name one of them: --branch of dispatch project add, or branch of the project in dispatch.yaml",
    {
      branches: names,
    },
  );
}

export const originRef = "refs/dispatch/origin/branch";

/** Keeps origin's branch in the hub under a ref of its own and returns its commit. Takes no tags and moves nothing else. */
export async function fetchOrigin(git: Git, origin: Origin): Promise<Oid> {
  await readOrigin(git, origin);
  const options = ["--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"];
  const doing = `fetch ${origin.branch} of ${origin.shown}`;
  const answer = await git.talk({ args: ["fetch", ...options, "--", origin.url, `+${origin.ref}:${originRef}`], doing, remote: "origin" });
  const fetched = await resolveRef(git, originRef);
  if (fetched === undefined) throw failureOf(answer, { doing, remote: "origin" });
  return fetched;
}

/**
 * Throws REPOSITORY_INVALID when origin cannot be worked with: no repository, no commit, no such branch.
 * A repository of this machine is looked at; an address on a network is only read.
 */
export async function checkOrigin(project: ProjectSource, options: GitOptions): Promise<void> {
  const origin = await findOrigin(project, options.env);
  if (origin.path === undefined) return;
  const inside = join(origin.path, ".git");
  await readOrigin(openGit(existsSync(inside) ? inside : origin.path, options), origin);
}

function invalid(message: string, hint: string, facts: Record<string, unknown> = {}): FactoryError {
  return new FactoryError("REPOSITORY_INVALID", message, { fault: "user", hint, facts });
}
