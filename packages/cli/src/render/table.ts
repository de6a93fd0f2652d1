import { fitText, oneLine, padText, textWidth } from "./text-width.ts";

export interface Column {
  title: string;
  align?: "start" | "end";
  /** Takes what the other columns leave, and gives first when there is not enough. At most one column grows. */
  grow?: boolean;
}

export interface Cell {
  text: string;
  paint?: (text: string) => string;
}

const gap = 2;
const narrowest = 6;

/** A head and one line per row, each at most `width` columns wide, without blanks at the end. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number, head?: (text: string) => string): string[] {
  const texts = rows.map((row) => row.map((cell) => oneLine(cell.text)));
  const widths = fitWidths(columns, texts, width);
  const titles = columns.map((column) => ({ text: column.title, ...(head === undefined ? {} : { paint: head }) }));
  return [titles, ...rows].map((cells) => tableLine(columns, cells, widths));
}

function tableLine(columns: readonly Column[], cells: readonly Cell[], widths: readonly number[]): string {
  const parts: string[] = [];
  const last = columns.findLastIndex((_, i) => (widths[i] ?? 0) > 0 && (cells[i]?.text ?? "") !== "");
  for (const [i, column] of columns.entries()) {
    const cell = cells[i];
    const width = widths[i] ?? 0;
    if (i > last || width === 0) continue;
    const text = fitText(oneLine(cell?.text ?? ""), width);
    const painted = cell?.paint === undefined ? text : cell.paint(text);
    parts.push(i === last && column.align !== "end" ? painted : padText(painted, width, column.align));
  }
  return parts.join(" ".repeat(gap));
}

/** Natural widths; too wide, the growing column shrinks first, then the widest of the others, and the last ones vanish. */
function fitWidths(columns: readonly Column[], texts: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map((column, i) => Math.max(textWidth(column.title), ...texts.map((row) => textWidth(row[i] ?? ""))));
  let over = total(widths) - width;
  const grow = columns.findIndex((column) => column.grow === true);
  if (over > 0 && grow >= 0) over -= shrink(widths, grow, over);
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    const given = shrink(widths, widest, 1);
    if (given === 0) break;
    over -= given;
  }
  for (let i = widths.length - 1; i > 0 && total(widths) > width; i--) widths[i] = 0;
  const first = widths[0];
  if (first !== undefined && first > width) widths[0] = width;
  return widths;
}

function total(widths: readonly number[]): number {
  const shown = widths.filter((width) => width > 0);
  return shown.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, shown.length - 1);
}

function shrink(widths: number[], i: number, by: number): number {
  const now = widths[i] ?? 0;
  const next = Math.max(Math.min(now, narrowest), now - by);
  widths[i] = next;
  return now - next;
}
