import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { textNow, writeBeside } from "./write-beside.ts";

/** A new text of a spec, ready to be put in its place. */
export interface PreparedFile {
  /**
   * Replaces the file, durably, in one turn: all of the new text or the file as it was. Throws SPEC_CHANGED when the
   * file no longer has the text the edit started from.
   */
  place(): void;
  /** Takes the new text away again, unless it was placed. */
  discard(): Promise<void>;
}

/**
 * Writes the new text of a spec beside its file. `path` is relative to the factory; `base` is the text that may be
 * replaced. A file that has the new text already is no obstacle: an edit whose answer was lost may be repeated.
 */
export async function prepareSpecFile(dir: string, path: string, texts: { base: string; next: string }): Promise<PreparedFile> {
  const file = join(dir, path);
  const inboxPath = `${factoryPaths.pendingSpecs}/${basename(path)}`;
  const inbox = join(dir, inboxPath);
  const beside = await writeBeside(file, texts.next);
  return {
    place() {
      // A file that was fed but not moved yet is the same file.
      const inInbox = textNow(file) === undefined && textNow(inbox) !== undefined;
      const now = textNow(inInbox ? inbox : file);
      if (now !== undefined && now !== texts.base && now !== texts.next) throw editedBeside(inInbox ? inboxPath : path);
      beside.swap();
      if (inInbox) rmSync(inbox, { force: true });
    },
    discard: beside.discard,
  };
}

function editedBeside(path: string): FactoryError {
  return new FactoryError("SPEC_CHANGED", `${path} was edited as a file and not fed since`, {
    fault: "user",
    hint: "feed that edit (dispatch feed PROJECT, or dispatch retry TASK --edited) or undo it; then make yours again on top of it",
    facts: { file: path },
  });
}
