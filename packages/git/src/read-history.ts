import { existsSync } from "node:fs";
import { readFile as readText } from "node:fs/promises";
import { join } from "node:path";
import { blobsInDiff, type DiffText, type Oid } from "@dispatch/core";
import { type PathChange, parseRawDiff } from "./compare-deltas.ts";
import { asOid, type Git } from "./open-git.ts";
import { mainRef } from "./open-hub.ts";
import { isNear } from "./read-commit.ts";
import { sizesOf } from "./read-files.ts";

const exact = ["--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--no-color"];

/** The commit two histories forked at, or undefined when there is none, or more than one. */
export function mergeBaseOf(git: Git, left: Oid, right: Oid): Promise<Oid | undefined> {
  return git.remember(`base ${left} ${right}`, () => findMergeBase(git, left, right));
}

async function findMergeBase(git: Git, left: Oid, right: Oid): Promise<Oid | undefined> {
  if (await isNear(git, left, right)) return left;
  const { stdout } = await git.run({
    args: ["merge-base", "--all", asOid(left), asOid(right)],
    doing: `find the merge base of ${left} and ${right}`,
    answers: [0, 1],
  });
  const [base, ...others] = stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
  return base === undefined || others.length > 0 ? undefined : asOid(base);
}

export async function deltaOf(git: Git, from: Oid, to: Oid): Promise<PathChange[]> {
  return parseRawDiff(await rawDiff(git, from, to));
}

function rawDiff(git: Git, from: Oid, to: Oid): Promise<Buffer> {
  return git.remember(`diff ${from} ${to}`, async () => {
    const { stdout } = await git.run({
      args: ["diff-tree", "-r", "-z", "--raw", ...exact, asOid(from), asOid(to)],
      doing: `compare ${from} with ${to}`,
    });
    return stdout;
  });
}

/**
 * The change from the merge base to the tip. Where an agent's history has no single merge base,
 * the change from the base itself: then the gates see all of it, and it will not land.
 */
export async function diffOf(git: Git, base: Oid, tip: Oid): Promise<DiffText> {
  const from = (await mergeBaseOf(git, base, tip)) ?? asOid(base);
  const raw = await rawDiff(git, from, tip);
  const patch = await git.run({ args: ["diff-tree", "-p", "-U0", ...exact, from, asOid(tip)], doing: `compare ${from} with ${tip}` });
  const sizes = await sizesOf(git, blobsInDiff(raw.toString("latin1")));
  return { raw: raw.toString("utf8"), patch: patch.stdout.toString("utf8"), sizes };
}

export async function listFiles(git: Git, revision: Oid): Promise<readonly string[]> {
  const { stdout } = await git.run({
    args: ["ls-tree", "-r", "-z", "--name-only", "--full-tree", asOid(revision)],
    doing: `list the files of ${revision}`,
  });
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "");
}

/** A commit of main, as the report shows it. */
export interface MainCommit {
  commit: Oid;
  subject: string;
  /** Null for commits that no task of ours landed. */
  specId: string | null;
  /** Committer date in ms since the epoch. */
  at: number;
}

/** The newest commits of main's first-parent line, newest first. */
export async function firstParentLog(git: Git, limit: number): Promise<readonly MainCommit[]> {
  const format = "--format=%H%x00%ct%x00%s%x00%(trailers:key=Spec-Id,valueonly,separator=%x20)";
  const text = await git.read("read the log of main", "log", "-z", "--first-parent", `--max-count=${limit}`, format, mainRef, "--");
  const fields = text.split("\0");
  const commits: MainCommit[] = [];
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [commit = "", seconds = "", subject = "", specId = ""] = fields.slice(i, i + 4);
    commits.push({ commit: asOid(commit), subject, specId: specId === "" ? null : specId, at: Number(seconds) * 1000 });
  }
  return commits;
}

/** Ids of the specs that landed since the hub was made, also where somebody merged main into a line of their own. */
export async function landedSpecs(git: Git): Promise<readonly string[]> {
  const { stdout } = await git.run({
    args: ["log", "--grep=^Gate-Tree: ", "--format=%(trailers:key=Spec-Id,valueonly)", await sinceHub(git), "--"],
    doing: "list the specs that landed",
  });
  return [
    ...new Set(
      stdout
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== ""),
    ),
  ];
}

/** Everything on main that was not there when the hub was made; all of main when its log does not say. */
async function sinceHub(git: Git): Promise<string> {
  const first = await hubStart(git);
  return first === undefined ? mainRef : `${first}..${mainRef}`;
}

/** Where main was when the hub was made, as far as its log says. */
export async function hubStart(git: Git): Promise<Oid | undefined> {
  const log = join(git.dir, "logs", mainRef);
  return existsSync(log) ? /^[0-9a-f]{40} ([0-9a-f]{40}) /.exec(await readText(log, "utf8"))?.[1] : undefined;
}
