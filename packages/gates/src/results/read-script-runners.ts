import { isFile, summaryOf } from "./read-tap.ts";
import { sumBefore, sumOf } from "./sum-lines.ts";
import { CaseList, firstWords, type Output, type Reading } from "./test-report.ts";
import { createTree } from "./walk-tree.ts";

/** vitest's own reporters: `FAIL  file > group > test` above each failure, and with verbose a line for each test. */
export function readVitest({ lines }: Output): Reading | null {
  const cases = new CaseList();
  let brokenFiles = 0;
  for (const [i, line] of lines.entries()) {
    const failure = /^ FAIL {2}(?:\|[^|]*\| )?(\S.*)$/.exec(line)?.[1];
    const each = /^ {1,2}([✓×↓]) (?:\|[^|]*\| )?(\S.* > .*?)(?: \d+m?s)?$/.exec(line);
    if (failure !== undefined) {
      const [file = "", ...titles] = failure.split(" > ");
      const path = file.replace(/ \[ .* \]$/, "");
      if (titles.length === 0) brokenFiles++;
      const below = lines.slice(i + 1, i + 30);
      const start = below.findIndex((next) => !/^ FAIL {2}/.test(next));
      const end = below.findIndex((next) => next.startsWith("⎯"));
      const words = firstWords(below.slice(Math.max(0, start), end < 0 ? below.length : end));
      cases.add(path, titles.length === 0 ? path : titles.join(" > "), "failed", words);
    } else if (each !== null) {
      const [file = "", ...titles] = (each[2] ?? "").split(" > ");
      cases.add(file, titles.join(" > "), each[1] === "✓" ? "passed" : each[1] === "×" ? "failed" : "skipped", arrowBelow(lines[i + 1]));
    }
  }
  const summary = lines.some((line) => /^\s*Test Files\s{1,4}(?:\d|no )/.test(line));
  const summaries = summary ? lines.filter((line) => /^\s*Tests\s{1,4}(?:\d|no )/.test(line)) : [];
  if (summaries.length === 0 && !(summary && brokenFiles > 0)) {
    if (lines.some((line) => /^\s*No test files found, exiting with code \d/.test(line))) return cases.reading({ passed: 0, failed: 0, skipped: 0 });
    // It died before its summary.
    return cases.size > 0 && lines.some((line) => /^ RUN {2}v\d/.test(line)) ? cases.reading(null, true) : null;
  }
  const totals = totalsOf(summaries);
  return cases.reading({ ...totals, failed: totals.failed + brokenFiles });
}

function arrowBelow(line: string | undefined): string {
  return /^ +→ (.*)$/.exec(line ?? "")?.[1] ?? "";
}

/** jest's own reporters: `● group › test` above each failure, and with --verbose a line for each test. */
export function readJest({ lines }: Output): Reading | null {
  const cases = new CaseList();
  const tree = createTree();
  let file = "";
  let brokenFiles = 0;
  for (const [i, line] of lines.entries()) {
    const begun = /^(?:PASS|FAIL) (?! )(\S+)/.exec(line)?.[1];
    const failure = /^ {2}● (\S.*)$/.exec(line)?.[1];
    const each = /^( {2,})([✓✕○✎]) (?:(?:skipped|todo) )?(\S.*?)(?: \(\d[\d.]* m?s\))?$/.exec(line);
    if (begun !== undefined) {
      file = begun;
      tree.clear();
    } else if (failure === "Test suite failed to run") {
      brokenFiles++;
      cases.add(file, file, "failed", firstWords(lines.slice(i + 1, i + 30)));
    } else if (failure !== undefined) {
      if (file !== "") cases.add(file, failure.split(" › ").join(" > "), "failed", firstWords(lines.slice(i + 1, i + 30)));
    } else if (each !== null) {
      const [, indent = "", mark, title = ""] = each;
      const path = [...tree.above(indent.length), title].join(" > ");
      cases.add(file, path, mark === "✓" ? "passed" : mark === "✕" ? "failed" : "skipped");
    } else if (/^ {2,}\S/.test(line)) tree.open(line.search(/\S/), line.trim());
  }
  const summaries = lines.filter((line) => /^Tests:\s+.*\d+ total$/.test(line));
  if (summaries.length === 0) {
    if (lines.some((line) => /^\s*No tests found, exiting with code \d/.test(line))) return cases.reading({ passed: 0, failed: 0, skipped: 0 });
    return null;
  }
  const totals = totalsOf(summaries);
  return cases.reading({ ...totals, failed: totals.failed + brokenFiles });
}

function totalsOf(summaries: readonly string[]): { passed: number; failed: number; skipped: number } {
  const of = (words: RegExp): number => summaries.reduce((sum, line) => sum + sumBefore(line, words), 0);
  return { passed: of(/^passed$/), failed: of(/^failed$/), skipped: of(/^(?:skipped|todo)$/) };
}

/** mocha's spec reporter, and the list of failures that every reporter of it ends with. */
export function readMocha({ lines }: Output): Reading | null {
  const passed = sumOf(lines, /^\s*(\d{1,9}) passing\b/);
  if (passed === null) return null;
  const cases = new CaseList();
  const tree = createTree();
  let ended = false;
  for (const [i, line] of lines.entries()) {
    ended ||= /^\s*\d{1,9} passing\b/.test(line);
    const failure = ended ? /^ {2}\d+\) (\S.*)$/.exec(line)?.[1] : undefined;
    if (failure !== undefined) addMochaFailure(cases, failure, lines.slice(i + 1, i + 30));
    if (ended) continue;
    const each = /^( {2,})([✔✓-]) (\S.*?)(?: \(\d+ms\))?$/.exec(line);
    const [, indent = "", mark, title = ""] = each ?? [];
    if (each !== null) cases.add(tree.above(indent.length).join(" > "), title, mark === "-" ? "skipped" : "passed");
    else if (/^ {2,}\S/.test(line) && !/^ +\d+\) /.test(line)) tree.open(line.search(/\S/), line.trim());
  }
  return cases.reading({ passed, failed: sumOf(lines, /^\s*(\d{1,9}) failing\b/) ?? 0, skipped: sumOf(lines, /^\s*(\d{1,9}) pending\b/) ?? 0 });
}

/** Titles stand under one another, the last one ends with a colon. */
function addMochaFailure(cases: CaseList, first: string, below: readonly string[]): void {
  const titles = [first];
  let at = 0;
  while (!(titles.at(-1) ?? "").endsWith(":") && /^ {5,}\S/.test(below[at] ?? "")) titles.push((below[at++] ?? "").trim());
  const name = (titles.pop() ?? "").replace(/:$/, "");
  cases.add(titles.join(" > "), name, "failed", firstWords(below.slice(at)));
}

/** node --test's spec reporter. The failures it tells again at its end are not read twice. */
export function readNodeSpec({ lines, cut }: Output): Reading | null {
  const summed = summaryOf(lines, "ℹ");
  if (summed === null) return null;
  const cases = new CaseList();
  const tree = createTree();
  const red = new Set<string>();
  let files = 0;
  for (const [i, line] of lines.entries()) {
    if (line === "✖ failing tests:") break;
    const each = /^( *)([▶✔✖﹣⚠]) (\S.*?)(?: \([\d.]+m?s\))?( # .*)?$/.exec(line);
    if (each === null) continue;
    const [, { length: indent } = "", mark, title = "", directive = ""] = each;
    const closed = tree.close(indent, title);
    const above = tree.above(indent);
    const path = [...above, title].join(" > ");
    if (mark === "▶" && !closed) tree.open(indent, title);
    if (mark === "▶" || (closed && (mark !== "✖" || red.has(path)))) continue;
    if (mark === "✔" && indent === 0 && isFile(title)) {
      files++;
      continue;
    }
    if (mark === "✖") for (let depth = 1; depth <= above.length; depth++) red.add(above.slice(0, depth).join(" > "));
    const excused = mark === "﹣" || /^ # (?:skip|todo)\b/i.test(directive);
    cases.add("", path, excused ? "skipped" : mark === "✖" ? "failed" : "passed", mark === "✖" ? wordsUnder(lines, i, indent) : "");
  }
  return cases.reading({ ...summed, passed: Math.max(0, summed.passed - files) }, cut && summed.failed > 0);
}

function wordsUnder(lines: readonly string[], at: number, indent: number): string {
  const below = lines.slice(at + 1, at + 20);
  const end = below.findIndex((line) => line !== "" && line.search(/\S/) <= indent);
  return firstWords(end < 0 ? below : below.slice(0, end));
}
