import { cleanOutput, cutText, lastLines, wholeStart } from "./clean-output.ts";
import { failedCases, type TestReport, titleOf } from "./results/test-report.ts";

const failureLines: readonly RegExp[] = [
  /^\s*not ok \d+ (?:- )?(.+)$/,
  /^\s*✖ (.+?) \([\d.]+m?s\)$/,
  /^ {0,2}FAIL {1,2}(\S.*)$/,
  /^\s*[×✗✘] (.+?)(?: \d+ms)?$/,
  /^ {2}● (.+)$/,
  /^ {2,}\d+\) (.+?):?$/,
  /^(?:FAILED|ERROR) (\S+(?:::|\.py).*)$/,
  /^(?:FAIL|ERROR): (.+)$/,
  /^\s*--- FAIL: (\S+)/,
  /^test (\S.*) \.\.\. FAILED$/,
  /^\[ERROR\]\s+(\S+[.#]\S+:\d+.*)$/,
];
const excused = /# (?:TODO|SKIP)\b/i;

/** Tests that failed, in the order they are first named, at most ten; with their messages where the runner is known. */
function failingTests(cleaned: string, report: TestReport | null): string[] {
  const told = report === null ? [] : failedCases(report);
  if (told.length > 0) {
    return told.slice(0, 10).map((test) => cutText(`${titleOf(test)}${test.message === "" ? "" : `: ${test.message}`}`, 240));
  }
  const names = new Set<string>();
  for (const line of cleaned.split("\n")) {
    const name = failureIn(line);
    if (name !== undefined) names.add(cutText(name, 160));
    if (names.size === 10) break;
  }
  return [...names];
}

function failureIn(line: string): string | undefined {
  if (line.length > 2000 || excused.test(line)) return undefined;
  for (const pattern of failureLines) {
    const name = pattern.exec(line)?.[1]?.trim();
    if (name !== undefined && name !== "") return name;
  }
  return undefined;
}

const excerptLimit = 2000;
const tailLimit = 3000;

/** The part of an output that tells why it failed: from the first failing test, then the end; at most about 5,000 characters. */
export function quoteFailure(outputTail: string, report: TestReport | null = null): { failing: string[]; quote: string } {
  const cleaned = cleanOutput(outputTail);
  const failing = failingTests(cleaned, report);
  const tail = lastLines(cleaned, tailLimit, 60);
  const lines = cleaned.split("\n");
  const at = lines.findIndex((line) => failureIn(line) !== undefined);
  const tailLength = tail.split("\n").length;
  if (at < 0 || at >= lines.length - tailLength - 1) return { failing, quote: tail };
  const excerpt = wholeStart(lines.slice(at, Math.min(at + 30, lines.length - tailLength)).join("\n"), excerptLimit).trimEnd();
  return { failing, quote: `${excerpt}\n[…]\n${tail}` };
}
