import { type Oid, type ProjectId, taskIdOf } from "@dispatch/core";
import { asOid, type Git, isAncestor } from "../open-git.ts";
import type { PullRequestText } from "./pull-requests.ts";

export interface Landed {
  specId: string;
  subject: string;
}

/** Forges refuse longer texts. */
const maxBodyLength = 50_000;

/** How far back what was squashed into origin's branch is looked for. */
const maxBaseCommits = 1000;

/**
 * The specs that main has and origin's branch has not, oldest first. What was squashed or rebased into origin's branch is
 * there under other commits: where one of those has the tree of a commit of main and came after it, all before that is there.
 */
export async function listLandings(git: Git, base: Oid, main: Oid): Promise<readonly Landed[]> {
  const atBase = await logOf(git, ["--first-parent", `--max-count=${maxBaseCommits}`, "--format=%T%x09%H", base]);
  const landed: Landed[] = [];
  const format = "--format=%H%x09%T%x09%P%x09%(trailers:key=Gate-Tree,valueonly,separator=%x20)";
  for (const line of await logOf(git, ["--first-parent", format, `${base}..${main}`])) {
    const [commit = "", tree = "", parents = "", gateTree = ""] = line.split("\t");
    const alike = atBase.filter((known) => known.startsWith(`${tree}\t`)).map((known) => known.slice(tree.length + 1));
    if (await someCameAfter(git, alike, commit)) break;
    const [before, merged] = parents.split(" ");
    if (gateTree === "" || before === undefined || merged === undefined) continue;
    landed.unshift(...(await listMerges(git, before, merged)));
  }
  return landed;
}

async function someCameAfter(git: Git, commits: readonly Oid[], earlier: Oid): Promise<boolean> {
  for (const commit of commits) if (!(await isAncestor(git, commit, earlier))) return true;
  return false;
}

/** One landing holds one merge for each of its branches, in a chain that starts at what main was. */
async function listMerges(git: Git, before: string, merged: string): Promise<Landed[]> {
  const format = "--format=%(trailers:key=Spec-Id,valueonly,separator=%x20)%x09%s";
  const lines = await logOf(git, ["--first-parent", "--reverse", format, `${asOid(before)}..${asOid(merged)}`]);
  return lines.flatMap((line) => {
    const [specId = "", subject = ""] = line.split("\t");
    return specId === "" ? [] : [{ specId, subject: subject.replace(`Merge ${specId}: `, "") }];
  });
}

async function logOf(git: Git, args: readonly string[]): Promise<string[]> {
  const { stdout } = await git.run({ args: ["log", ...args, "--"], doing: "list what has landed" });
  return stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** Title and body of the pull request: one line for each spec. */
export function describeLandings(project: ProjectId, landed: readonly Landed[]): PullRequestText {
  const [first, ...others] = landed;
  const lines = landed.map(({ specId, subject }) => `- ${taskIdOf(project, specId)}: ${subject}`);
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > maxBodyLength) break;
    kept.push(line);
  }
  const left = lines.length - kept.length;
  return {
    title:
      first === undefined
        ? `Publish main of ${project}`
        : others.length === 0
          ? `Land ${first.specId}: ${first.subject}`
          : `Land ${landed.length} specs`,
    body: [
      `Landed by Dispatch: ${landed.length} ${landed.length === 1 ? "spec" : "specs"}, oldest first. The tests passed on every commit of the first-parent line.`,
      "",
      ...kept,
      ...(left === 0 ? [] : [`- and ${left} more`]),
      "",
    ].join("\n"),
  };
}
