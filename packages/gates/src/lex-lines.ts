import type { ChangedLine } from "./change.ts";
import type { Language } from "./language.ts";

/** A line taken apart. A run of lines shares what is open: a block comment, a docstring, a raw string. */
export interface LexedLine extends ChangedLine {
  /** Without comments; each string is its two quotes. */
  code: string;
  /** Without comments; strings in full. */
  bare: string;
  comment: string;
  strings: readonly string[];
  /** The line holds only comment, docstring or nothing. */
  silent: boolean;
}

interface Syntax {
  line: readonly string[];
  block: readonly (readonly [string, string])[];
  /** Quotes that may span lines, longest first. */
  long: readonly string[];
  short: string;
  /** Lines that begin with * stand in a block comment. */
  starred: boolean;
}

const c: Syntax = { line: ["//"], block: [["/*", "*/"]], long: [], short: `"'`, starred: true };
const plain: Syntax = { line: [], block: [], long: [], short: "", starred: false };
const syntaxes: Readonly<Record<Language, Syntax>> = {
  script: { ...c, long: ["`"] },
  go: { ...c, long: ["`"] },
  rust: { ...c, short: '"' },
  java: { ...c, long: ['"""'] },
  kotlin: { ...c, long: ['"""'] },
  swift: { ...c, long: ['"""'], short: '"' },
  csharp: { ...c, long: ['"""'] },
  brace: c,
  css: c,
  python: { line: ["#"], block: [], long: ['"""', "'''"], short: `"'`, starred: false },
  hash: { line: ["#"], block: [], long: [], short: `"'`, starred: false },
  sql: { line: ["--"], block: [["/*", "*/"]], long: [], short: `"'`, starred: false },
  markup: {
    line: ["//"],
    block: [
      ["<!--", "-->"],
      ["/*", "*/"],
    ],
    long: [],
    short: `"'`,
    starred: true,
  },
  data: { line: ["//"], block: [["/*", "*/"]], long: [], short: '"', starred: false },
  prose: plain,
  generated: plain,
  unknown: plain,
};

/** Lines that follow one another without a gap. */
export function runsOf(lines: readonly ChangedLine[]): ChangedLine[][] {
  const runs: ChangedLine[][] = [];
  let previous: ChangedLine | undefined;
  for (const line of lines) {
    const run = runs.at(-1);
    if (run !== undefined && previous !== undefined && line.line === previous.line + 1) run.push(line);
    else runs.push([line]);
    previous = line;
  }
  return runs;
}

/** Longer lines are data or minified code, which no pattern of ours should be run over. */
export const longestLine = 5000;

/** Takes the lines of one run apart. What stood before the run is not known: it is taken to be code. */
export function lexRun(run: readonly ChangedLine[], language: Language): LexedLine[] {
  const syntax = syntaxes[language];
  let open: Open | undefined;
  return run.map((line) => {
    if (syntax === plain || line.text.length > longestLine) return { ...line, code: "", bare: "", comment: line.text, strings: [], silent: true };
    const lexed = lexLine(line.text, syntax, open);
    open = lexed.open;
    const { code, bare, comment, strings } = lexed;
    return { ...line, code, bare, comment, strings, silent: code.trim() === "" };
  });
}

interface Open {
  end: string;
  /** A docstring or block comment counts as comment, a raw string as string. */
  comment: boolean;
}

interface Taken {
  code: string;
  bare: string;
  comment: string;
  strings: string[];
  open: Open | undefined;
}

function lexLine(text: string, syntax: Syntax, before: Open | undefined): Taken {
  const taken: Taken = { code: "", bare: "", comment: "", strings: [], open: before };
  if (before === undefined && syntax.starred && /^\s*\*(?:\s|\/|\*|$)/.test(text)) {
    taken.comment = text.trim().replace(/^\*+/, "");
    return taken;
  }
  let i = 0;
  while (i < text.length) i = taken.open === undefined ? takeCode(text, i, syntax, taken) : takeOpen(text, i, taken.open, taken);
  return taken;
}

function takeOpen(text: string, from: number, open: Open, taken: Taken): number {
  const end = text.indexOf(open.end, from);
  const inside = text.slice(from, end < 0 ? text.length : end);
  if (open.comment) taken.comment += `${inside} `;
  else {
    taken.strings.push(inside);
    taken.bare += inside;
  }
  if (end < 0) return text.length;
  taken.open = undefined;
  return end + open.end.length;
}

function takeCode(text: string, i: number, syntax: Syntax, taken: Taken): number {
  if (startsComment(text, i, syntax)) {
    const opener = syntax.line.find((mark) => text.startsWith(mark, i)) ?? "";
    taken.comment += text.slice(i + opener.length);
    return text.length;
  }
  const block = syntax.block.find(([start]) => text.startsWith(start, i));
  if (block !== undefined) {
    taken.open = { end: block[1], comment: true };
    return i + block[0].length;
  }
  const long = syntax.long.find((quote) => text.startsWith(quote, i));
  if (long !== undefined) {
    // A triple-quoted string that begins a line is documentation.
    taken.open = { end: long, comment: long.length > 1 && /^\s*[rRuUbB]?$/.test(taken.code) };
    if (taken.open.comment) taken.code = "";
    else {
      taken.code += '""';
      taken.bare += '"';
    }
    return i + long.length;
  }
  const char = text.charAt(i);
  const past = char === "\\" ? i + 2 : char === "/" && syntax === syntaxes.script ? pastRegExp(text, i, taken.code) : i;
  if (past > i) {
    taken.code += char;
    taken.bare += text.slice(i, past);
    return past;
  }
  const end = syntax.short.includes(char) ? closingQuote(text, i) : -1;
  if (end > 0) {
    taken.strings.push(text.slice(i + 1, end));
    taken.code += '""';
    taken.bare += text.slice(i, end + 1);
    return end + 1;
  }
  taken.code += char;
  taken.bare += char;
  return i + 1;
}

/** A // after a colon is a URL; a # inside a word is no comment. */
function startsComment(text: string, i: number, syntax: Syntax): boolean {
  const mark = syntax.line.find((each) => text.startsWith(each, i));
  if (mark === undefined) return false;
  if (mark === "//") return text.charAt(i - 1) !== ":";
  return mark !== "#" || i === 0 || /[\s;(){}[\],]/.test(text.charAt(i - 1));
}

/** Where a string that opens at `start` closes on the same line; -1 when it does not, as with an apostrophe in text. */
function closingQuote(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let i = start + 1; i < text.length; i++) {
    if (text.charAt(i) === "\\") i += 1;
    else if (text.charAt(i) === quote) return i;
  }
  return -1;
}

/** Where a regular expression that opens at `start` ends; `start` when the slash divides. */
function pastRegExp(text: string, start: number, code: string): number {
  if (!/(?:^|[(,=:[!&|?{};]|\breturn|=>)\s*$/.test(code.slice(-40))) return start;
  let inClass = false;
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\") i += 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return i + 1;
  }
  return start;
}
