/**
 * Paths and globs of specs: relative, POSIX, without `..`.
 * `*` and `?` stay inside one segment, `**` as a whole segment spans any number of them,
 * `[abc]`, `[a-z]` and `[!abc]` are character classes, `{a,b}` is not supported. An entry without wildcards
 * also covers everything below it, so that `lib` and `lib/x.ts` are one lock.
 */

const wildcard = /[*?[]/;

export function isGlob(pattern: string): boolean {
  return wildcard.test(pattern);
}

/** Why a pattern may not stand in a spec, or undefined when it may. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === "" || pattern === ".") return "is empty";
  if (pattern.includes("\0")) return "contains a NUL character";
  if (pattern.includes("\\")) return "contains a backslash; use / between folders";
  if (pattern.startsWith("/") || /^[A-Za-z]:/.test(pattern)) return "is absolute; write it relative to the repository root";
  if (pattern.startsWith("~")) return "starts with ~; write it relative to the repository root";
  const segments = trimSlash(pattern).split("/");
  if (segments.includes("..")) return "leaves the repository with ..";
  if (segments.some((segment) => segment === "" || segment === ".")) return "has an empty or . segment";
  if (segments[0] === ".git") return "is inside .git";
  return undefined;
}

/** Whether a concrete path is covered by a pattern. */
export function coversPath(pattern: string, path: string): boolean {
  const segments = trimSlash(pattern).split("/");
  const parts = path.split("/");
  if (!isGlob(pattern)) return parts.length >= segments.length && segments.every((segment, i) => segment === parts[i]);
  return matchesSequence(segments, parts, isSpan, segmentCovers);
}

export function coversAny(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => coversPath(pattern, path));
}

/**
 * Whether one path could be covered by both patterns. Exact, save for patterns longer than any file name
 * may be: those count as meeting. Takes time in the product of the lengths, never more.
 */
export function patternsOverlap(left: string, right: string): boolean {
  if (!isGlob(left) && !isGlob(right)) return plainOverlap(trimSlash(left), trimSlash(right));
  return sequencesMeet(segmentsOf(left), segmentsOf(right), inPaths);
}

/**
 * Whether somebody who may change `entry` is taken to change files of `pattern`. Against a pattern that begins with a wildcard
 * an entry without one is a file: as a folder it could hold files of each such pattern.
 */
export function reachesInto(entry: string, pattern: string): boolean {
  const [first = ""] = pattern.split("/", 1);
  return isGlob(entry) || !isGlob(first) ? patternsOverlap(entry, pattern) : coversPath(pattern, trimSlash(entry));
}

function plainOverlap(left: string, right: string): boolean {
  if (left.length === right.length) return left === right;
  const [short, long] = left.length < right.length ? [left, right] : [right, left];
  return long.startsWith(short) && long.charAt(short.length) === "/";
}

const splits = new Map<string, readonly string[]>();

function segmentsOf(pattern: string): readonly string[] {
  const known = splits.get(pattern);
  if (known !== undefined) return known;
  const segments = trimSlash(pattern).split("/");
  if (!isGlob(pattern)) segments.push("**");
  if (splits.size > 50_000) splits.clear();
  splits.set(pattern, segments);
  return segments;
}

function segmentsMeet(left: string, right: string): boolean {
  if (left === right) return segmentTokens(left).every(isPossible);
  if (!isGlob(left)) return isGlob(right) && segmentCovers(right, left);
  if (!isGlob(right)) return segmentCovers(left, right);
  return sequencesMeet(segmentTokens(left), segmentTokens(right), inNames);
}

function segmentCovers(segment: string, name: string): boolean {
  if (!isGlob(segment)) return segment === name;
  const units = Array.from({ length: name.length }, (_, i) => name.charCodeAt(i));
  return matchesSequence(segmentTokens(segment), units, isStar, includesUnit);
}

/** Beyond this product of two lengths patterns are taken to meet: no file name and no path is that long. */
const sizeLimit = 4_000_000;

interface Alphabet<T> {
  /** Stands for any number of any symbols. */
  spans(symbol: T): boolean;
  /** Whether anything at all is matched by it. */
  possible(symbol: T): boolean;
  meet(left: T, right: T): boolean;
}

const inPaths: Alphabet<string> = {
  spans: isSpan,
  possible: (segment) => segmentTokens(segment).every(isPossible),
  meet: segmentsMeet,
};

const inNames: Alphabet<Token> = { spans: isStar, possible: isPossible, meet: tokensMeet };

function isSpan(segment: string): boolean {
  return segment === "**";
}

function isStar(token: Token): boolean {
  return token === "star";
}

/** Whether one word is in both languages: walks the product of the two automata row by row. */
function sequencesMeet<T>(left: readonly T[], right: readonly T[], { spans, possible, meet }: Alphabet<T>): boolean {
  const width = right.length;
  if (left.length * width > sizeLimit) return true;
  // reached[j]: both may stand before left[i] and right[j] after the same beginning.
  let reached = new Uint8Array(width + 1);
  reached[0] = 1;
  for (let i = 0; i <= left.length; i++) {
    const next = new Uint8Array(width + 1);
    const mine = left[i];
    for (let j = 0; j <= width; j++) {
      if (reached[j] !== 1) continue;
      const theirs = right[j];
      const spanMine = mine !== undefined && spans(mine);
      const spanTheirs = theirs !== undefined && spans(theirs);
      if (spanMine) next[j] = 1;
      if (spanTheirs || (spanMine && theirs !== undefined && possible(theirs))) reached[j + 1] = 1;
      if (spanTheirs && mine !== undefined && !spanMine && possible(mine)) next[j] = 1;
      if (!spanMine && !spanTheirs && mine !== undefined && theirs !== undefined && meet(mine, theirs)) next[j + 1] = 1;
    }
    if (i === left.length) break;
    reached = next;
  }
  return reached[width] === 1;
}

/** Whether a word is matched, with one step back for every spanning symbol: time in the product of the lengths at most. */
function matchesSequence<T, U>(
  pattern: readonly T[],
  word: readonly U[],
  spans: (symbol: T) => boolean,
  matches: (symbol: T, unit: U) => boolean,
): boolean {
  let i = 0;
  let j = 0;
  let backTo = -1;
  let taken = 0;
  while (j < word.length) {
    const symbol = pattern[i];
    const unit = word[j] as U;
    if (symbol !== undefined && spans(symbol)) {
      backTo = i;
      taken = j;
      i++;
    } else if (symbol !== undefined && matches(symbol, unit)) {
      i++;
      j++;
    } else if (backTo >= 0) {
      taken++;
      i = backTo + 1;
      j = taken;
    } else return false;
  }
  return pattern.slice(i).every(spans);
}

/** Ranges of UTF-16 units, in order, without overlap; `star`: any number of any units. */
type Token = "star" | readonly (readonly [from: number, to: number])[];

const slash = 47;
const anyUnit: Token = [
  [0, slash - 1],
  [slash + 1, 0xffff],
];

function isPossible(token: Token): boolean {
  return token === "star" || token.length > 0;
}

function includesUnit(token: Token, unit: number): boolean {
  return token !== "star" && token.some(([from, to]) => unit >= from && unit <= to);
}

function tokensMeet(left: Token, right: Token): boolean {
  if (left === "star" || right === "star") return true;
  return left.some(([from, to]) => right.some(([otherFrom, otherTo]) => from <= otherTo && otherFrom <= to));
}

const parsed = new Map<string, readonly Token[]>();

function segmentTokens(segment: string): readonly Token[] {
  const known = parsed.get(segment);
  if (known !== undefined) return known;
  const tokens: Token[] = [];
  for (let i = 0; i < segment.length; i++) {
    const char = segment.charAt(i);
    const close = char === "[" ? segment.indexOf("]", i + 2) : -1;
    if (char === "*") {
      if (tokens.at(-1) !== "star") tokens.push("star");
    } else if (char === "?") tokens.push(anyUnit);
    else if (close > i) {
      tokens.push(classRanges(segment.slice(i + 1, close)));
      i = close;
    } else tokens.push([[char.charCodeAt(0), char.charCodeAt(0)]]);
  }
  if (parsed.size > 10_000) parsed.clear();
  parsed.set(segment, tokens);
  return tokens;
}

/** `a-z` is a range, a dash at either end is itself, and `!` or `^` in front means all others. A range that runs backwards holds nothing. */
function classRanges(inner: string): Token {
  const negated = inner.length > 1 && (inner.startsWith("!") || inner.startsWith("^"));
  const text = negated ? inner.slice(1) : inner;
  const ranges: [number, number][] = [];
  for (let i = 0; i < text.length; i++) {
    const from = text.charCodeAt(i);
    const isRange = text.charAt(i + 1) === "-" && i + 2 < text.length;
    const to = isRange ? text.charCodeAt(i + 2) : from;
    if (isRange) i += 2;
    if (from <= to) ranges.push([from, to]);
  }
  return negated ? without(ranges) : ranges.filter(([from, to]) => from !== slash || to !== slash);
}

/** Every unit but the slash and those of the ranges. */
function without(ranges: readonly (readonly [number, number])[]): Token {
  const taken = [...ranges, [slash, slash] as const].sort((a, b) => a[0] - b[0]);
  const free: [number, number][] = [];
  let next = 0;
  for (const [from, to] of taken) {
    if (from > next) free.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= 0xffff) free.push([next, 0xffff]);
  return free;
}

function trimSlash(pattern: string): string {
  return pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
}
