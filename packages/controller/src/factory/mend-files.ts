import type { Task } from "@dispatch/core";
import { type FixedSpec, fixSpecs, type LintFacts, type ParsedFile } from "@dispatch/spec";
import { textNow, writeBeside } from "./write-beside.ts";

/** What `lint --fix` did to a file. */
export interface MendedFile {
  file: string;
  fixes: FixedSpec["fixes"];
  /** Null: it was written. Else why it was left as it is. */
  leftBecause: string | null;
}

/** A file that may be mended. */
export interface MendableFile extends ParsedFile {
  /** Absolute. */
  path: string;
  text: string;
}

/**
 * Mends what can be mended safely in `files`, which are part of `set`. Each file is replaced as a whole, and only when it
 * still has the text that was judged. The spec of a task that has begun is left alone: a feed would refuse the edit.
 */
export async function mendFiles(
  files: readonly MendableFile[],
  set: readonly ParsedFile[],
  known: { facts: LintFacts; tasks: readonly Task[] },
): Promise<MendedFile[]> {
  const mended: MendedFile[] = [];
  const byName = new Map(files.map((file) => [file.file, file]));
  for (const fixed of fixSpecs(set, known.facts)) {
    const file = byName.get(fixed.file);
    if (file === undefined) continue;
    const leftBecause = begun(file, known.tasks) ?? (await replace(file, fixed.text));
    mended.push({ file: fixed.file, fixes: fixed.fixes, leftBecause });
  }
  return mended;
}

function begun({ parsed }: MendableFile, tasks: readonly Task[]): string | null {
  if (parsed.outcome !== "parsed") return null;
  const task = tasks.find(({ project, spec }) => project === parsed.spec.project && spec.id === parsed.spec.id);
  if (task === undefined || (task.state.kind === "planned" && task.state.tries === 0)) return null;
  return `its task is ${task.state.kind}; dispatch spec edit ${task.id} edits it where that is allowed`;
}

async function replace({ path, text }: MendableFile, next: string): Promise<string | null> {
  const beside = await writeBeside(path, next);
  try {
    if (textNow(path) !== text) return "it was changed meanwhile; lint it again";
    beside.swap();
    return null;
  } finally {
    await beside.discard();
  }
}
