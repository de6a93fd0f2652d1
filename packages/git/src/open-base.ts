import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FactoryError, type Oid, type ProjectSource } from "@dispatch/core";
import { ownEnvironment, usersEnvironment } from "./git-environment.ts";
import { findOrigin, localPath } from "./look-at-origin.ts";
import { asOid, failureOf, type Git, type GitOptions, openGit, resolveRef, treeOf } from "./open-git.ts";
import { mainRef } from "./open-hub.ts";
import { readFiles } from "./read-files.ts";
import { listFiles } from "./read-history.ts";
import { runGit } from "./run-git.ts";

/** What a project's specs are written against, to be looked at without changing anything. */
export interface BaseView {
  revision: Oid;
  /** Git's name for all the files of the revision together. */
  tree: Oid;
  listFiles(): Promise<readonly string[]>;
  readFiles(paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Writes the files into an empty folder, with a repository of its own that borrows the objects. Leaves no trace elsewhere. */
  checkOut(folder: string): Promise<void>;
}

/**
 * The newest main of a project that this machine has: the hub's, or while there is no hub that of an origin that is a
 * folder here. Undefined when it lies on a network. Throws REPOSITORY_INVALID when the folder is no such repository.
 */
export async function openBase(hub: string, project: ProjectSource, options: GitOptions): Promise<BaseView | undefined> {
  if (existsSync(hub)) return viewOf(openGit(hub, options), mainRef, options);
  if (localPath(project.repo) === undefined) return undefined;
  const origin = await findOrigin(project, options.env);
  const dir = await gitDirOf(origin.path ?? "", options);
  return viewOf(openGit(dir, options), origin.ref, options);
}

async function viewOf(git: Git, ref: string, options: GitOptions): Promise<BaseView> {
  const revision = await resolveRef(git, ref);
  if (revision === undefined) {
    throw new FactoryError("REPOSITORY_INVALID", `${git.dir} has no branch ${ref.replace(/^refs\/heads\//, "")}`, {
      fault: "user",
      hint: "see branch of the project in dispatch.yaml",
    });
  }
  const tree = await treeOf(git, revision);
  return {
    revision,
    tree,
    listFiles: () => listFiles(git, revision),
    readFiles: (paths) => readFiles(git, revision, paths),
    checkOut: (folder) => checkOut(git, revision, folder, options),
  };
}

/** The repository of a folder, also where the folder is a worktree of another one. */
async function gitDirOf(folder: string, options: GitOptions): Promise<string> {
  const answer = await runGit({
    args: ["-C", folder, "rev-parse", "--path-format=absolute", "--git-common-dir"],
    env: usersEnvironment(options.env),
  });
  if (answer.exitCode !== 0) throw failureOf(answer, { doing: `look into ${folder}` });
  return answer.stdout.toString("utf8").replace(/\n$/, "");
}

/** Writes the files of a revision into an empty folder, with a repository of its own that borrows the objects of `git`. */
export async function checkOut(git: Git, revision: Oid, folder: string, options: GitOptions): Promise<void> {
  const doing = `write the files of ${revision}`;
  const objects = await git.run({ args: ["rev-parse", "--path-format=absolute", "--git-path", "objects"], doing });
  const made = await runGit({ args: ["init", "--quiet", "--template=", folder], env: ownEnvironment(options.env) });
  if (made.exitCode !== 0) throw failureOf(made, { doing });
  const alternates = join(folder, ".git", "objects", "info", "alternates");
  await mkdir(dirname(alternates), { recursive: true });
  await writeFile(alternates, objects.stdout);
  const scratch = openGit(join(folder, ".git"), options);
  await scratch.run({ args: [`--work-tree=${folder}`, "checkout", "--quiet", "--detach", "--force", revision], doing });
}

/** Puts files of another revision over what `checkOut` wrote into a folder; a path that this revision lacks is an error. */
export async function layOver(revision: Oid, folder: string, paths: readonly string[], options: GitOptions): Promise<void> {
  const scratch = openGit(join(folder, ".git"), options);
  const args = [`--work-tree=${folder}`, "checkout", "--quiet", "--force", asOid(revision), "--pathspec-from-file=-", "--pathspec-file-nul"];
  await scratch.run({ args, doing: `write ${paths.length} files of ${revision}`, input: paths.join("\0") });
}
