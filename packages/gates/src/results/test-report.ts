import { cutText } from "../clean-output.ts";

export type TestOutcome = "passed" | "failed" | "skipped";

/** One test as its runner named it. */
export interface TestCase {
  /** File, package, crate or group that holds the test; empty when the runner does not say. */
  suite: string;
  name: string;
  outcome: TestOutcome;
  /** Why it failed, in a few words; empty when the runner does not say or nothing failed. */
  message: string;
}

export interface TestTotals {
  passed: number;
  failed: number;
  skipped: number;
}

export type ReportFormat = "JUnit XML" | "TAP" | "JSON" | "text";

/**
 * What test runners said in the output of one command. Text of the agent's own making: it can raise an alarm and
 * never proves anything.
 */
export interface TestReport {
  /** The runners that spoke, joined with "and". */
  runner: string;
  /** How they spoke, joined likewise. */
  format: string;
  /** As far as they are named; a quiet runner names only what failed. */
  cases: readonly TestCase[];
  totals: TestTotals;
  /** Everything that failed is among the cases. */
  complete: boolean;
}

/** What one reader found. `totals: null`: no summary, so the cases are all there is. */
export interface Reading {
  cases: readonly TestCase[];
  totals: TestTotals | null;
  /** The reader met a failure that it could not name. */
  unnamed?: boolean;
}

/** An output as readers take it. */
export interface Output {
  text: string;
  /** Lines of the text; what is longer than any line of a report is cut. */
  lines: readonly string[];
  /** The start of the output was not kept. */
  cut: boolean;
}

export type Reader = (output: Output) => Reading | null;

export function ranOf({ passed, failed }: TestTotals): number {
  return passed + failed;
}

export function failedCases(report: Pick<TestReport, "cases">): TestCase[] {
  return report.cases.filter((each) => each.outcome === "failed");
}

/** How a test is named to people: `suite › name`. */
export function titleOf({ suite, name }: Pick<TestCase, "suite" | "name">): string {
  return suite === "" || suite === name ? name : `${suite} › ${name}`;
}

const maxCases = 5000;
const rank: Readonly<Record<TestOutcome, number>> = { skipped: 0, passed: 1, failed: 2 };

/** Gathers cases; a test that is named twice, as in a list and in a summary, is one, and failed if it ever did. */
export class CaseList {
  private readonly known = new Map<string, TestCase>();
  /** Cases that were left out because there were too many. */
  private dropped = false;

  add(suite: string, name: string, outcome: TestOutcome, message = ""): void {
    const added = { suite: cutText(suite.trim(), 300), name: cutText(name.trim(), 300), outcome, message: cutText(message, 400) };
    if (added.name === "") return;
    const key = `${added.suite}\0${added.name}`;
    const before = this.known.get(key);
    if (before === undefined && this.known.size >= maxCases) {
      this.dropped ||= outcome === "failed";
      return;
    }
    if (before === undefined) this.known.set(key, added);
    else {
      const worse = rank[added.outcome] > rank[before.outcome] ? added.outcome : before.outcome;
      this.known.set(key, { ...before, outcome: worse, message: before.message === "" ? added.message : before.message });
    }
  }

  get size(): number {
    return this.known.size;
  }

  reading(totals: TestTotals | null, unnamed = false): Reading {
    return { cases: [...this.known.values()], totals, unnamed: unnamed || this.dropped };
  }
}

/** The first words of what stands under a failure: at most three lines, without stack frames, code and rulers. */
export function firstWords(lines: Iterable<string>): string {
  const words: string[] = [];
  for (const line of lines) {
    const text = line.trim();
    if (/^at [^ ].*[:)]|^❯ |^stack backtrace:|^>? ?\d+ \| /.test(text)) break;
    if (text === "" || /^[-=_~^⎯|\s]+$/.test(text)) continue;
    words.push(text);
    if (words.length === 3) break;
  }
  return cutText(words.join(" ").replace(/\s+/g, " "), 400);
}
