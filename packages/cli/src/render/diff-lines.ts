/** One line of a comparison. */
export interface LineEdit {
  kind: "same" | "gone" | "new";
  text: string;
}

const contextLines = 3;
/** Beyond this the middle counts as replaced: a table of that size would be slow, and nobody would read the answer. */
const maxCells = 16_000_000;

/** The shortest list of edits that makes one text of another, line by line. */
export function compareLines(before: string, after: string): LineEdit[] {
  const [left, right] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1;
  return [
    ...left.slice(0, start).map((text): LineEdit => ({ kind: "same", text })),
    ...compareMiddle(left.slice(start, left.length - end), right.slice(start, right.length - end)),
    ...left.slice(left.length - end).map((text): LineEdit => ({ kind: "same", text })),
  ];
}

function compareMiddle(left: readonly string[], right: readonly string[]): LineEdit[] {
  const gone = (text: string): LineEdit => ({ kind: "gone", text });
  const added = (text: string): LineEdit => ({ kind: "new", text });
  const width = right.length + 1;
  if ((left.length + 1) * width > maxCells) return [...left.map(gone), ...right.map(added)];
  // common[i * width + j]: length of the longest common part of left from i and right from j.
  const common = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      common[i * width + j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: LineEdit[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [mine, theirs] = [left[i] ?? "", right[j] ?? ""];
    if (mine === theirs) {
      edits.push({ kind: "same", text: mine });
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      edits.push(gone(mine));
      i += 1;
    } else {
      edits.push(added(theirs));
      j += 1;
    }
  }
  return [...edits, ...left.slice(i).map(gone), ...right.slice(j).map(added)];
}

/** A unified diff with three lines around each change; nothing for equal texts. */
export function diffLines(before: string, after: string, names: { before: string; after: string }): string[] {
  if (before === after) return [];
  const edits = compareLines(before, after);
  const lines = [`--- ${names.before}`, `+++ ${names.after}`];
  let [oldLine, newLine, printed] = [1, 1, 0];
  for (const [from, to] of hunksOf(edits)) {
    for (const { kind } of edits.slice(printed, from)) {
      if (kind !== "new") oldLine += 1;
      if (kind !== "gone") newLine += 1;
    }
    const hunk = edits.slice(from, to);
    const olds = hunk.filter(({ kind }) => kind !== "new").length;
    const news = hunk.filter(({ kind }) => kind !== "gone").length;
    lines.push(`@@ -${oldLine},${olds} +${newLine},${news} @@`);
    lines.push(...hunk.map(({ kind, text }) => `${kind === "same" ? " " : kind === "gone" ? "-" : "+"}${text}`));
    oldLine += olds;
    newLine += news;
    printed = to;
  }
  return lines;
}

/** Ranges of edits that are printed: each change with its surroundings, those that touch joined. */
function hunksOf(edits: readonly LineEdit[]): (readonly [from: number, to: number])[] {
  const hunks: [number, number][] = [];
  for (const [i, { kind }] of edits.entries()) {
    if (kind === "same") continue;
    const [from, to] = [Math.max(0, i - contextLines), Math.min(edits.length, i + 1 + contextLines)];
    const last = hunks.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  return hunks;
}
