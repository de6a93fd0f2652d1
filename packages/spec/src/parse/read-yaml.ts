import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseAllDocuments, type YAMLError } from "yaml";
import { type FileText, positionAt } from "../file-text.ts";
import type { Position, Remark } from "../problem.ts";

/** Scalars keep the text that was typed (`true`, `1.10`), so that each field decides what it means. */
export type PlainValue = string | null | readonly PlainValue[] | PlainMap;
export interface PlainMap {
  readonly [key: string]: PlainValue;
}

export type YamlReading =
  | {
      outcome: "read";
      values: ReadonlyMap<string, PlainValue>;
      /** The `x-*` keys, with the values YAML gives them. */
      kept: Readonly<Record<string, unknown>>;
      positions: ReadonlyMap<string, Position>;
      keyPositions: ReadonlyMap<string, Position>;
      remarks: readonly Remark[];
    }
  | { outcome: "refused"; remarks: readonly Remark[] };

interface Reader {
  file: FileText;
  offset: number;
  positions: Map<string, Position>;
  keyPositions: Map<string, Position>;
  remarks: Remark[];
}

/** Reads front matter that starts at `offset` of the file. Anchors, aliases and tags are refused, so nothing is ever expanded. */
export function readYaml(file: FileText, yaml: string, offset: number): YamlReading {
  const reader: Reader = { file, offset, positions: new Map(), keyPositions: new Map(), remarks: [] };
  const documents = parseAllDocuments(yaml, { uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  const document = documents[0] as Document.Parsed | undefined;
  if (document === undefined)
    return refuse(reader, 0, "front-matter-empty", "the front matter is empty; it needs at least modifies or creates, and mostly verify");
  const errors = documents.flatMap((each) => each.errors);
  if (errors.length > 0) return { outcome: "refused", remarks: syntaxRemarks(reader, yaml, errors) };
  const second = documents[1];
  if (second !== undefined)
    return refuse(reader, second.range[0], "second-document", "front matter holds a second YAML document; one file holds one spec");
  const root = document.contents as Node | null;
  if (root === null || (isScalar(root) && root.value === null))
    return refuse(reader, 0, "front-matter-empty", "the front matter is empty; it needs at least modifies or creates, and mostly verify");
  if (!isMap(root))
    return refuse(
      reader,
      startOf(root),
      "front-matter-not-a-map",
      `front matter must be fields (name: value), got ${isSeq(root) ? "a list" : "a text"}${colonHint(yaml)}`,
    );
  const values = new Map<string, PlainValue>();
  const kept: [string, unknown][] = [];
  forEachPair(reader, root.items, "", (key, pair) => {
    const value = toPlain(reader, pair.value as Node | null, key);
    if (value === undefined) return;
    if (key.startsWith("x-")) kept.push([key, (pair.value as Node | null)?.toJS(document) ?? null]);
    else values.set(key, value);
  });
  return {
    outcome: "read",
    values,
    kept: Object.fromEntries(kept),
    positions: reader.positions,
    keyPositions: reader.keyPositions,
    remarks: reader.remarks,
  };
}

function toPlain(reader: Reader, node: Node | null, name: string): PlainValue | undefined {
  if (node === null) return null;
  reader.positions.set(name, positionAt(reader.file, reader.offset + startOf(node)));
  const source =
    node.range === undefined || node.range === null ? "" : reader.file.text.slice(reader.offset + node.range[0], reader.offset + node.range[1]);
  if (isAlias(node)) {
    remark(
      reader,
      startOf(node),
      "alias",
      `${name}: a value that starts with * must be quoted, for example "${source}"; YAML aliases are not used here`,
      name,
    );
    return undefined;
  }
  const { anchor, tag } = node as { anchor?: string; tag?: string };
  if (anchor !== undefined) {
    remark(reader, startOf(node), "alias", `${name}: a value that starts with & must be quoted; YAML anchors are not used here`, name);
    return undefined;
  }
  if (tag !== undefined && !isPlainTag(tag)) {
    remark(reader, startOf(node), "tag", `${name}: a value that starts with ! must be quoted; YAML tags are not used here`, name);
    return undefined;
  }
  if (isScalar(node)) return scalarText(node.value, node.source);
  if (isSeq(node)) return node.items.map((item, i) => toPlain(reader, item as Node | null, `${name}[${i}]`)).filter((item) => item !== undefined);
  if (!isMap(node)) return null;
  const entries: [string, PlainValue][] = [];
  forEachPair(reader, node.items, `${name}.`, (key, pair) => {
    const value = toPlain(reader, pair.value as Node | null, `${name}.${key}`);
    if (value !== undefined) entries.push([key, value]);
  });
  return Object.fromEntries(entries);
}

function scalarText(value: unknown, source: string | undefined): string | null {
  if (value === null) return null;
  if (typeof value === "string") return value;
  return source ?? String(value);
}

function forEachPair(reader: Reader, pairs: readonly Pair[], prefix: string, visit: (key: string, pair: Pair) => void): void {
  const seen = new Set<string>();
  for (const pair of pairs) {
    const keyNode = pair.key as Node | null;
    const key = isScalar(keyNode) ? scalarText(keyNode.value, keyNode.source) : null;
    const at = keyNode === null ? 0 : startOf(keyNode);
    if (key === null || key === "") {
      remark(reader, at, "bad-key", "front matter: a field name must be one word, such as depends_on");
      continue;
    }
    const name = `${prefix}${key}`;
    if (seen.has(key)) {
      remark(reader, at, "duplicate-key", `front matter: ${name} is given twice; keep one`, name);
      continue;
    }
    seen.add(key);
    const position = positionAt(reader.file, reader.offset + at);
    reader.keyPositions.set(name, position);
    reader.positions.set(name, position);
    visit(key, pair);
  }
}

function syntaxRemarks(reader: Reader, yaml: string, errors: readonly YAMLError[]): Remark[] {
  const remarks: Remark[] = [];
  const lines = new Set<number>();
  for (const error of errors) {
    const position = positionAt(reader.file, reader.offset + error.pos[0]);
    if (lines.has(position.line)) continue;
    lines.add(position.line);
    const code = error.code === "TAB_AS_INDENT" ? "tab" : error.code === "BAD_ALIAS" ? "alias" : "yaml";
    remarks.push({ ...position, id: "FM001", severity: "error", code, message: `front matter: ${remedyOf(error, yaml)}` });
  }
  return remarks;
}

function remedyOf(error: YAMLError, yaml: string): string {
  const said = (error.message.split("\n")[0] ?? "").replace(/\.$/, "");
  const code: string = error.code;
  switch (code) {
    case "TAB_AS_INDENT":
      return "a tab indents this line; use spaces";
    case "BAD_ALIAS":
      return 'a value that starts with * must be quoted, for example "*.py"';
    case "BAD_SCALAR_START":
      return `${said}; put the value in double quotes`;
    case "BLOCK_AS_IMPLICIT_KEY":
      return "the value holds a colon followed by a space; put the value in double quotes";
    case "MISSING_CHAR":
      return /quote/.test(said) ? "a quotation mark is never closed" : `${said}${colonHint(yaml)}`;
    case "MULTILINE_IMPLICIT_KEY":
      return `this line is not "name: value"; write a colon and a space after the name${colonHint(yaml)}`;
    case "BAD_INDENT":
      return /sufficiently indented and end with a/.test(said)
        ? `a bracket is never closed; add ${said.slice(-1)}`
        : `${said}; indent with two spaces`;
    default:
      return `${said}; check quotes, colons and indentation${colonHint(yaml)}`;
  }
}

function colonHint(yaml: string): string {
  return /^\s*[\w-]+：/m.test(yaml) ? "; the full-width ：is not a colon of YAML, write : and a space" : "";
}

function isPlainTag(tag: string): boolean {
  return /^tag:yaml\.org,2002:(str|int|float|bool|null|seq|map)$/.test(tag);
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function remark(reader: Reader, at: number, code: Remark["code"], message: string, field?: string): void {
  const position = positionAt(reader.file, reader.offset + at);
  reader.remarks.push({ ...position, id: "FM001", severity: "error", code, message, ...(field === undefined ? {} : { field }) });
}

function refuse(reader: Reader, at: number, code: Remark["code"], message: string): YamlReading {
  remark(reader, at, code, message);
  return { outcome: "refused", remarks: reader.remarks };
}
