import type { Finding } from "@dispatch/core";
import { quoteLine } from "../clean-output.ts";
import { isTestFile, type Language } from "../language.ts";
import type { LexedLine } from "../lex-lines.ts";
import { hunkOfAdded, type ReadChange } from "../read-change.ts";
import { blocked } from "./finding.ts";
import { isTestScope } from "./test-code.ts";

interface SkipWords {
  /** Skips or focuses whatever the machine is like. */
  always: RegExp;
  /** The same as a statement, which below a condition is an answer to the machine the test runs on. */
  statement?: RegExp;
}

const skipWords: Partial<Record<Language, SkipWords>> = {
  script: {
    always:
      /\b(?:it|test|describe|context|suite|specify|Deno\.test)(?:\.(?:concurrent|sequential|serial|parallel|describe))*\.(?:only|skip|failing|fails|fixme)(?:\.each\b|\s*\(\s*(?:""|$|\)))|(?:^|[\s;{(])(?:xit|xtest|xdescribe|xcontext|fit|fdescribe|fcontext)\s*\(|\{\s*(?:skip|only|todo):\s*(?:true|"")/,
    statement: /\b(?:this|t|ctx|context)\.(?:skip|todo)\s*\(/,
  },
  python: {
    always:
      /@(?:pytest\.mark\.(?:skip|xfail)\b(?!if)|unittest\.(?:skip|expectedFailure)\b(?!If|Unless)|skip\b)|\bpytestmark\s*=.*\bmark\.(?:skip|xfail)\b(?!if)|\bskipif\s*\(\s*(?:True|1)\b/,
    statement: /\b(?:pytest\.(?:skip|xfail)|self\.skipTest)\s*\(|\braise\s+(?:unittest\.)?SkipTest\b/,
  },
  go: { always: /^\/\/go:build\s+(?:ignore|never)\b/, statement: /\b[tbs]\.(?:T\(\)\.)?(?:Skip|Skipf|SkipNow)\s*\(/ },
  rust: { always: /#\[(?:ignore\b|cfg\(any\(\)\))/ },
  java: { always: /@(?:Disabled|Ignore)\b(?!On|If|For)/, statement: /\bassumeTrue\s*\(\s*false\b|\bassumeFalse\s*\(\s*true\b/ },
  kotlin: { always: /@(?:Disabled|Ignore)\b(?!On|If|For)|\b(?:xtest|xshould|xit|xdescribe)\s*\(/ },
  swift: { always: /\.disabled\(/, statement: /\bthrow\s+XCTSkip\b/ },
  csharp: { always: /\[(?:Ignore|Explicit)\b|\bSkip\s*=\s*""/, statement: /\bAssert\.(?:Ignore|Inconclusive)\s*\(/ },
};

/** Tests that were skipped or focused. What was only moved is old: each removed one pays for an added one. */
export function findSkippedTests(reads: readonly ReadChange[]): Finding[] {
  const old = new Map<string, number>();
  for (const { language, removed } of reads) {
    for (const line of removed.flat()) if (skips(line, skipWords[language]) !== undefined) old.set(keyOf(line), (old.get(keyOf(line)) ?? 0) + 1);
  }
  return reads.flatMap(({ change, language, added }) => {
    const words = skipWords[language];
    if (words === undefined) return [];
    return added.flatMap((run) => {
      const hunk = hunkOfAdded(change.hunks, run[0]?.line ?? 0);
      const tests =
        language === "rust" || (language === "script" ? isTestFile(change.path) : isTestScope(change.path, language, hunk?.heading ?? ""));
      if (!tests) return [];
      return run.flatMap((line, i) => {
        const kind = skips(line, words);
        if (kind === undefined || (kind === "statement" && isConditional(run, i))) return [];
        const left = old.get(keyOf(line)) ?? 0;
        if (left > 0) old.set(keyOf(line), left - 1);
        return left > 0 ? [] : [skipFinding(change.path, line)];
      });
    });
  });
}

function skips({ code, text }: LexedLine, words: SkipWords | undefined): "always" | "statement" | undefined {
  if (words === undefined || code.length > 2000) return undefined;
  if (words.always.test(code) || (text.startsWith("//go:build") && words.always.test(text))) return "always";
  return words.statement?.test(code) === true ? "statement" : undefined;
}

/** Below a condition that is not a constant, or in a handler of an error. */
function isConditional(run: readonly LexedLine[], i: number): boolean {
  const own = run[i]?.code ?? "";
  if (/^\s*(?:if|unless)\b/.test(own)) return !isConstant(own);
  const indent = indentOf(run[i]?.text ?? "");
  const above = run.slice(0, i).findLast(({ code, text }) => code.trim() !== "" && indentOf(text) < indent)?.code ?? "";
  return /^\s*(?:\}\s*)?(?:if|else|elif|except|catch|case|default|switch|guard|with)\b|\bcatch\b/.test(above) && !isConstant(above);
}

function isConstant(code: string): boolean {
  return /\b(?:if|elif|unless)\s*\(?\s*(?:true|True|1|not False|!false)\s*\)?\s*[:{]?\s*$/.test(code);
}

function indentOf(text: string): number {
  return (/^[ \t]*/.exec(text)?.[0] ?? "").replaceAll("\t", "    ").length;
}

function keyOf({ bare }: LexedLine): string {
  return bare.replace(/\s+/g, "");
}

function skipFinding(path: string, { line, text }: LexedLine): Finding {
  const focused = /\bonly\b|\bf(?:it|describe|context)\b/.test(text);
  return blocked({
    path,
    line,
    found: quoteLine(text),
    why: focused ? "a focused test silences all others" : "a skipped test holds the code to nothing",
    hint: focused
      ? "remove the focus, and let all tests run"
      : "let the test run and mend the code until it passes; skip only below a condition that says where it cannot run",
  });
}
