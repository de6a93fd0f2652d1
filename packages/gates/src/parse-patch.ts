import type { ChangedLine, Hunk } from "./change.ts";
import { unquotePath } from "./unquote-path.ts";

/** What a patch says of one path. A change of type has two sections: the deletion and the addition. */
export interface PatchSection {
  path: string;
  oldMode: string;
  newMode: string;
  oldOid: string;
  newOid: string;
  /** A binary marker stands instead of lines, or a hunk ended before its counts did. */
  unreadable: boolean;
  addedLines: ChangedLine[];
  removedLines: ChangedLine[];
  hunks: Hunk[];
}

const hunkHeader = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/s;
const sectionStart = "diff --git ";

/**
 * The sections of a patch, in order. Lines belong to a hunk by the counts of its header, never by how they begin,
 * so content that looks like a header stays content.
 */
export function parsePatch(patch: string): PatchSection[] {
  const lines = patch.split("\n");
  const sections: PatchSection[] = [];
  let section: PatchSection | undefined;
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] ?? "";
    i += 1;
    if (line.startsWith(sectionStart)) {
      section = openSection(pathOfHeader(line.slice(sectionStart.length)));
      sections.push(section);
      continue;
    }
    if (section === undefined) continue;
    const match = hunkHeader.exec(line);
    if (match !== null) i = readHunk(lines, i, hunkOf(match), section);
    else readExtendedHeader(line, section);
  }
  return sections.filter((each) => each.path !== "");
}

function openSection(path: string): PatchSection {
  return { path, oldMode: "", newMode: "", oldOid: "", newOid: "", unreadable: false, addedLines: [], removedLines: [], hunks: [] };
}

/** Both names are the same without rename detection, which makes the unquoted form unambiguous by its length. */
function pathOfHeader(names: string): string {
  if (names.startsWith('"')) return stripPrefix(unquotePath(names, 0)?.path ?? "");
  const half = (names.length - 1) / 2;
  if (Number.isInteger(half) && stripPrefix(names.slice(0, half)) === stripPrefix(names.slice(half + 1))) return stripPrefix(names.slice(0, half));
  const second = names.lastIndexOf(" b/");
  return second < 0 ? names : names.slice(second + 3);
}

function stripPrefix(name: string): string {
  return /^[a-z]\//.test(name) ? name.slice(2) : name;
}

function hunkOf(match: RegExpExecArray): Hunk {
  const [, oldStart = "0", oldLines = "1", newStart = "0", newLines = "1", heading = ""] = match;
  return {
    oldStart: Number(oldStart),
    oldLines: Number(oldLines),
    newStart: Number(newStart),
    newLines: Number(newLines),
    heading: withoutReturn(heading),
  };
}

function readHunk(lines: readonly string[], start: number, hunk: Hunk, section: PatchSection): number {
  section.hunks.push(hunk);
  let oldLine = hunk.oldStart;
  let newLine = hunk.newStart;
  const oldEnd = hunk.oldStart + hunk.oldLines;
  const newEnd = hunk.newStart + hunk.newLines;
  let i = start;
  while (oldLine < oldEnd || newLine < newEnd) {
    const line = lines[i];
    const mark = line?.charAt(0);
    if (line === undefined) break;
    if (mark === "+" && newLine < newEnd) section.addedLines.push({ line: newLine++, text: withoutReturn(line.slice(1)) });
    else if (mark === "-" && oldLine < oldEnd) section.removedLines.push({ line: oldLine++, text: withoutReturn(line.slice(1)) });
    else if (mark === " " && oldLine < oldEnd && newLine < newEnd) {
      oldLine += 1;
      newLine += 1;
    } else if (mark !== "\\") break;
    i += 1;
  }
  if (oldLine < oldEnd || newLine < newEnd) section.unreadable = true;
  return i;
}

function readExtendedHeader(line: string, section: PatchSection): void {
  const mode = /^(old|new|deleted file|new file) mode ([0-7]{6})$/.exec(line);
  if (mode !== null) {
    const [, side = "", digits = ""] = mode;
    if (side === "old" || side === "deleted file") section.oldMode = digits;
    else section.newMode = digits;
    if (side === "deleted file") section.newMode = "000000";
    if (side === "new file") section.oldMode = "000000";
    return;
  }
  const index = /^index ([0-9a-f]+)\.\.([0-9a-f]+)(?: ([0-7]{6}))?$/.exec(line);
  if (index !== null) {
    section.oldOid = index[1] ?? "";
    section.newOid = index[2] ?? "";
    section.oldMode ||= index[3] ?? "";
    section.newMode ||= index[3] ?? "";
    return;
  }
  if (line.startsWith("Binary files ") || line === "GIT binary patch" || line.startsWith("@@")) section.unreadable = true;
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
