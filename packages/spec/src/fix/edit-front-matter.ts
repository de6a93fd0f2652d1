import type { Position, Repair } from "../problem.ts";
import { yamlScalar } from "../spec-template.ts";

/** Where the values of the front matter stand. */
type Positions = ReadonlyMap<string, Position>;

/** The text with a repair made and every other byte as it was; undefined when the place has a form that is not edited safely. */
export function editFrontMatter(text: string, positions: Positions, repair: Repair): string | undefined {
  const mark = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const rows = text.slice(mark.length).split("\n");
  const edited = editRows(rows, positions, repair);
  return edited === undefined ? undefined : mark + edited.join("\n");
}

function editRows(rows: readonly string[], positions: Positions, repair: Repair): string[] | undefined {
  switch (repair.do) {
    case "rename":
      return renameKey(rows, repair.key, repair.to);
    case "set":
      return setValue(rows, positions, repair);
    case "add":
      return addItem(rows, positions, repair.field, yamlScalar(repair.value));
  }
}

function closingRow(rows: readonly string[]): number {
  return rows.findIndex((row, i) => i > 0 && /^(?:---|\.\.\.)[ \t]*\r?$/.test(row));
}

function insertRows(rows: readonly string[], at: number, added: readonly string[]): string[] {
  const end = rows[Math.max(0, at - 1)]?.endsWith("\r") === true ? "\r" : "";
  return [...rows.slice(0, at), ...added.map((row) => `${row}${end}`), ...rows.slice(at)];
}

function replaced(rows: readonly string[], at: number, row: string): string[] {
  return rows.map((each, i) => (i === at ? row : each));
}

function renameKey(rows: readonly string[], key: string, to: string): string[] | undefined {
  const end = closingRow(rows);
  const at = rows.findIndex((row, i) => i > 0 && i < end && row.startsWith(key) && /^[ \t]*:(?:\s|$)/.test(row.slice(key.length)));
  return at === -1 ? undefined : replaced(rows, at, to + (rows[at] ?? "").slice(key.length));
}

function newField(rows: readonly string[], field: string, lines: readonly string[]): string[] | undefined {
  const end = closingRow(rows);
  if (end === -1 || !/^[a-z_]+$/.test(field)) return undefined;
  return insertRows(rows, end, lines);
}

function setValue(rows: readonly string[], positions: Positions, repair: Extract<Repair, { do: "set" }>): string[] | undefined {
  const { field, value, from } = repair;
  const place = positions.get(field);
  if (place === undefined) {
    if (typeof value === "string") return newField(rows, field, [`${field}: ${yamlScalar(value)}`]);
    return newField(rows, field, [`${field}:`, ...value.map((each) => `  - ${yamlScalar(each)}`)]);
  }
  if (typeof value !== "string") return undefined;
  const at = place.line - 1;
  const row = rows[at] ?? "";
  const start = place.column - 1;
  const token = scalarAt(row, start, insideBrackets(rows, positions, field));
  if (token === undefined || (from !== undefined && token.value !== from)) return undefined;
  const written = token.mark === "'" ? `'${value.replaceAll("'", "''")}'` : token.mark === '"' ? JSON.stringify(value) : yamlScalar(value);
  return replaced(rows, at, row.slice(0, start) + written + row.slice(token.end));
}

interface Token {
  /** The quotation mark, or empty. */
  mark: string;
  value: string;
  end: number;
}

/** A scalar that begins and ends in the row; undefined for blocks, lists and values without a sure end. */
function scalarAt(row: string, start: number, inBrackets: boolean): Token | undefined {
  const text = row.slice(start).replace(/\r$/, "");
  const mark = text.charAt(0);
  if (mark === '"' || mark === "'") {
    const quoted = mark === '"' ? /^"((?:[^"\\])*)"/.exec(text) : /^'((?:[^']|'')*)'/.exec(text);
    return quoted === null ? undefined : { mark, value: (quoted[1] ?? "").replaceAll("''", "'"), end: start + quoted[0].length };
  }
  if (/^[[{|>&*!#%@`]/.test(mark) || mark === "") return undefined;
  const plain = (inBrackets ? /^[^,[\]{}#\n]+/ : /^(?:[^#\n]|(?<=\S)#)+/).exec(text)?.[0].trimEnd() ?? "";
  return plain === "" || /:(?:\s|$)/.test(plain) ? undefined : { mark: "", value: plain, end: start + plain.length };
}

/** Whether the entry of a list stands between brackets. */
function insideBrackets(rows: readonly string[], positions: Positions, field: string): boolean {
  const list = /^([a-z_]+)\[/.exec(field)?.[1];
  const place = list === undefined ? undefined : positions.get(list);
  return place !== undefined && rows[place.line - 1]?.charAt(place.column - 1) === "[";
}

function addItem(rows: readonly string[], positions: Positions, field: string, item: string): string[] | undefined {
  const place = positions.get(field);
  if (place === undefined) return newField(rows, field, [`${field}: [${item}]`]);
  const at = place.line - 1;
  const row = rows[at] ?? "";
  const start = place.column - 1;
  const value = row.slice(start);
  if (value.startsWith("[")) return addInBrackets(rows, at, start, item);
  if (/^-\s/.test(value)) return addAsRow(rows, positions, field, row.slice(0, start), item);
  const empty = new RegExp(`^${field}[ \\t]*:[ \\t]*(?=\\r?$|#|~|null)`).exec(row);
  if (empty !== null && /^(?:\r?$|~|null|#)/.test(value.startsWith(field) ? "" : value.trimStart())) {
    const rest = row.slice(empty[0].length).replace(/^(?:~|null)/, "");
    return replaced(rows, at, `${empty[0].trimEnd()} [${item}]${rest.startsWith("#") ? " " : ""}${rest}`);
  }
  const token = scalarAt(row, start, false);
  if (token === undefined) return undefined;
  return replaced(rows, at, `${row.slice(0, start)}[${row.slice(start, token.end)}, ${item}]${row.slice(token.end)}`);
}

/** Ids hold no brackets and no quotation marks, so that the first closing bracket is the right one. */
function addInBrackets(rows: readonly string[], from: number, start: number, item: string): string[] | undefined {
  for (let at = from; at < rows.length; at++) {
    const row = rows[at] ?? "";
    const close = row.indexOf("]", at === from ? start : 0);
    if (row.slice(at === from ? start : 0, close === -1 ? undefined : close).includes("#")) return undefined;
    if (close === -1) continue;
    const inside =
      rows
        .slice(from, at)
        .join("\n")
        .slice(start + 1) + row.slice(at === from ? start + 1 : 0, close);
    const bare = inside.trim();
    const glue = bare === "" ? "" : bare.endsWith(",") ? " " : ", ";
    const before = row.slice(0, close);
    if (before.trim() === "" && at > from) {
      const last = (rows[at - 1] ?? "").replace(/\r$/, "").trimEnd();
      const end = rows[at - 1]?.endsWith("\r") === true ? "\r" : "";
      return replaced(rows, at - 1, `${last}${glue}${item}${end}`);
    }
    return replaced(rows, at, `${before.trimEnd()}${glue}${item}${/\s*$/.exec(before)?.[0] ?? ""}${row.slice(close)}`);
  }
  return undefined;
}

function addAsRow(rows: readonly string[], positions: Positions, field: string, indent: string, item: string): string[] | undefined {
  let last = -1;
  for (let i = 0; ; i++) {
    const place = positions.get(`${field}[${i}]`);
    if (place === undefined) break;
    last = place.line - 1;
  }
  if (last === -1 || indent.trim() !== "") return undefined;
  return insertRows(rows, last + 1, [`${indent}- ${item}`]);
}
