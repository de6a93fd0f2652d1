import { FactoryError, type Oid } from "@dispatch/core";
import { usersEnvironment } from "./git-environment.ts";
import { failureOf, type Git, type GitOptions } from "./open-git.ts";
import { runGit } from "./run-git.ts";

export interface HandOver {
  /** Ref of the hub that holds the work. */
  ref: string;
  commit: Oid;
  /** Branch that is to be made, and the person's repository in which. */
  branch: string;
  folder: string;
}

/**
 * Makes a branch in a person's repository that holds work of the hub, by a fetch from there. A branch that exists stays as it
 * is, so nothing that is checked out can move. Done again it changes nothing.
 */
export async function handOver(git: Git, { ref, commit, branch, folder }: HandOver, options: GitOptions): Promise<"made" | "there"> {
  const env = usersEnvironment(options.env);
  const there = ["-C", folder];
  const local = `refs/heads/${branch}`;
  const named = await runGit({ args: ["check-ref-format", "--branch", branch], env });
  if (named.exitCode !== 0 || branch.startsWith("-")) throw refused(`${JSON.stringify(branch)} is not a name for a branch`, "name another with --to");
  const repository = await runGit({ args: [...there, "rev-parse", "--git-dir"], env });
  if (repository.exitCode !== 0) {
    throw new FactoryError("REPOSITORY_INVALID", `${folder} is no git repository: ${repository.stderr.trim()}`, {
      fault: "user",
      hint: "name a clone of the project with --into DIR",
    });
  }
  const before = await commitOf(folder, local, env);
  if (before === commit) return "there";
  if (before !== undefined) {
    throw refused(`${folder} has a branch ${branch} already, at ${before.slice(0, 12)}`, "name another with --to; branches that exist are not moved");
  }
  const quietly = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--refmap="];
  const fetched = await runGit({ args: [...there, "fetch", ...quietly, "--", git.dir, `${ref}:${local}`], env });
  if (fetched.exitCode !== 0) throw failureOf(fetched, { doing: `fetch ${ref} into ${folder}` });
  return "made";
}

async function commitOf(folder: string, ref: string, env: Record<string, string>): Promise<Oid | undefined> {
  const found = await runGit({ args: ["-C", folder, "rev-parse", "--verify", "--quiet", `${ref}^{commit}`], env });
  return found.exitCode === 0 ? found.stdout.toString("utf8").trim() : undefined;
}

function refused(message: string, hint: string): FactoryError {
  return new FactoryError("USAGE", message, { fault: "user", hint });
}
