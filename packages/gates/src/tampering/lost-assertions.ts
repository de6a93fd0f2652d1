import type { Finding } from "@dispatch/core";
import type { Hunk } from "../change.ts";
import { quoteLine } from "../clean-output.ts";
import type { LexedLine } from "../lex-lines.ts";
import { hunkOfAdded, hunkOfRemoved, type ReadChange } from "../read-change.ts";
import { declaredNames } from "./declared-names.ts";
import { blocked, noted } from "./finding.ts";
import { becameTable, type TestBalance } from "./lost-tests.ts";
import { dialectOf, isTestScope, type TestCase } from "./test-code.ts";

/** Compares a whole where several parts were compared before. */
const comparesWhole =
  /\.to(?:StrictEqual|Equal|MatchObject|MatchSnapshot|MatchInlineSnapshot|ContainEqual)\b|deep(?:Strict)?Equal|==\s*[[({]|\bassert(?:Dict|List|Tuple|Sequence|Count)Equal\b|cmp\.Diff|DeepEqual|ElementsMatch|JSONEq|\bassert_eq!\s*\(\s*[[({&]|assertAll|containsExactly|usingRecursiveComparison|BeEquivalentTo|assertIterableEquals|assertArrayEquals|assert_that\b/;
/** A check that the tests have made for themselves stands for what is inside it. */
const ownCheck = /\b(?:assert|expect|check|verify|ensure)_?(?!Equals?\b|True\b|False\b|That\b|NotNull\b|Null\b|Throws\b|_eq\b|_ne\b)[A-Z_]\w*\s*\(/;

interface Site {
  line: LexedLine;
  hunk: Hunk | undefined;
}

/** Fewer assertions in a test that stays. Those of tests that went or came are counted with their tests. */
export function findLostAssertions(reads: readonly ReadChange[], balances: readonly TestBalance[]): Finding[] {
  const names = declaredNames(reads);
  const moved = textCounts(balances.flatMap((balance) => sites(balance, "added").map(({ line }) => line)));
  return balances.flatMap((balance) => {
    const { gone, fresh, read } = balance;
    if (read.change.kind === "deleted" || becameTable(balance)) return [];
    const paired = gone.length > 0 && fresh.length > 0;
    const before = outside(sites(balance, "removed"), paired ? [] : gone).filter(({ line }) => !take(moved, line));
    const after = outside(sites(balance, "added"), paired ? [] : fresh);
    const removedTexts = textCounts(sites(balance, "removed").map(({ line }) => line));
    const lost = lostSites(
      before,
      after.filter(({ line }) => !take(removedTexts, line)),
    );
    const [first] = lost;
    if (first === undefined) return [];
    const { path } = read.change;
    const found = `${lost.length === 1 ? "1 assertion" : `${lost.length} assertions`} fewer: ${quoteLine(first.line.text)}`;
    if (lost.every(({ line }) => words(line).some((word) => names.has(word)))) {
      return [noted(path, found, "they speak of what the same change removed from the source")];
    }
    if (sites(balance, "added").length >= sites(balance, "removed").length) {
      return [noted(path, found, "the file as a whole asserts no less than before")];
    }
    const line = first.hunk === undefined ? {} : { line: Math.max(1, first.hunk.newStart) };
    return [
      blocked({
        path,
        ...line,
        found,
        why: "a test that asserts less than before lets more pass than before",
        hint: "put the assertions back and mend the code until they hold; one that is wrong is corrected, not removed",
      }),
    ];
  });
}

function sites({ read }: TestBalance, side: "added" | "removed"): Site[] {
  const { change, language } = read;
  const dialect = dialectOf(change.path, language);
  if (dialect === undefined) return [];
  const hunkOf = side === "added" ? hunkOfAdded : hunkOfRemoved;
  return read[side].flatMap((run) => {
    const hunk = hunkOf(change.hunks, run[0]?.line ?? 0);
    if (!isTestScope(change.path, language, hunk?.heading ?? "")) return [];
    return run.filter((line) => dialect.assertion.test(line.code)).map((line) => ({ line, hunk }));
  });
}

function outside(all: readonly Site[], tests: readonly TestCase[]): Site[] {
  const lines = new Set(tests.flatMap(({ block }) => block.map(({ line }) => line)));
  return all.filter(({ line }) => !lines.has(line.line));
}

/** Removed assertions for which nothing in their hunk, or left over in another, stands. */
function lostSites(before: readonly Site[], after: readonly Site[]): Site[] {
  const hunks = new Set([...before, ...after].map(({ hunk }) => hunk));
  const lost: Site[] = [];
  let spare = 0;
  for (const hunk of hunks) {
    const out = before.filter((site) => site.hunk === hunk);
    const into = after.filter((site) => site.hunk === hunk);
    spare += Math.max(0, into.length - out.length);
    if (into.some(({ line }) => comparesWhole.test(line.bare) || ownCheck.test(line.code))) continue;
    lost.push(...out.slice(into.length));
  }
  return lost.slice(spare);
}

function textCounts(lines: readonly LexedLine[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(textOf(line), (counts.get(textOf(line)) ?? 0) + 1);
  return counts;
}

function take(counts: Map<string, number>, line: LexedLine): boolean {
  const left = counts.get(textOf(line)) ?? 0;
  if (left > 0) counts.set(textOf(line), left - 1);
  return left > 0;
}

function textOf({ bare }: LexedLine): string {
  return bare.replace(/\s+/g, "");
}

function words({ bare }: LexedLine): readonly string[] {
  return bare.match(/[A-Za-z_$][\w$]*/g) ?? [];
}
