const eraseToEnd = "\x1b[K";
const eraseBelow = "\x1b[J";
/** Terminals that know it show the whole change at once; others ignore it. */
const beginUpdate = "\x1b[?2026h";
const endUpdate = "\x1b[?2026l";

/** What is written to replace the frame of `before` lines above the cursor by another, without blanking it first. */
export function redraw(before: number, lines: readonly string[]): string {
  const up = before === 0 ? "" : `\x1b[${before}A`;
  const body = lines.map((line) => `${line}${eraseToEnd}\n`).join("");
  return `${beginUpdate}\r${up}${body}${eraseBelow}${endUpdate}`;
}
