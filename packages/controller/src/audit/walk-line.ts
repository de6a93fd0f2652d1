import type { Oid } from "@dispatch/core";
import type { LandedCommit, MainHistory } from "@dispatch/git";

/** A commit main was at. */
export interface LineCommit extends LandedCommit {
  /** It was taken in from origin. */
  takenIn: boolean;
}

/**
 * The commits main was at since the hub was made, newest first. These are its first parents, but where commits of others
 * were taken in: there main was at the commit before the take-in, wherever that is among the parents now.
 * `complete`: they lead back to where the hub began.
 */
export function walkLine(
  { main, start, commits }: MainHistory,
  takenIn: readonly { from: Oid; to: Oid }[],
): { line: readonly LineCommit[]; complete: boolean } {
  const byId = new Map(commits.map((commit) => [commit.commit, commit]));
  const before = new Map(takenIn.map(({ from, to }) => [to, from]));
  const line: LineCommit[] = [];
  const seen = new Set<Oid>();
  let at = main ?? undefined;
  while (at !== undefined && at !== start && !seen.has(at)) {
    seen.add(at);
    const commit = byId.get(at);
    if (commit === undefined) return { line, complete: false };
    const from = before.get(at);
    line.push({ ...commit, takenIn: from !== undefined });
    at = from ?? commit.parents[0];
  }
  return { line, complete: start === null || at === start };
}
