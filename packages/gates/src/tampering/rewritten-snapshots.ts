import type { Finding } from "@dispatch/core";
import { isTestFile, languageOf } from "../language.ts";
import type { ReadChange } from "../read-change.ts";
import { blocked } from "./finding.ts";

const snapshot = /(?:\.snap|\.ambr|\.snapshot|\.approved\.\w+|\.golden|\.verified\.\w+)$|(?:^|\/)(?:__snapshots__|__image_snapshots__|snapshots)\//;

/** Snapshots whose expectations were rewritten while nothing that could change them was. */
export function findRewrittenSnapshots(reads: readonly ReadChange[]): Finding[] {
  if (reads.some(({ change }) => canChangeOutput(change.path))) return [];
  return reads.flatMap(({ change }) => {
    if (!snapshot.test(change.path) || change.kind !== "modified" || (!change.binary && !rewrites(change))) return [];
    const [first] = change.addedLines;
    return [
      blocked({
        path: change.path,
        ...(first === undefined ? {} : { line: first.line }),
        found: change.binary ? "the snapshot was replaced" : `${change.removedLines.length} lines of the snapshot were rewritten`,
        why: "a snapshot says what the code has to give; here it was changed and the code was not",
        hint: "put the snapshot back, and mend the code until it matches",
      }),
    ];
  });
}

/** Names of tests may change, and snapshots may come; what an old one expects may not. */
function rewrites({ removedLines, addedLines }: ReadChange["change"]): boolean {
  const added = new Set(addedLines.map(({ text }) => text.trim()));
  return removedLines.some(({ text }) => !/^exports\[|^#\s*name:/.test(text) && !added.has(text.trim()));
}

function canChangeOutput(path: string): boolean {
  if (snapshot.test(path) || isTestFile(path)) return false;
  // A lockfile brings other versions of what renders.
  return languageOf(path) !== "prose";
}
