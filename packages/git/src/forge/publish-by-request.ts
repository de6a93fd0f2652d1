import { FactoryError, type Oid, type ProjectSource, type PublishOutcome, type PullRequestRoute } from "@dispatch/core";
import { branchOf, findOrigin, type Origin, readHeads } from "../look-at-origin.ts";
import type { Git, GitOptions } from "../open-git.ts";
import { readMain } from "../open-hub.ts";
import { asRefusal, movesForward, pushCommit } from "../push-commit.ts";
import { describeLandings, listLandings } from "./describe-landings.ts";
import { forgeAddress } from "./forge-address.ts";
import { keepPullRequest } from "./pull-requests.ts";

/**
 * Pushes main to a branch of the factory's own at origin, by fast-forward only, and keeps one pull request open from there into
 * origin's branch. A branch that somebody else changed is left alone. When origin's branch holds main's contents, all is done.
 */
export async function publishByRequest(git: Git, project: ProjectSource, route: PullRequestRoute, options: GitOptions): Promise<PublishOutcome> {
  const address = forgeAddress(project.repo);
  if (address === undefined) throw notAtForge(route);
  const origin = await findOrigin(project, options.env);
  const main = await readMain(git);
  const heads = await readHeads(git, origin);
  const base = branchOf(origin, heads);
  if (base === main) return { outcome: "published", commit: main };
  if (!(await movesForward(git, base, main))) return { outcome: "origin-moved" };
  if (await sameTree(git, base, main)) return { outcome: "published", commit: main };
  await moveBranch(git, origin, { branch: route.branch, heads, main });
  const place = { forge: route.forge, address, head: route.branch, base: project.branch };
  const url = await keepPullRequest(place, describeLandings(project.id, await listLandings(git, base, main)), options);
  return { outcome: "published", commit: main, url };
}

interface BranchMove {
  branch: string;
  heads: ReadonlyMap<string, Oid>;
  main: Oid;
}

async function moveBranch(git: Git, origin: Origin, { branch, heads, main }: BranchMove): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const before = heads.get(ref);
  if (before === main) return;
  if (before !== undefined && !(await movesForward(git, before, main))) throw changedByOthers(origin, branch, before);
  const failure = await pushCommit(git, origin, { commit: main, ref });
  const after = (await readHeads(git, origin)).get(ref);
  if (after === main) return;
  if (after !== undefined && after !== before) throw changedByOthers(origin, branch, after);
  throw asRefusal(failure, `${branch} of ${origin.shown} stayed at ${before ?? "nothing"}`);
}

async function sameTree(git: Git, left: Oid, right: Oid): Promise<boolean> {
  const { exitCode } = await git.run({
    args: ["diff-tree", "--quiet", "--no-ext-diff", left, right],
    doing: `compare ${left} with ${right}`,
    answers: [0, 1],
  });
  return exitCode === 0;
}

function changedByOthers(origin: Origin, branch: string, there: Oid): FactoryError {
  return new FactoryError(
    "ORIGIN_CONFLICT",
    `${branch} of ${origin.shown} is at ${there.slice(0, 12)}, which is not a commit of main; it is left as it is`,
    {
      fault: "user",
      hint: `somebody else moved it: merge it into ${origin.branch} (or delete it there), or name another publish_branch in dispatch.yaml; then collect again`,
      facts: { branch, there },
    },
  );
}

function notAtForge({ forge }: PullRequestRoute): FactoryError {
  return new FactoryError("REPOSITORY_INVALID", "a pull request needs a repository at GitHub or GitLab, and repo is no address of one", {
    fault: "user",
    hint: `set repo in dispatch.yaml to the address that ${forge} knows, such as https://HOST/OWNER/NAME, or publish: push`,
  });
}
