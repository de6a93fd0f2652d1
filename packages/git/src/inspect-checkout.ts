import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FactoryError, type Oid } from "@dispatch/core";
import { type Environment, usersEnvironment } from "./git-environment.ts";
import type { Origin } from "./look-at-origin.ts";
import { failureOf, type Git } from "./open-git.ts";
import { runGit } from "./run-git.ts";

/** The worktree in which a person has origin's branch checked out, when origin is a repository on this machine. */
export async function findCheckout(origin: Origin, env: Environment): Promise<string | undefined> {
  if (origin.path === undefined) return undefined;
  const where = existsSync(join(origin.path, ".git")) ? ["-C", origin.path] : [`--git-dir=${origin.path}`];
  const listed = await ask([...where, "worktree", "list", "--porcelain", "-z"], env, origin);
  for (const record of listed.split("\0\0")) {
    const fields = record.split("\0");
    const path = fields.find((field) => field.startsWith("worktree "))?.slice("worktree ".length);
    if (path === undefined || fields.includes("bare") || !existsSync(path)) continue;
    if (fields.includes(`branch ${origin.ref}`) || (await isRebasing(path, origin, env))) return path;
  }
  return undefined;
}

/** While a branch is rebased its worktree says that it is detached. */
async function isRebasing(path: string, origin: Origin, env: Environment): Promise<boolean> {
  const names = await gitPaths(path, ["rebase-merge/head-name", "rebase-apply/head-name"], origin, env);
  return names.some((name) => existsSync(name) && readFileSync(name, "utf8").trim() === origin.ref);
}

/** Refuses to touch a worktree in which anything would be lost or mixed up, and names it. */
export async function requireCleanCheckout(
  git: Git,
  origin: Origin,
  checkout: string,
  move: { from: Oid; to: Oid; env: Environment },
): Promise<void> {
  const { env } = move;
  const marks = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];
  const busy = (await gitPaths(checkout, marks, origin, env)).filter((path) => existsSync(path));
  if (busy.length > 0) throw dirty(checkout, [], "a merge or rebase is under way", "finish it (or abort it) there, then collect again");
  const status = await ask(
    ["-C", checkout, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all"],
    env,
    origin,
  );
  const changed = fieldsOf(status).map((entry) => entry.slice(3));
  if (changed.length > 0) throw dirty(checkout, changed, "has changes that are not committed", "commit or stash them there, then collect again");
  const inTheWay = await findInTheWay(git, origin, checkout, move);
  if (inTheWay.length > 0) {
    throw dirty(checkout, inTheWay, "has files that git does not track where main brings its own", "move them away, then collect again");
  }
}

/** Files git does not track, ignored ones included, at a path that the new commits bring, or where they need a folder. */
async function findInTheWay(git: Git, origin: Origin, checkout: string, move: { from: Oid; to: Oid; env: Environment }): Promise<string[]> {
  const { stdout } = await git.run({
    args: ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A", move.from, move.to],
    doing: `compare ${move.from} with ${move.to}`,
  });
  const occupied = new Set<string>();
  for (const path of fieldsOf(stdout.toString("utf8"))) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      if (kindOf(checkout, path.slice(0, slash)) === "file") occupied.add(path.slice(0, slash));
    }
    if (kindOf(checkout, path) !== "nothing") occupied.add(path);
  }
  const candidates = [...occupied];
  const untracked: string[] = [];
  for (let i = 0; i < candidates.length; i += 500) {
    const listed = await ask(
      ["-C", checkout, "--literal-pathspecs", "ls-files", "--others", "-z", "--", ...candidates.slice(i, i + 500)],
      move.env,
      origin,
    );
    untracked.push(...fieldsOf(listed));
  }
  return untracked;
}

function kindOf(checkout: string, path: string): "nothing" | "file" | "folder" {
  try {
    return lstatSync(join(checkout, path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return "nothing";
    throw error;
  }
}

async function gitPaths(checkout: string, names: readonly string[], origin: Origin, env: Environment): Promise<string[]> {
  const args = ["-C", checkout, "rev-parse", ...names.flatMap((name) => ["--git-path", name])];
  return (await ask(args, env, origin))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => resolve(checkout, line));
}

async function ask(args: readonly string[], env: Environment, origin: Origin): Promise<string> {
  const answer = await runGit({ args: ["--no-optional-locks", ...args], env: usersEnvironment(env) });
  if (answer.exitCode !== 0) throw failureOf(answer, { doing: `look into ${origin.shown}`, remote: "origin" });
  return answer.stdout.toString("utf8");
}

function fieldsOf(listed: string): string[] {
  return listed.split("\0").filter((field) => field !== "");
}

function dirty(checkout: string, files: readonly string[], what: string, hint: string): FactoryError {
  const shown = files.length > 10 ? `${files.slice(0, 10).join(", ")} and ${files.length - 10} more` : files.join(", ");
  return new FactoryError("ORIGIN_DIRTY", `the worktree ${checkout} ${what}${shown === "" ? "" : `: ${shown}`}`, {
    fault: "user",
    hint,
    facts: { checkout, files },
  });
}
