import { FactoryError, invariant, type Oid } from "@dispatch/core";
import { asOid, type Git } from "./open-git.ts";

export interface CommitHeader {
  tree: Oid;
  parents: readonly Oid[];
  author: { name: string; email: string };
  /** Committer date in ms since the epoch. */
  at: number;
}

export async function readCommit(git: Git, commit: Oid): Promise<CommitHeader> {
  const header = await findCommit(git, commit);
  if (header !== undefined) return header;
  throw new FactoryError("GIT_FAILED", `${git.dir} has no commit ${commit}`);
}

async function findCommit(git: Git, commit: Oid): Promise<CommitHeader | undefined> {
  const found = await git.objects.read(`${asOid(commit)}^{commit}`);
  return found === undefined ? undefined : parseCommit(found.content);
}

/** The lines before the first empty one: `parent OID`, `author NAME <EMAIL> SECONDS ZONE`, and how their text is encoded. Pure. */
export function parseCommit(content: Buffer): CommitHeader {
  const end = content.indexOf("\n\n");
  const header = content.subarray(0, end < 0 ? content.length : end);
  const encoding = /^encoding (.+)$/m.exec(header.toString("latin1"))?.[1];
  const lines = decode(header, encoding).split("\n");
  const [, name = "", email = ""] = /^author (.*?) ?<([^>]*)>/.exec(lines.find((line) => line.startsWith("author ")) ?? "") ?? [];
  const seconds = /> (-?\d+)/.exec(lines.find((line) => line.startsWith("committer ")) ?? "")?.[1];
  const tree = lines.flatMap((line) => /^tree ([0-9a-f]{40})$/.exec(line)?.[1] ?? [])[0];
  invariant(seconds !== undefined && tree !== undefined, "a commit without a committer or a tree");
  return {
    tree,
    parents: lines.flatMap((line) => /^parent ([0-9a-f]{40})$/.exec(line)?.[1] ?? []),
    author: { name, email },
    at: Number(seconds) * 1000,
  };
}

function decode(bytes: Buffer, encoding = "utf-8"): string {
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}

/** So far back an ancestor is looked for one commit at a time; beyond that git is asked. */
const nearCommits = 32;

/** Whether `older` is one of the nearest ancestors of `newer`, or the same. No tells nothing. */
export async function isNear(git: Git, older: Oid, newer: Oid): Promise<boolean> {
  if (older === newer) return true;
  const seen = new Set([newer]);
  for (const commit of seen) {
    if (seen.size > nearCommits) return false;
    // A shallow clone lacks the parents of its oldest commits.
    for (const parent of (await findCommit(git, commit))?.parents ?? []) {
      if (parent === older) return true;
      seen.add(parent);
    }
  }
  return false;
}
