import type { DiffText } from "@dispatch/core";
import type { Change, ChangeKind } from "./change.ts";
import { type PatchSection, parsePatch } from "./parse-patch.ts";
import { parseRaw, type RawRecord } from "./parse-raw.ts";

/**
 * The changed paths of a diff, in git's order. The raw part says what changed, the patch adds the lines; a path that
 * only one of them names is kept, so that nothing escapes the gates by being printed oddly. Never throws.
 */
export function parseDiff({ raw, patch, sizes }: DiffText): Change[] {
  const byPath = new Map<string, PatchSection[]>();
  for (const section of parsePatch(patch)) {
    const known = byPath.get(section.path);
    if (known === undefined) byPath.set(section.path, [section]);
    else known.push(section);
  }
  const changes: Change[] = [];
  for (const record of parseRaw(raw)) {
    changes.push(changeOf(record, byPath.get(record.path) ?? [], sizes));
    byPath.delete(record.path);
  }
  for (const sections of byPath.values()) changes.push(changeOf(recordOf(sections), sections, sizes));
  return changes;
}

function changeOf(record: RawRecord, sections: readonly PatchSection[], sizes: DiffText["sizes"]): Change {
  const contentChanged = record.kind !== "mode-changed";
  return {
    ...record,
    binary: contentChanged && (sections.length === 0 || sections.some((section) => section.unreadable)),
    bytes: { before: sizes.get(record.oldOid) ?? 0, after: sizes.get(record.newOid) ?? 0 },
    addedLines: sections.flatMap((section) => section.addedLines),
    removedLines: sections.flatMap((section) => section.removedLines),
    hunks: sections.flatMap((section) => section.hunks),
  };
}

function recordOf(sections: readonly PatchSection[]): RawRecord {
  const first = sections[0];
  const last = sections.at(-1);
  const sides = { oldMode: first?.oldMode ?? "", newMode: last?.newMode ?? "", oldOid: first?.oldOid ?? "", newOid: last?.newOid ?? "" };
  const hasLines = sections.some((section) => section.hunks.length > 0 || section.unreadable);
  let kind: ChangeKind = hasLines || sides.oldMode === sides.newMode ? "modified" : "mode-changed";
  if (sections.length > 1) kind = "type-changed";
  else if (sides.oldMode === "000000") kind = "added";
  else if (sides.newMode === "000000") kind = "deleted";
  return { path: first?.path ?? "", kind, ...sides };
}
