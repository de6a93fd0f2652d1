import type { AttemptId, Oid } from "@dispatch/core";
import { keptBy, linesOf, listRefs } from "./kept-work.ts";
import { asOid, type Git, resolveRef } from "./open-git.ts";
import { mainRef } from "./open-hub.ts";
import { hubStart } from "./read-history.ts";

/** A commit that came to main since the hub was made. */
export interface LandedCommit {
  commit: Oid;
  tree: Oid;
  parents: readonly Oid[];
  /** Specs that its trailers name. */
  specs: readonly string[];
}

export interface MainHistory {
  /** Null when there is no main. */
  main: Oid | null;
  /** Main when the hub was made; null when nothing says so, and then `commits` are all there are. */
  start: Oid | null;
  /** All that main holds beyond the start, newest first. */
  commits: readonly LandedCommit[];
}

/** Everything that main holds beyond what it held when the hub was made; `known` is what else is known of that. */
export async function mainHistory(git: Git, known: Oid | null): Promise<MainHistory> {
  const main = (await resolveRef(git, mainRef)) ?? null;
  const start = (await hubStart(git)) ?? known;
  if (main === null) return { main, start, commits: [] };
  const format = "--format=%H%x00%T%x00%P%x00%(trailers:key=Spec-Id,valueonly,separator=%x20)";
  const range = start === null ? [main] : [main, `^${start}`];
  const { stdout } = await git.run({ args: ["log", "-z", format, ...range, "--"], doing: "read the history of main" });
  const fields = stdout.toString("utf8").split("\0");
  const commits: LandedCommit[] = [];
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [commit = "", tree = "", parents = "", specs = ""] = fields.slice(i, i + 4);
    commits.push({ commit: asOid(commit), tree: asOid(tree), parents: wordsOf(parents), specs: wordsOf(specs) });
  }
  return { main, start, commits };
}

/** A commit that an attempt is said to have left. */
export interface Claim {
  attempt: AttemptId;
  commit: Oid;
}

/** Where a commit is: whether the hub has it at all, and which refs hold it. */
export interface Holding {
  present: boolean;
  onMain: boolean;
  /** Refs of the attempt from which it can be reached. */
  refs: readonly string[];
}

/** What holds the commits that attempts left; in the order of the claims. */
export async function findHolders(git: Git, claims: readonly Claim[]): Promise<readonly Holding[]> {
  const refs = await listRefs(git, "refs/dispatch");
  const present = await presentCommits(git, claims);
  const beside = await besideMain(git, [...present]);
  const holdings: Holding[] = [];
  for (const { attempt, commit } of claims) {
    if (!present.has(commit)) {
      holdings.push({ present: false, onMain: false, refs: [] });
      continue;
    }
    const ofAttempt = ({ ref }: { ref: string }): boolean => keptBy(ref)?.attempt === attempt;
    const exact = refs.filter((kept) => kept.commit === commit && ofAttempt(kept)).map(({ ref }) => ref);
    const onMain = !beside.has(commit);
    const held = exact.length > 0 || onMain ? exact : (await refsWith(git, commit)).filter((ref) => ofAttempt({ ref }));
    holdings.push({ present: true, onMain, refs: held });
  }
  return holdings;
}

async function presentCommits(git: Git, claims: readonly Claim[]): Promise<Set<Oid>> {
  const found = await Promise.all([...new Set(claims.map(({ commit }) => asOid(commit)))].map((commit) => git.objects.look(commit)));
  return new Set(found.flatMap((object) => (object?.type === "commit" ? [object.oid] : [])));
}

/** Those of some commits that main does not hold; all of them when there is no main. */
async function besideMain(git: Git, commits: readonly Oid[]): Promise<ReadonlySet<Oid>> {
  if (commits.length === 0 || (await resolveRef(git, mainRef)) === undefined) return new Set(commits);
  const input = `${commits.join("\n")}\n^${mainRef}\n`;
  const { stdout } = await git.run({ args: ["rev-list", "--stdin"], doing: "compare with main", input });
  return new Set(linesOf(stdout));
}

async function refsWith(git: Git, commit: Oid): Promise<string[]> {
  const args = ["for-each-ref", `--contains=${asOid(commit)}`, "--format=%(refname)", "refs/dispatch"];
  return linesOf((await git.run({ args, doing: `look for refs that hold ${commit}` })).stdout);
}

/** What is missing or broken in the hub, in git's words; empty when all that refs name is there. */
export async function checkObjects(git: Git): Promise<readonly string[]> {
  const args = ["fsck", "--connectivity-only", "--no-dangling", "--no-progress"];
  const any = Array.from({ length: 256 }, (_, code) => code);
  const { exitCode, stdout, stderr } = await git.run({ args, doing: "check the hub", answers: any });
  if (exitCode === 0) return [];
  const lines = [...linesOf(stdout), ...linesOf(Buffer.from(stderr))];
  return lines.length === 0 ? [`git fsck ended with ${exitCode}`] : lines;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
