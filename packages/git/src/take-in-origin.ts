import { FactoryError, type Oid, type ProjectSource, type TakeInOutcome } from "@dispatch/core";
import { fetchOrigin, findOrigin } from "./look-at-origin.ts";
import { mergeText } from "./merge-text.ts";
import { type Git, type GitOptions, isAncestor } from "./open-git.ts";
import { readMain } from "./open-hub.ts";
import { readCommit } from "./read-commit.ts";
import { dispatchAuthor, writeCommit } from "./write-commit.ts";

/** Keeps the candidate while it waits for its tests. */
const candidateRef = "refs/gate/origin";

/** Fetches origin's branch and says what main would be with the commits of others in it. Moves nothing. */
export async function takeInOrigin(git: Git, project: ProjectSource, options: GitOptions): Promise<TakeInOutcome> {
  const found = await findOrigin(project, options.env);
  const origin = await fetchOrigin(git, found);
  const main = await readMain(git);
  if (await isAncestor(git, origin, main)) return { outcome: "unchanged", main };
  const commits = await countCommits(git, main, origin);
  if (await isAncestor(git, main, origin)) return pinned(git, origin, commits);
  await requireCommonHistory(git, main, origin, found.shown);
  const merged = await mergeText(git, main, origin);
  if (merged.outcome === "conflict") return { outcome: "conflict", paths: merged.paths, origin, hub: git.dir };
  const candidate = await writeCommit(git, {
    tree: merged.tree,
    parents: [main, origin],
    subject: `Take in ${commits} ${commits === 1 ? "commit" : "commits"} of origin's ${found.branch}`,
    trailers: [],
    author: dispatchAuthor,
    // Rather than the time of day: taking in the same commits again gives the same candidate.
    at: Math.max((await readCommit(git, main)).at, (await readCommit(git, origin)).at),
  });
  return pinned(git, candidate, commits);
}

async function pinned(git: Git, candidate: Oid, commits: number): Promise<TakeInOutcome> {
  await git.run({ args: ["update-ref", candidateRef, candidate], doing: `pin ${candidate}` });
  return { outcome: "ahead", candidate, commits };
}

async function requireCommonHistory(git: Git, main: Oid, origin: Oid, shown: string): Promise<void> {
  const { exitCode } = await git.run({ args: ["merge-base", main, origin], doing: `compare main with ${shown}`, answers: [0, 1] });
  if (exitCode === 0) return;
  throw new FactoryError("REPOSITORY_INVALID", `${shown} has no commit in common with main ${main.slice(0, 12)}`, {
    fault: "user",
    hint: "repo or branch of the project names another repository now, or its history was replaced; register it as a new project",
  });
}

async function countCommits(git: Git, from: Oid, to: Oid): Promise<number> {
  return Number(await git.read("count commits", "rev-list", "--count", `${from}..${to}`));
}
