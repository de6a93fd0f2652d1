import { type Change, type ChangedLine, type Hunk, submoduleMode, symlinkMode } from "./change.ts";
import { type Language, languageOf } from "./language.ts";
import { type LexedLine, lexRun, runsOf } from "./lex-lines.ts";

/** A changed file with its lines taken apart, in runs that follow one another without a gap. */
export interface ReadChange {
  change: Change;
  language: Language;
  added: readonly (readonly LexedLine[])[];
  removed: readonly (readonly LexedLine[])[];
}

/** The changes that are files, taken apart once for all that read them. */
export function readChanges(changes: readonly Change[]): ReadChange[] {
  return changes.filter(isFile).map((change) => {
    const language = languageOf(change.path);
    const lex = (lines: readonly ChangedLine[]) => runsOf(lines).map((run) => lexRun(run, language));
    return { change, language, added: lex(change.addedLines), removed: lex(change.removedLines) };
  });
}

function isFile({ oldMode, newMode }: Change): boolean {
  return ![oldMode, newMode].some((mode) => mode === submoduleMode || mode === symlinkMode);
}

/** The hunk in whose new part an added line stands. */
export function hunkOfAdded(hunks: readonly Hunk[], line: number): Hunk | undefined {
  return hunks.find((hunk) => line >= hunk.newStart && line < hunk.newStart + hunk.newLines);
}

/** The hunk in whose old part a removed line stands. */
export function hunkOfRemoved(hunks: readonly Hunk[], line: number): Hunk | undefined {
  return hunks.find((hunk) => line >= hunk.oldStart && line < hunk.oldStart + hunk.oldLines);
}
