/** What happened to one path between two trees. */
export type ChangeKind = "added" | "modified" | "deleted" | "type-changed" | "mode-changed";

/** One line of a diff. `line` is 1-based; `text` has no line ending (neither LF nor CRLF). */
export interface ChangedLine {
  line: number;
  text: string;
}

/** Where a group of changed lines stands. `heading` is the line git names as the enclosing function or class. */
export interface Hunk {
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  heading: string;
}

/** One changed path. Renames appear as a deletion and an addition. */
export interface Change {
  /** Repository-relative POSIX path; bytes that are not UTF-8 appear as U+FFFD. */
  path: string;
  kind: ChangeKind;
  /** Six octal digits as git writes them; `000000` where the path did not exist. */
  oldMode: string;
  newMode: string;
  oldOid: string;
  newOid: string;
  /** Git showed no lines although the content changed, or what it showed cannot be read. */
  binary: boolean;
  /** Sizes of the file; 0 where it is not, or where its size is not known. */
  bytes: { before: number; after: number };
  /** Numbered in the new version of the file. */
  addedLines: readonly ChangedLine[];
  /** Numbered in the old version of the file. */
  removedLines: readonly ChangedLine[];
  hunks: readonly Hunk[];
}

export const symlinkMode = "120000";
export const submoduleMode = "160000";
