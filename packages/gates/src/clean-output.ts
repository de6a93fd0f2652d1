const terminalSequences = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\-~]|\x9b[0-?]*[ -/]*[@-~]/g;
const controls = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Output of a program as plain lines: without terminal sequences, control, bidi and invisible characters. */
export function cleanOutput(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(terminalSequences, "")
    .split("\n")
    .map((line) => afterReturn(line).replace(controls, "").trimEnd())
    .join("\n");
}

/** What a terminal would show of a line that a progress display wrote over. */
function afterReturn(line: string): string {
  const end = line.endsWith("\r") ? line.slice(0, -1) : line;
  return end.slice(end.lastIndexOf("\r") + 1);
}

/** One line of a file for a finding: trimmed, cleaned, at most 200 characters. */
export function quoteLine(text: string): string {
  return cutText(cleanOutput(text.slice(0, 2000)).replace(/\s+/g, " ").trim(), 200);
}

/** At most `limit` characters, with an ellipsis where something was cut, and no broken surrogate pair. */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : `${wholeStart(text, limit - 1)}…`;
}

/** The first `limit` characters, one less where that would split a surrogate pair. */
export function wholeStart(text: string, limit: number): string {
  const end = Math.max(0, limit);
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

/** The end of a text, from a line start where there is one, at most `limit` characters and `lines` lines. */
export function lastLines(text: string, limit: number, lines: number): string {
  const kept = text.trimEnd().split("\n").slice(-lines).join("\n");
  if (kept.length <= limit) return kept;
  const tail = kept.slice(-limit);
  const start = tail.indexOf("\n");
  const whole = start < 0 ? tail : tail.slice(start + 1);
  const first = whole.charCodeAt(0);
  return first >= 0xdc00 && first <= 0xdfff ? whole.slice(1) : whole;
}
