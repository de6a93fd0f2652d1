import type { AttemptId, Oid } from "@dispatch/core";
import { pathText } from "./compare-deltas.ts";
import { asOid, type Git } from "./open-git.ts";
import { mainRef, readMain } from "./open-hub.ts";
import { deltaOf, listFiles } from "./read-history.ts";

/** One branch of a landing: the inner merge commit, which can be taken back by itself. */
export interface LandedMerge {
  /** Parents: what was there before it, and the branch's tip. */
  commit: Oid;
  specId: string;
  attempt: AttemptId;
  /** Every path it changed. */
  paths: readonly string[];
}

export type FoundLanding =
  /** `merges`: newest first. */
  | { found: "landing"; commit: Oid; merges: readonly LandedMerge[] }
  /** A commit of main that no car of ours made: it came with origin. */
  | { found: "taken-in"; commit: Oid; subject: string }
  | { found: "several"; commits: readonly Oid[] }
  /** No commit of main's first-parent line has this name. */
  | { found: "nothing" };

/** What landed with a commit of main's first-parent line, which may be named by its first digits. */
export async function findLanding(git: Git, name: string): Promise<FoundLanding> {
  const line = await git.read("list the commits of main", "rev-list", "--first-parent", mainRef, "--");
  const named = line.split("\n").filter((oid) => oid !== "" && oid.startsWith(name));
  const [only, ...others] = named;
  if (only === undefined) return { found: "nothing" };
  if (others.length > 0) return { found: "several", commits: named.map(asOid) };
  const commit = asOid(only);
  const about = await git.read(
    "read a landing",
    "log",
    "-1",
    "--format=%s%x00%P%x00%(trailers:key=Gate-Tree,valueonly,separator=%x20)",
    commit,
    "--",
  );
  const [subject = "", parents = "", gateTree = ""] = about.trim().split("\0");
  const [onto, merge] = parents.split(" ");
  if (gateTree === "" || onto === undefined || merge === undefined) return { found: "taken-in", commit, subject };
  const merges = await mergesBetween(git, asOid(onto), asOid(merge));
  return merges.length === 0 ? { found: "taken-in", commit, subject } : { found: "landing", commit, merges };
}

/** Of these paths, those that main has now. */
export async function pathsOnMain(git: Git, paths: readonly string[]): Promise<readonly string[]> {
  const there = new Set(await listFiles(git, await readMain(git)));
  return paths.filter((path) => there.has(path));
}

async function mergesBetween(git: Git, onto: Oid, newest: Oid): Promise<LandedMerge[]> {
  const trailer = (key: string): string => `%(trailers:key=${key},valueonly,separator=%x20)`;
  const format = `--format=%H%x00%P%x00${trailer("Spec-Id")}%x00${trailer("Spec-Attempt")}`;
  const { stdout } = await git.run({
    args: ["log", "--first-parent", format, `${onto}..${newest}`, "--"],
    doing: `list what landed with ${newest}`,
  });
  const merges: LandedMerge[] = [];
  for (const line of stdout.toString("utf8").split("\n")) {
    const [commit = "", parents = "", specId = "", attempt = ""] = line.split("\0");
    const [before, tip] = parents.split(" ");
    if (before === undefined || tip === undefined || attempt === "") continue;
    const delta = await deltaOf(git, asOid(before), asOid(commit));
    const paths = delta.map(({ path }) => pathText(path));
    merges.push({ commit: asOid(commit), specId, attempt, paths });
  }
  return merges;
}
