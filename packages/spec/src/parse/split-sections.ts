import { headingKind, type SectionKind } from "./heading-kind.ts";

export interface BodyLine {
  /** 1-based line in the file. */
  line: number;
  /** As it stands in the file. */
  raw: string;
  /** Without HTML comments; empty inside a comment. */
  text: string;
  /** With spaces in place of HTML comments, so that columns are those of the file. */
  shown: string;
  /** Line of the fence that this line is in; 0 outside of fences. */
  fence: number;
  /** Whether the line opens or closes a fence. */
  mark: boolean;
}

export interface Section {
  kind: SectionKind;
  heading: string;
  level: number;
  /** 1-based line of the heading. */
  line: number;
  /** The lines below the heading as they stand, without empty ones at both ends. */
  text: string;
}

export interface BodySection extends Section {
  lines: readonly BodyLine[];
}

export interface Body {
  /** The first level-1 heading. */
  title: string | null;
  /** What stands before the first section, without the title. */
  preamble: string;
  sections: readonly BodySection[];
  lines: readonly BodyLine[];
  /** Lines of fences that never close; they count as ordinary text. */
  openFences: readonly number[];
}

const maxHeading = 400;
const headingPattern = /^ {0,3}(#{1,3})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;

/**
 * Cuts a body at its headings of level 2 and 3, not looking into code fences. A level-3 heading
 * that is no known one belongs to the level-2 section around it.
 */
export function splitSections(body: string, firstLine: number): Body {
  const { lines, openFences } = scanLines(body, firstLine);
  let title: string | null = null;
  const preamble: BodyLine[] = [];
  const open: { kind: SectionKind; heading: string; level: number; line: number; lines: BodyLine[] }[] = [];
  for (const line of lines) {
    const match = line.fence === 0 && !line.mark && line.text.length <= maxHeading ? headingPattern.exec(line.text) : null;
    const current = open.at(-1);
    if (match === null) {
      (current?.lines ?? preamble).push(line);
      continue;
    }
    const level = match[1]?.length ?? 2;
    const heading = match[2] ?? "";
    if (level === 1 && title === null && current === undefined) {
      title = heading.trim() === "" ? null : heading.trim();
      continue;
    }
    const kind = level === 1 ? "other" : headingKind(heading);
    if (current !== undefined && level > current.level && kind === "other" && level === 3) current.lines.push(line);
    else open.push({ kind, heading: heading.trim(), level, line: line.line, lines: [] });
  }
  const sections = open.map((section) => ({ ...section, text: joinRaw(section.lines) }));
  return { title, preamble: joinRaw(preamble), sections, lines, openFences };
}

/** Text of a section for code that reads it: without HTML comments. */
export function visibleText(section: BodySection): string {
  return section.lines
    .map((line) => line.text)
    .join("\n")
    .trim();
}

function joinRaw(lines: readonly BodyLine[]): string {
  return lines
    .map((line) => line.raw)
    .join("\n")
    .replace(/^(?:[ \t]*\n)+/, "")
    .trimEnd();
}

interface OpenFence {
  line: number;
  marker: string;
  escaped: boolean;
  key: string;
}

function scanLines(body: string, firstLine: number): { lines: BodyLine[]; openFences: number[] } {
  const rows = body.split("\n");
  const lines: BodyLine[] = [];
  const openFences: number[] = [];
  let fence: OpenFence | null = null;
  let comment = false;
  /** Fences that are known to have no closing line below, so that no line is searched for twice. */
  const unclosed = new Set<string>();
  for (const [i, raw] of rows.entries()) {
    const line = firstLine + i;
    if (fence !== null) {
      const closes = closesFence(raw, fence);
      lines.push({ line, raw, text: raw, shown: raw, fence: fence.line, mark: closes });
      if (closes) fence = null;
      continue;
    }
    const visible = withoutComments(raw, comment);
    comment = visible.open;
    const opening = openingFence(visible.text, line);
    if (opening !== null && !unclosed.has(opening.key) && hasClosing(rows, i, opening)) fence = opening;
    else if (opening !== null) {
      unclosed.add(opening.key);
      openFences.push(line);
    }
    lines.push({ line, raw, text: visible.text, shown: visible.shown, fence: fence?.line ?? 0, mark: fence !== null });
  }
  return { lines, openFences };
}

function openingFence(text: string, line: number): OpenFence | null {
  const match = /^\s*(?:[-*+]\s+)?(\\?`\\?`\\?`[`\\]*|~~~+)/.exec(text);
  if (match === null) return null;
  const mark = match[1] ?? "";
  const rest = text.slice(match[0].length);
  if (mark.includes("`") && rest.includes("`")) return null;
  return { line, marker: mark.replaceAll("\\", ""), escaped: mark.includes("\\"), key: mark };
}

function closesFence(raw: string, fence: OpenFence): boolean {
  const text = raw.trim();
  const bare = fence.escaped ? text.replaceAll("\\", "") : text;
  return bare.startsWith(fence.marker) && bare.replaceAll(fence.marker.charAt(0), "") === "";
}

function hasClosing(rows: readonly string[], from: number, fence: OpenFence): boolean {
  for (let i = from + 1; i < rows.length; i++) if (closesFence(rows[i] ?? "", fence)) return true;
  return false;
}

function withoutComments(raw: string, openBefore: boolean): { text: string; shown: string; open: boolean } {
  let text = "";
  let shown = "";
  let open = openBefore;
  for (let at = 0; at < raw.length; ) {
    const mark = raw.indexOf(open ? "-->" : "<!--", at);
    const end = mark === -1 ? raw.length : mark;
    if (!open) text += raw.slice(at, end);
    const next = mark === -1 ? raw.length : mark + (open ? 3 : 4);
    shown += open ? " ".repeat(next - at) : raw.slice(at, end) + " ".repeat(next - end);
    if (mark === -1) break;
    at = next;
    open = !open;
  }
  return { text, shown, open };
}
