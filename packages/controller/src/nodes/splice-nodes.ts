import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq, parseDocument } from "yaml";

/** An entry of nodes.json as it is written there. */
export type WrittenNode = Readonly<Record<string, unknown>>;

interface Place {
  start: number;
  end: number;
}

/** The text of nodes.json with one more node at its end; everything else stays as it is written. */
export function withNode(text: string, entry: WrittenNode): string {
  const places = placesOf(text);
  const wanted = { ...contentOf(text), nodes: [...nodesOf(text), entry] };
  const last = places.at(-1);
  return pick(wanted, [
    () => (last === undefined ? undefined : insert(text, last.end, `,${entryText(text, last, entry)}`)),
    () => {
      const document = parseDocument(text);
      document.addIn(["nodes"], entry);
      return document.toString();
    },
  ]);
}

/** The text of nodes.json without the nodes of this name. */
export function withoutNode(text: string, name: string): string {
  const nodes = nodesOf(text);
  const kept = nodes.filter((node) => node["name"] !== name);
  const wanted = { ...contentOf(text), nodes: kept };
  const at = nodes.findIndex((node) => node["name"] === name);
  return pick(wanted, [
    () => cutOut(text, placesOf(text), at),
    () => {
      const document = parseDocument(text);
      document.deleteIn(["nodes", at]);
      return document.toString();
    },
  ]);
}

/** The text with this schema named at its top, unless it names one. */
export function withSchema(text: string, schema: string): string {
  const content = contentOf(text);
  if ("$schema" in content) return text;
  const head = /^\s*\{(\s*)/.exec(text);
  if (head === null) return text;
  const line = insert(text, head[0].length, `"$schema": ${JSON.stringify(schema)},${head[1] === "" ? " " : head[1]}`);
  return says(line, { ...content, $schema: schema }) ? line : text;
}

function contentOf(text: string): Record<string, unknown> {
  return (parseDocument(text).toJS() ?? {}) as Record<string, unknown>;
}

function nodesOf(text: string): WrittenNode[] {
  const { nodes } = contentOf(text);
  return Array.isArray(nodes) ? (nodes as WrittenNode[]) : [];
}

/** The first text that says what is wanted; written anew when none does. */
function pick(wanted: object, drafts: readonly (() => string | undefined)[]): string {
  for (const draft of drafts) {
    const text = draft();
    if (text !== undefined && says(text, wanted)) return text;
  }
  return `${JSON.stringify(wanted, null, 2)}\n`;
}

function says(text: string, wanted: object): boolean {
  const document = parseDocument(text, { uniqueKeys: true });
  return document.errors.length === 0 && isDeepStrictEqual(document.toJS(), wanted);
}

/** Where each node stands in the text; empty when they are not written as JSON. */
function placesOf(text: string): Place[] {
  const nodes = parseDocument(text).get("nodes", true);
  if (!isSeq(nodes) || nodes.flow !== true) return [];
  return nodes.items.flatMap((item) => (isMap(item) && item.flow === true && item.range ? [{ start: item.range[0], end: item.range[1] }] : []));
}

/** The entry on lines of its own as the one before stands, or on the same line when all of them share one. */
function entryText(text: string, { start, end }: Place, entry: WrittenNode): string {
  const line = text.lastIndexOf("\n", start - 1);
  const before = text.slice(line + 1, start);
  if (line === -1 || before.trim() !== "") return ` ${JSON.stringify(entry)}`;
  const long = text.slice(start, end).includes("\n");
  const shown = long ? JSON.stringify(entry, null, 2).replaceAll("\n", `\n${before}`) : oneLine(entry);
  return `\n${before}${shown}`;
}

/** As a person writes it: `{ "name": "far", "slots": 8 }`. */
function oneLine(entry: WrittenNode): string {
  const fields = Object.entries(entry).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{ ${fields.join(", ")} }`;
}

/** An entry goes with the comma and the blanks on its far side. */
function cutOut(text: string, places: readonly Place[], at: number): string | undefined {
  const [before, place, after] = [places[at - 1], places[at], places[at + 1]];
  if (place === undefined) return undefined;
  if (after !== undefined) return text.slice(0, place.start) + text.slice(after.start);
  return before === undefined ? undefined : text.slice(0, before.end) + text.slice(place.end);
}

function insert(text: string, at: number, more: string): string {
  return text.slice(0, at) + more + text.slice(at);
}
