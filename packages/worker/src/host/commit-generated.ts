import { coversAny, type GenerateJob, generatedRef, type Oid } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import { type GitRun, gitText, runGit } from "../git/run-git.ts";
import type { Host } from "./host.ts";
import { adminDirOf, placeOf } from "./verify-places.ts";

/**
 * Commits what lies in the job's worktree under the paths of its files, and nothing else that commands left there, on the job's
 * commit. The commit is kept until the next one of the same bay. Undefined where there is no worktree any more.
 */
export async function commitGenerated(host: Host, { project, commit, bay, files }: GenerateJob): Promise<Oid | undefined> {
  const repository = nodeRepositoryPath(host.home, project);
  const { worktree } = placeOf(host, project, bay);
  const adminDir = adminDirOf(worktree, repository);
  if (adminDir === undefined) return undefined;
  const run: GitRun = { gitDir: adminDir, workTree: worktree };
  const patterns = files.flatMap(({ paths }) => paths);
  const changed = (await runGit(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"], run))
    .toString("utf8")
    .split("\0")
    .map((line) => line.slice(3))
    .filter((path) => path !== "" && coversAny(patterns, path));
  if (changed.length > 0) await runGit(["add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"], { ...run, input: changed.join("\0") });
  const tree = await gitText(["write-tree"], run);
  const made = await gitText(["commit-tree", "-p", commit, "-m", "Make generated files again", tree], run);
  await runGit(["update-ref", generatedRef(bay), made], { gitDir: repository });
  return made;
}
