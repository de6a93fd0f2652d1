import { existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Oid } from "@dispatch/core";
import { keptBy, linesOf } from "./kept-work.ts";
import { asOid, type Git, resolveRef } from "./open-git.ts";

/** A ref that was let go of. Its commit can be brought back until somebody has git remove what no ref holds. */
export interface PrunedRef {
  ref: string;
  commit: Oid;
  because: string;
  /** ms since the epoch. */
  at: number;
}

/** One line of JSON for each ref, written before it goes. */
function journalOf(git: Git): string {
  return join(git.dir, "pruned.ndjson");
}

/**
 * Takes refs away that hold what attempts left, where they still name the commit that was looked at. Each is written down
 * first, on disk, so that whatever is missing later is explained. Returns those that went.
 */
export async function pruneRefs(git: Git, refs: readonly Omit<PrunedRef, "at">[], at: number): Promise<readonly PrunedRef[]> {
  const gone: PrunedRef[] = [];
  for (const { ref, commit, because } of refs) {
    if (keptBy(ref) === undefined || (await resolveRef(git, ref)) !== asOid(commit)) continue;
    gone.push({ ref, commit, because, at });
  }
  if (gone.length === 0) return gone;
  await append(journalOf(git), gone.map((pruned) => `${JSON.stringify(pruned)}\n`).join(""));
  const input = gone.map(({ ref, commit }) => `delete ${ref} ${commit}\n`).join("");
  await git.run({ args: ["update-ref", "--stdin"], doing: "let go of what attempts left", input });
  return gone;
}

async function append(file: string, text: string): Promise<void> {
  const handle = await open(file, "a+");
  try {
    const { size } = await handle.stat();
    const torn = size > 0 && (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString() !== "\n";
    await handle.appendFile(torn ? `\n${text}` : text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Every ref that was let go of, in order. A line that a crash cut off tells nothing: its ref was not touched. */
export async function prunedRefs(git: Git): Promise<readonly PrunedRef[]> {
  const file = journalOf(git);
  if (!existsSync(file)) return [];
  return linesOf(await readFile(file)).flatMap((line) => {
    try {
      return [JSON.parse(line) as PrunedRef];
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  });
}
