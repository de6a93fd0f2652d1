import { sumOf } from "./sum-lines.ts";
import { CaseList, firstWords, type Output, type Reading, type TestOutcome } from "./test-report.ts";

interface Point {
  indent: number;
  path: string[];
  outcome: TestOutcome;
  message: string;
}

/** `suites` counts files and groups apart; of the runners that speak TAP only node's own does. */
export function isNodeSummary(lines: readonly string[]): boolean {
  return lines.some((line) => /^[#ℹ] suites \d+$/.test(line));
}

/**
 * TAP 12 to 14, subtests included. node --test counts a file without any test as one passing test that bears the
 * file's name: those did not run a test.
 */
export function readTap({ lines, cut }: Output): Reading | null {
  const summed = summaryOf(lines, "#");
  const node = isNodeSummary(lines);
  const points = pointsIn(lines);
  const planned = lines.some((line) => /^1\.\.\d+/.test(line));
  const spoke = lines.some((line) => /^TAP version \d+$/.test(line) || /^1\.\.0\b/.test(line)) || (planned && points.length > 0);
  if (!spoke && summed === null) return null;
  const cases = new CaseList();
  const counted = { passed: 0, failed: 0, skipped: 0 };
  let files = 0;
  for (const { path, outcome, message } of points) {
    if (node && outcome === "passed" && path.length === 1 && isFile(path[0] ?? "")) {
      files++;
      continue;
    }
    counted[outcome]++;
    cases.add("", path.join(" > "), outcome, message);
  }
  if (summed === null) return cases.reading(counted, cut);
  return cases.reading({ ...summed, passed: Math.max(0, summed.passed - files) }, cut && summed.failed > 0);
}

/** The summary `tests 4 … pass 3` of node:test and tape. */
export function summaryOf(lines: readonly string[], mark: "#" | "ℹ"): { passed: number; failed: number; skipped: number } | null {
  const tests = sumOf(lines, new RegExp(`^${mark} tests\\s+(\\d+)$`));
  const passed = sumOf(lines, new RegExp(`^${mark} pass\\s+(\\d+)$`));
  if (tests === null || (passed === null && tests > 0)) return null;
  const of = (words: string): number => sumOf(lines, new RegExp(`^${mark} (?:${words})\\s+(\\d+)$`)) ?? 0;
  return { passed: passed ?? 0, failed: of("fail|cancelled"), skipped: of("skip(?:ped)?|todo") };
}

/** Whether a test's name is the path of a script, as node names a file that tests nothing. */
export function isFile(name: string): boolean {
  return /^\S+\.[cm]?[jt]sx?$/.test(name);
}

const pointPattern = /^( *)(not )?ok\b(?! +\S+\t)(?: +(\d+))?(?: +-)?(?: +(.*))?$/;

/** The tests among the points: a point that closes or opens subtests is their name, and no test. */
function pointsIn(lines: readonly string[]): Point[] {
  const points: Point[] = [];
  const opened: { indent: number; name: string }[] = [];
  for (const [i, line] of lines.entries()) {
    const close = /^( *)\}$/.exec(line);
    if (close !== null) closeGroup(points, opened, (close[1] ?? "").length);
    const match = pointPattern.exec(line);
    if (match === null) continue;
    const indent = (match[1] ?? "").length;
    const failed = match[2] !== undefined;
    const { name, opens, excused } = readDescription(match[4] ?? "");
    if (opens) {
      opened.push({ indent, name });
      continue;
    }
    const children = childrenOf(points, indent);
    for (const child of children) {
      if (child.path.length < 50) child.path.unshift(name);
      child.indent = indent;
    }
    const blamed = failed && !excused;
    // A group may fail by itself, as in a hook.
    if (children.length > 0 && !(blamed && !children.some((child) => child.outcome === "failed"))) continue;
    const outcome = excused ? "skipped" : failed ? "failed" : "passed";
    const path = [...opened.slice(0, 50).map((group) => group.name), name === "" ? `test ${match[3] ?? points.length + 1}` : name];
    points.push({ indent, path, outcome, message: failed ? messageAfter(lines, i, indent) : "" });
  }
  return points;
}

/** What stood between the braces of a group belongs to it and to no later point. */
function closeGroup(points: readonly Point[], opened: { indent: number }[], indent: number): void {
  while ((opened.at(-1)?.indent ?? -1) >= indent) opened.pop();
  for (const point of childrenOf(points, indent)) point.indent = indent;
}

/** The points before that stand deeper and belong to no other group yet. */
function childrenOf(points: readonly Point[], indent: number): Point[] {
  const children: Point[] = [];
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i];
    if (point === undefined || point.indent <= indent) break;
    children.push(point);
  }
  return children;
}

function readDescription(written: string): { name: string; opens: boolean; excused: boolean } {
  const opens = /\{$/.test(written) && /# (?:time=\S+ )?\{$/.test(written);
  const excused = /# (?:skip|todo)\b/i.test(written);
  const hash = written.search(/ ?# (?:time=|skip\b|todo\b)/i);
  return { name: (hash < 0 ? written : written.slice(0, hash)).replaceAll("\\#", "#").trim(), opens, excused };
}

const lookAhead = 40;

/** The words of the YAML block, or of the indented text, under a failed point. */
function messageAfter(lines: readonly string[], at: number, indent: number): string {
  const below: string[] = [];
  for (const line of lines.slice(at + 1, at + 1 + lookAhead)) {
    if (/^ *\.\.\.$/.test(line) || pointPattern.test(line) || /^ *(?:#|\d+\.\.\d|\})/.test(line)) break;
    if (line !== "" && below.length === 0 && !line.startsWith(" ".repeat(indent + 1))) break;
    below.push(line);
  }
  if (below[0]?.trim() !== "---") return firstWords(below);
  const key = below.findIndex((line) => /^ *(?:error|message): *\S/.test(line));
  const value = /: *(.*)$/.exec(below[key] ?? "")?.[1] ?? "";
  const rest = below.slice(key + 1);
  if (/^[|>][+-]?$/.test(value)) {
    const depth = below[key]?.search(/\S/) ?? 0;
    const end = rest.findIndex((line) => line !== "" && line.search(/\S/) <= depth);
    return firstWords(end < 0 ? rest : rest.slice(0, end));
  }
  if (!value.startsWith('"')) return firstWords([value.replace(/^'(.*)'$/, "$1")]);
  if (value.endsWith('"') && value.length > 1) return firstWords([value.slice(1, -1)]);
  const end = rest.findIndex((line) => line.endsWith('"'));
  return firstWords([value.slice(1), ...rest.slice(0, end + 1).map((line) => line.replace(/"$/, ""))]);
}
