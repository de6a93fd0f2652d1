import type { Hunk } from "./change.ts";
import type { Language } from "./language.ts";
import type { LexedLine } from "./lex-lines.ts";

/** A body that stands in for code. `key` is the text by which the same stub is known again when it was only moved. */
export interface Stub {
  line: number;
  text: string;
  key: string;
}

/** What a stub finder sees: lines that follow one another, and where git says they stand. */
export interface StubScene {
  run: readonly LexedLine[];
  path: string;
  language: Language;
  /** The hunk that holds the run, when the lines are added ones. */
  hunk: Hunk | undefined;
  /** The line of the new file below the run, when the file was read. */
  below: string | undefined;
}

/** Messages with which code says that it does not exist. */
export function isUnfinishedMessage(text: string): boolean {
  return (
    /\bnot\s+(?:yet\s+)?implemented\b|\bunimplemented\b|\bimplement\s+me\b|\bto\s+be\s+implemented\b|\bnot\s+supported\s+yet\b|待实现|未实现/i.test(
      text,
    ) || /^\W*(?:todo|fixme|stub|placeholder|tbd)\s*(?:[:!.…-].*)?$/i.test(text)
  );
}
