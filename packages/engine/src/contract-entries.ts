import { anchorKey, type ContractChange } from "@dispatch/core";
import { parseContract } from "@dispatch/spec";

/** Contract files of one revision: text by path. */
export type ContractTexts = ReadonlyMap<string, string>;

/** What became of an entry, with its words on both sides; null where it is not there. */
export interface EntryChange extends ContractChange {
  before: string | null;
  after: string | null;
}

/** One entry in its own words. The anchor is empty for what stands outside of all entries. */
interface Entry {
  /** In the file's own spelling. */
  anchor: string;
  text: string;
  /** Two entries with the same digest say the same. */
  digest: string;
}

/** How entries differ between two revisions, by file and in the order in which they stand. A change of layout alone is none. */
export function compareContracts(before: ContractTexts, after: ContractTexts): EntryChange[] {
  const files = [...new Set([...before.keys(), ...after.keys()])].sort();
  return files.flatMap((file) => {
    if (before.get(file) === after.get(file)) return [];
    const old = entriesOf(file, before.get(file));
    const now = entriesOf(file, after.get(file));
    return [...new Set([...now.keys(), ...old.keys()])].flatMap((key): EntryChange[] => {
      const was = old.get(key);
      const is = now.get(key);
      if (was?.digest === is?.digest) return [];
      const change = was === undefined ? "added" : is === undefined ? "removed" : "changed";
      return [{ file, anchor: (is ?? was)?.anchor ?? "", change, before: was?.text ?? null, after: is?.text ?? null }];
    });
  });
}

/** A citation of a spec, `FILE#ANCHOR` or `FILE` for the whole of it. */
export interface Citation {
  /** As the spec writes it. */
  text: string;
  file: string;
  anchor: string | null;
}

export function parseCitation(text: string): Citation {
  const hash = text.indexOf("#");
  if (hash < 0) return { text, file: text, anchor: null };
  const anchor = text.slice(hash + 1).trim();
  return { text, file: text.slice(0, hash), anchor: anchor === "" ? null : anchor };
}

/** The words a citation stands for, or undefined when there is nothing under its name. */
export function citedText(texts: ContractTexts, citation: Citation): string | undefined {
  const text = texts.get(citation.file);
  if (text === undefined || citation.anchor === null) return text;
  return entriesOf(citation.file, text).get(anchorKey(citation.anchor))?.text;
}

/** Anchors of a file that can be cited. */
export function anchorsOf(texts: ContractTexts, file: string): string[] {
  return [...entriesOf(file, texts.get(file)).values()].flatMap(({ anchor }) => (anchor === "" ? [] : [anchor]));
}

/** Whether a change is one of what a spec cites. Who cites a file as a whole cites everything in it. */
export function isCited(change: ContractChange, citations: readonly Citation[]): boolean {
  return citations.some(({ file, anchor }) => file === change.file && (anchor === null || anchorKey(anchor) === anchorKey(change.anchor)));
}

export function nameOf({ file, anchor }: ContractChange): string {
  return anchor === "" ? `${file} (outside of its entries)` : `${file}#${anchor}`;
}

/** By `anchorKey`. Of two entries with one name the first counts. */
function entriesOf(file: string, text: string | undefined): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  if (text === undefined) return entries;
  const lines = text.split(/\r?\n/);
  const inside = new Set<number>();
  for (const { anchor, line, digest } of parseContract(file, text).anchors) {
    const end = endOfBlock(lines, line - 1);
    for (let i = line - 1; i < end; i++) inside.add(i);
    const key = anchorKey(anchor);
    if (!entries.has(key))
      entries.set(key, {
        anchor,
        text: lines
          .slice(line - 1, end)
          .join("\n")
          .trimEnd(),
        digest,
      });
  }
  const rest = lines
    .filter((_, i) => !inside.has(i))
    .join("\n")
    .trim();
  if (rest !== "") entries.set("", { anchor: "", text: rest, digest: rest.replaceAll(/\s+/g, " ") });
  return entries;
}

/** Index after the last line of the block that a heading, or the key of a YAML or JSON document, opens. */
function endOfBlock(lines: readonly string[], start: number): number {
  const opening = lines[start] ?? "";
  const level = headingLevel(opening);
  let fence = "";
  for (let i = start + 1; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (level === 0) {
      if (line.trim() !== "" && indentOf(line) <= indentOf(opening)) return i;
      continue;
    }
    const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1] ?? "";
    if (fence === "" && mark !== "") fence = mark;
    else if (fence !== "" && mark.startsWith(fence)) fence = "";
    const found = fence === "" ? headingLevel(line) : 0;
    if (found > 0 && found <= level) return i;
  }
  return lines.length;
}

function headingLevel(line: string): number {
  return /^ {0,3}(#{1,6})(?:\s|$)/.exec(line)?.[1]?.length ?? 0;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
