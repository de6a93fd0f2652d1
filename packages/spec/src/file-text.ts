import type { Position } from "./problem.ts";

/** A file without byte order mark and with LF line ends. Lines and columns are those of the file as it lies on disk. */
export interface FileText {
  text: string;
  /** Offset of the first character of every line. */
  lineStarts: readonly number[];
}

export function readFileText(raw: string): FileText {
  const text = (raw.startsWith("\uFEFF") ? raw.slice(1) : raw).replaceAll("\r\n", "\n");
  const lineStarts = [0];
  for (let i = text.indexOf("\n"); i !== -1; i = text.indexOf("\n", i + 1)) lineStarts.push(i + 1);
  return { text, lineStarts };
}

/** Line and column of an offset; offsets beyond the end give the end. */
export function positionAt({ text, lineStarts }: FileText, offset: number): Position {
  const at = Math.max(0, Math.min(offset, text.length));
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - (lineStarts[low] ?? 0) + 1 };
}

/** Position of every part of a spec that a problem may point to, by its name: `modifies[0]`, `goal`, `acceptance[2]`. */
export type Positions = ReadonlyMap<string, Position>;

/** Where a part stands; when it has no place of its own, where the nearest part around it stands; else the top of the file. */
export function positionOf(positions: Positions, name: string): Position {
  for (let at = name; at !== ""; at = at.replace(/(\.[^.[]*|\[\d+\]|^[^.[]*)$/, "")) {
    const known = positions.get(at);
    if (known !== undefined) return known;
    if (!/[.[]/.test(at)) break;
  }
  return { line: 1, column: 1 };
}
