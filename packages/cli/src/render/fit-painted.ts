import { textWidth } from "./text-width.ts";

const piece = /\x1b\[[0-9;]*m|[^\x1b]+/g;
const reset = "\x1b[0m";

/** A painted line in at most `width` columns; colours that were cut open are closed. */
export function fitPainted(line: string, width: number): string {
  if (textWidth(line) <= width) return line;
  let kept = "";
  let used = 0;
  let painted = false;
  for (const [part] of line.matchAll(piece)) {
    if (part.startsWith("\x1b")) {
      kept += part;
      painted = true;
      continue;
    }
    for (const character of part) {
      const next = used + textWidth(character);
      if (next > width - 1) return `${kept}…${painted ? reset : ""}`;
      kept += character;
      used = next;
    }
  }
  return kept;
}
