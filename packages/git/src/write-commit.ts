import type { Oid } from "@dispatch/core";
import { asOid, type Git } from "./open-git.ts";

export interface NewCommit {
  tree: Oid;
  parents: readonly Oid[];
  subject: string;
  trailers: readonly (readonly [name: string, value: string])[];
  author: { name: string; email: string };
  /** ms since the epoch, for author and committer; the same input gives the same commit. */
  at: number;
}

export const dispatchAuthor = { name: "Dispatch", email: "dispatch@localhost" };

export async function writeCommit(git: Git, commit: NewCommit): Promise<Oid> {
  const date = `@${Math.floor(commit.at / 1000)} +0000`;
  const parents = [...new Set(commit.parents)].flatMap((parent) => ["-p", asOid(parent)]);
  const { stdout } = await git.run({
    args: ["commit-tree", asOid(commit.tree), ...parents, "-F", "-"],
    doing: `commit ${commit.subject}`,
    input: composeMessage(commit.subject, commit.trailers),
    env: {
      GIT_AUTHOR_NAME: usable(commit.author.name),
      GIT_AUTHOR_EMAIL: usable(commit.author.email),
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: dispatchAuthor.name,
      GIT_COMMITTER_EMAIL: dispatchAuthor.email,
      GIT_COMMITTER_DATE: date,
    },
  });
  return asOid(stdout.toString("utf8"));
}

/** One subject line and one block of trailers; nothing that comes in can start a line of its own. */
function composeMessage(subject: string, trailers: NewCommit["trailers"]): string {
  const lines = trailers.map(([name, value]) => `${name}: ${onOneLine(value)}`);
  return lines.length === 0 ? `${onOneLine(subject)}\n` : `${onOneLine(subject)}\n\n${lines.join("\n")}\n`;
}

function onOneLine(text: string): string {
  return text.replace(/[\s\0]+/g, " ").trim();
}

/** git refuses names that consist of nothing but these characters. */
function usable(name: string): string {
  return /[^\s.,:;<>"\\'\0-\x20]/.test(name) ? onOneLine(name) : "unknown";
}
