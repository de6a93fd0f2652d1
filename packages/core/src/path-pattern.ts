/**
 * Paths and globs of specs: relative, POSIX, without `..`.
 * `*` and `?` stay inside one segment, `**` as a whole segment spans any number of them,
 * `[abc]` is a character class, `{a,b}` is not supported. An entry without wildcards
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
  return matchSegments(segments, parts, 0, 0);
}

export function coversAny(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => coversPath(pattern, path));
}

/**
 * Whether one path could be covered by both patterns. Exact for entries without wildcards;
 * for two globs it never answers false when a common path exists.
 */
export function patternsOverlap(left: string, right: string): boolean {
  return overlapSegments(segmentsOf(left), segmentsOf(right), 0, 0);
}

function segmentsOf(pattern: string): string[] {
  const segments = trimSlash(pattern).split("/");
  return isGlob(pattern) ? segments : [...segments, "**"];
}

function overlapSegments(a: readonly string[], b: readonly string[], i: number, j: number): boolean {
  const left = a[i];
  const right = b[j];
  if (left === undefined && right === undefined) return true;
  if (left === "**") return overlapSegments(a, b, i + 1, j) || (right !== undefined && overlapSegments(a, b, i, j + 1));
  if (right === "**") return overlapSegments(a, b, i, j + 1) || (left !== undefined && overlapSegments(a, b, i + 1, j));
  if (left === undefined || right === undefined) return false;
  return segmentsMayMeet(left, right) && overlapSegments(a, b, i + 1, j + 1);
}

function segmentsMayMeet(left: string, right: string): boolean {
  if (!isGlob(left) && !isGlob(right)) return left === right;
  if (!isGlob(left)) return segmentRegExp(right).test(left);
  if (!isGlob(right)) return segmentRegExp(left).test(right);
  const start = commonLength(literalPrefix(left), literalPrefix(right));
  const end = commonLength(reverse(literalSuffix(left)), reverse(literalSuffix(right)));
  return start && end;
}

/** Two literal ends can agree only when one continues the other. */
function commonLength(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function literalPrefix(segment: string): string {
  return segment.slice(0, segment.search(wildcard));
}

function literalSuffix(segment: string): string {
  return /[^*?[\]]*$/.exec(segment)?.[0] ?? "";
}

function reverse(text: string): string {
  return [...text].reverse().join("");
}

function matchSegments(pattern: readonly string[], path: readonly string[], i: number, j: number): boolean {
  const segment = pattern[i];
  if (segment === undefined) return j === path.length;
  if (segment === "**") {
    return matchSegments(pattern, path, i + 1, j) || (j < path.length && matchSegments(pattern, path, i, j + 1));
  }
  const part = path[j];
  if (part === undefined) return false;
  return segmentRegExp(segment).test(part) && matchSegments(pattern, path, i + 1, j + 1);
}

const compiled = new Map<string, RegExp>();

function segmentRegExp(segment: string): RegExp {
  const known = compiled.get(segment);
  if (known !== undefined) return known;
  let source = "";
  for (let i = 0; i < segment.length; i++) {
    const char = segment.charAt(i);
    if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[" && segment.indexOf("]", i + 2) > i) {
      const close = segment.indexOf("]", i + 2);
      const inner = segment
        .slice(i + 1, close)
        .replace(/\\/g, "\\\\")
        .replace(/^!/, "^");
      source += `[${inner}]`;
      i = close;
    } else source += char.replace(/[.+^${}()|[\]\\*?]/g, "\\$&");
  }
  const result = new RegExp(`^${source}$`, "s");
  if (compiled.size > 10_000) compiled.clear();
  compiled.set(segment, result);
  return result;
}

function trimSlash(pattern: string): string {
  return pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
}
