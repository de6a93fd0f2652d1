import type { CommandResult } from "@dispatch/core";
import { cleanOutput } from "../clean-output.ts";
import { readGoJson, readJestJson, readMochaJson } from "./read-json.ts";
import { readJunitXml } from "./read-junit-xml.ts";
import { readCargo, readGo, readMaven, readPytest, readUnittest } from "./read-other-runners.ts";
import { readJest, readMocha, readNodeSpec, readVitest } from "./read-script-runners.ts";
import { isNodeSummary, readTap } from "./read-tap.ts";
import {
  type Output,
  type Reader,
  type Reading,
  type ReportFormat,
  ranOf,
  type TestOutcome,
  type TestReport,
  type TestTotals,
} from "./test-report.ts";

interface Source {
  runner: string;
  format: ReportFormat;
  /** It speaks once per package, so a zero says nothing when the start of the output is gone. */
  spread: boolean;
  reading: Reading;
}

/** In order: of one runner the first that understands it is heard. */
const readers: readonly { runner: string; format: ReportFormat; spread: boolean; read: Reader }[] = [
  { runner: "go test", format: "JSON", spread: true, read: readGoJson },
  { runner: "mocha", format: "JSON", spread: false, read: readMochaJson },
  { runner: "vitest", format: "text", spread: false, read: readVitest },
  { runner: "jest", format: "text", spread: false, read: readJest },
  { runner: "mocha", format: "text", spread: false, read: readMocha },
  { runner: "node --test", format: "text", spread: false, read: readNodeSpec },
  { runner: "pytest", format: "text", spread: false, read: readPytest },
  { runner: "unittest", format: "text", spread: true, read: readUnittest },
  { runner: "go test", format: "text", spread: true, read: readGo },
  { runner: "cargo test", format: "text", spread: true, read: readCargo },
  { runner: "maven", format: "text", spread: true, read: readMaven },
];

/** Longer lines are no lines of a report for people; cut, so that no pattern meets more. */
const maxLine = 2000;

/**
 * What test runners said in a command's output. Null: none that is known spoke, and the exit code is all there is.
 * The output is the agent's own text: whatever it holds, this ends quickly, throws nothing and proves nothing.
 */
export function readResults(result: CommandResult): TestReport | null {
  const text = cleanOutput(result.outputTail);
  const lines = text.split("\n").map((line) => line.slice(0, maxLine));
  const output: Output = { text, lines, cut: result.outputBytes > utf8Length(result.outputTail) };
  const sources = sourcesIn(output).filter(({ spread, reading }) => !(spread && output.cut && ranOf(totalsOf(reading)) === 0));
  if (sources.length === 0) return null;
  const all = sources.map(({ reading, spread }) => ({ reading, totals: totalsOf(reading), torn: spread && output.cut }));
  const sum = (of: TestOutcome): number => all.reduce((total, { totals }) => total + totals[of], 0);
  return {
    runner: [...new Set(sources.map(({ runner }) => runner))].join(" and "),
    format: [...new Set(sources.map(({ format }) => format))].join(" and "),
    cases: all.flatMap(({ reading }) => reading.cases),
    totals: { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") },
    complete: all.every(({ reading, totals, torn }) => !torn && reading.unnamed !== true && countOf(reading, "failed") >= totals.failed),
  };
}

function sourcesIn(output: Output): Source[] {
  const sources: Source[] = [];
  const jest = readJestJson(output);
  if (jest !== null) sources.push({ runner: jest.runner, format: "JSON", spread: false, reading: jest.reading });
  const xml = readJunitXml(output);
  if (xml !== null) sources.push({ runner: "junit", format: "JUnit XML", spread: true, reading: xml });
  const tap = readTap(output);
  const node = isNodeSummary(output.lines);
  const summed = output.lines.some((line) => /^# tests\s+\d+$/.test(line));
  if (tap !== null) sources.push({ runner: node ? "node --test" : "tap", format: "TAP", spread: !summed, reading: tap });
  for (const { runner, format, spread, read } of readers) {
    if (sources.some((source) => source.runner === runner)) continue;
    const reading = read(output);
    if (reading !== null) sources.push({ runner, format, spread, reading });
  }
  return sources;
}

function totalsOf(reading: Reading): TestTotals {
  return reading.totals ?? { passed: countOf(reading, "passed"), failed: countOf(reading, "failed"), skipped: countOf(reading, "skipped") };
}

function countOf(reading: Reading, outcome: TestOutcome): number {
  return reading.cases.reduce((count, each) => (each.outcome === outcome ? count + 1 : count), 0);
}

function utf8Length(text: string): number {
  let length = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}
