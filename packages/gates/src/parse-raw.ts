import type { ChangeKind } from "./change.ts";

/** One record of `git diff-tree --raw -z`. */
export interface RawRecord {
  path: string;
  kind: ChangeKind;
  oldMode: string;
  newMode: string;
  oldOid: string;
  newOid: string;
}

const header = /^:([0-7]{6}) ([0-7]{6}) ([0-9a-f]+)\.* ([0-9a-f]+)\.* ([A-Z])\d*$/;
const nowhere = "000000";

/** The records of NUL-separated raw output, in order. What is no record is passed over. */
export function parseRaw(raw: string): RawRecord[] {
  const tokens = raw.split("\0");
  const records: RawRecord[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const match = header.exec(tokens[i] ?? "");
    const path = tokens[i + 1];
    if (match === null || path === undefined || path === "") continue;
    const [, oldMode = nowhere, newMode = nowhere, oldOid = "", newOid = "", letter = ""] = match;
    const sides = { oldMode, newMode, oldOid, newOid };
    i += 1;
    const target = tokens[i + 1];
    if ((letter === "R" || letter === "C") && target !== undefined && target !== "") {
      i += 1;
      const zero = "0".repeat(oldOid.length);
      if (letter === "R") records.push({ ...sides, path, kind: "deleted", newMode: nowhere, newOid: zero });
      records.push({ ...sides, path: target, kind: "added", oldMode: nowhere, oldOid: zero });
    } else records.push({ ...sides, path, kind: kindOf(letter, sides) });
  }
  return records;
}

function kindOf(letter: string, sides: { oldMode: string; newMode: string; oldOid: string; newOid: string }): ChangeKind {
  if (letter === "A" || sides.oldMode === nowhere) return "added";
  if (letter === "D" || sides.newMode === nowhere) return "deleted";
  if (letter === "T" || sides.oldMode.slice(0, 2) !== sides.newMode.slice(0, 2)) return "type-changed";
  return sides.oldOid === sides.newOid && sides.oldMode !== sides.newMode ? "mode-changed" : "modified";
}
