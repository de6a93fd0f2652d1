import type { ReadableFile } from "../lint/lint-facts.ts";
import type { SectionKind } from "../parse/heading-kind.ts";
import type { AcceptanceItem } from "../parse/parse-acceptance.ts";
import type { Position } from "../problem.ts";
import { withoutCode } from "./find-words.ts";

/** A piece of a spec's text as a person reads it, on one line. */
export interface Passage {
  /** Code in backticks and comments are spaces here. */
  text: string;
  /** With the code. */
  whole: string;
  kind: SectionKind | "title";
  /** The criterion it belongs to. */
  item: AcceptanceItem | undefined;
  /** Where an offset of the text is in the file. */
  placeOf(offset: number): Position;
}

const known = new WeakMap<ReadableFile["parsed"], readonly Passage[]>();

/** The title, the criteria of the front matter, and the lines of the body outside of code fences and headings. */
export function readPassages(file: ReadableFile): readonly Passage[] {
  const before = known.get(file.parsed);
  if (before !== undefined) return before;
  const passages = [...ofFields(file), ...ofBody(file)];
  known.set(file.parsed, passages);
  return passages;
}

const maxText = 64 * 1024;

/** All text of some sections, code included, fences and comments left out. */
export function textOf({ parsed }: ReadableFile, kinds: readonly SectionKind[]): string {
  return parsed.lines
    .filter(({ kind, fenced, heading }) => !fenced && !heading && kinds.includes(kind))
    .map(({ text }) => text)
    .join("\n")
    .slice(0, maxText);
}

function ofBody({ parsed }: ReadableFile): Passage[] {
  const inBody = parsed.document.given.has("acceptance") ? [] : parsed.document.acceptance;
  let next = 0;
  return parsed.lines.flatMap(({ line, kind, text, fenced, heading }): Passage[] => {
    while ((inBody[next]?.line ?? Number.POSITIVE_INFINITY) <= line) next += 1;
    if (fenced || heading || text.trim() === "") return [];
    const item = kind === "acceptance" ? inBody[next - 1] : undefined;
    return [{ text: withoutCode(text), whole: text, kind, item, placeOf: (offset) => ({ line, column: offset + 1 }) }];
  });
}

/** Texts of the front matter may be quoted, so that a word is looked for in the line where its field stands. */
function ofFields({ parsed }: ReadableFile): Passage[] {
  const { spec, document, text } = parsed;
  const rows = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const passage = (kind: Passage["kind"], whole: string, part: string, item?: AcceptanceItem): Passage => {
    const start = document.positions.get(part) ?? { line: 1, column: 1 };
    const at = rows[start.line - 1]?.indexOf(whole) ?? -1;
    return {
      text: withoutCode(whole),
      whole,
      kind,
      item,
      placeOf: (offset) => (at === -1 ? start : { line: start.line, column: at + offset + 1 }),
    };
  };
  const title = document.given.has("title") ? [passage("title", spec.title, "title")] : [];
  const criteria = document.given.has("acceptance")
    ? document.acceptance.map((item, i) => passage("acceptance", item.text, `acceptance[${i}]`, item))
    : [];
  return [...title, ...criteria];
}
