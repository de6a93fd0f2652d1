import { coversPath, isGlob } from "@dispatch/core";
import type { ProjectFacts } from "./lint-facts.ts";

/** The tracked files of a project, prepared once so that a thousand specs can ask about a hundred thousand files. */
export interface FileIndex {
  files: readonly string[];
  /** Whether a pattern covers a tracked file. */
  holds(pattern: string): boolean;
  /** Tracked files by the protected pattern that covers them. */
  guarded: ReadonlyMap<string, readonly string[]>;
}

export function indexFiles({ files, protectedPaths }: ProjectFacts): FileIndex | null {
  if (files === null) return null;
  const known = new Set(files);
  for (const file of files) {
    for (let at = file.lastIndexOf("/"); at > 0; at = file.lastIndexOf("/", at - 1)) {
      const folder = file.slice(0, at);
      if (known.has(folder)) break;
      known.add(folder);
    }
  }
  const answers = new Map<string, boolean>();
  const holds = (pattern: string): boolean => {
    if (!isGlob(pattern)) return known.has(pattern.replace(/\/$/, ""));
    const before = answers.get(pattern);
    if (before !== undefined) return before;
    const answer = files.some((file) => coversPath(pattern, file));
    answers.set(pattern, answer);
    return answer;
  };
  const guarded = new Map(protectedPaths.map((guard) => [guard, files.filter((file) => coversPath(guard, file))]));
  return { files, holds, guarded };
}
