import type { Finding } from "@dispatch/core";
import { quoteLine } from "../clean-output.ts";
import type { LexedLine } from "../lex-lines.ts";
import type { ReadChange } from "../read-change.ts";
import { blocked, noted } from "./finding.ts";

interface Suppression {
  pattern: RegExp;
  /** What it silences is named: a rule, or by its nature one line. */
  named: RegExp;
  /** It stands in code and not in a comment. */
  inCode?: true;
}

const suppressions: readonly Suppression[] = [
  { pattern: /\b(?:eslint|oxlint)-disable(?:-next-line|-line)?\b/, named: /-disable(?:-next-line|-line)?\s+[@\w][\w@/-]*/ },
  { pattern: /@ts-(?:ignore|expect-error)\b/, named: /./ },
  { pattern: /@ts-nocheck\b|@flow\s+off|\$FlowFixMe\b/, named: /\$FlowFixMe\[/ },
  { pattern: /\bbiome-ignore(?:-all|-start)?\b/, named: /biome-ignore\s+\w+\/[\w/]+/ },
  { pattern: /\btslint:disable|\bjshint\s+ignore|\bstylelint-disable/, named: /disable(?:-next-line|-line)?:?\s+[\w-]+/ },
  { pattern: /\b(?:istanbul|c8|v8)\s+ignore\b/, named: /ignore\s+(?:next|if|else)\b/ },
  { pattern: /#\s*noqa\b|#\s*ruff:\s*noqa\b|#\s*flake8:\s*noqa\b/i, named: /#\s*noqa:\s*[A-Z]+\d+/i },
  { pattern: /#\s*type:\s*ignore\b|#\s*(?:pyright|ty):\s*ignore\b|#\s*mypy:\s*ignore-errors/, named: /ignore\[[\w,\s-]+\]/ },
  { pattern: /#\s*pylint:\s*(?:disable|skip-file)|#\s*nosec\b/, named: /disable=(?!all\b)[\w,-]+|nosec\s+B\d+/ },
  { pattern: /#\s*pragma:\s*no\s*(?:cover|branch)\b/, named: /./ },
  { pattern: /\/\/\s*nolint\b|\/\/\s*#nosec\b|\/\/\s*lint:ignore\b/, named: /nolint:\w+|#nosec\s+G\d+|lint:ignore\s+\w+/ },
  { pattern: /#!?\[\s*(?:cfg_attr\([^)]*,\s*)?allow\(/, named: /allow\((?!\s*(?:warnings|unused|clippy::all)\s*[,)])/, inCode: true },
  {
    pattern: /@SuppressWarnings\b|@SuppressLint\b|@file:Suppress\b|@Suppress\b/,
    named: /\((?!\s*"all")\s*(?:value\s*=\s*)?\{?\s*["\w]/,
    inCode: true,
  },
  { pattern: /\bNOSONAR\b|\bNOPMD\b|\bCHECKSTYLE:OFF\b|\bNOCHECKSTYLE\b/, named: /NOSONAR\b.*\bS\d+/ },
  { pattern: /^\s*#pragma\s+warning\s+disable\b|\[SuppressMessage\b/, named: /disable\s+\w*\d|SuppressMessage\(\s*"/, inCode: true },
  {
    pattern: /\bswiftlint:disable|\bktlint-disable|\brubocop:disable|\bshellcheck\s+disable=|\bphpcs:(?:disable|ignore)|\bphpstan-ignore/,
    named: /disable(?::\w+)?[ =:]+\w+|ignore\s+\w+/,
  },
];

/**
 * Checks of linters, type checkers and coverage that a line turns off. One that names its rule and says why is a remark;
 * one that does not, or that silences everything, blocks. What was only moved is old.
 */
export function findSuppressions(reads: readonly ReadChange[]): Finding[] {
  const old = new Map<string, number>();
  for (const { removed } of reads) {
    for (const line of removed.flat()) if (suppressionIn(line) !== undefined) old.set(keyOf(line), (old.get(keyOf(line)) ?? 0) + 1);
  }
  return reads.flatMap(({ change, language, added }) => {
    if (["prose", "generated", "unknown", "data"].includes(language)) return [];
    return added.flatMap((run) =>
      run.flatMap((line, i) => {
        const suppression = suppressionIn(line);
        if (suppression === undefined) return [];
        const left = old.get(keyOf(line)) ?? 0;
        if (left > 0) old.set(keyOf(line), left - 1);
        return left > 0 ? [] : [judged(change.path, line, aboveAttributes(run, i), suppression)];
      }),
    );
  });
}

function suppressionIn(line: LexedLine): Suppression | undefined {
  if (line.text.length > 2000) return undefined;
  return suppressions.find(({ pattern, inCode }) => {
    if (inCode === true) return pattern.test(line.code) || (/^\s*#pragma/.test(line.text) && pattern.test(line.text));
    // Patterns begin with the comment's own sign, which is no part of the comment's text.
    return line.comment !== "" && pattern.test(commentOf(line));
  });
}

/** The comment with its sign, so far as it stands at the line's end. */
function commentOf({ text, comment }: LexedLine): string {
  const at = text.lastIndexOf(comment.trimEnd());
  return at < 0 ? comment : text.slice(Math.max(0, at - 2));
}

function judged(path: string, line: LexedLine, above: LexedLine | undefined, suppression: Suppression): Finding {
  const named = suppression.named.test(line.text);
  if (named && (hasReason(line) || isExplanation(above)))
    return noted(path, quoteLine(line.text), "a check is turned off here, for the reason that stands beside it", line.line);
  return blocked({
    path,
    line: line.line,
    found: quoteLine(line.text),
    why: named ? "a check is turned off, and nothing says why" : "this turns off more than one rule, and may hide anything",
    hint: "mend what the check complains of; if the check is wrong here, name the one rule and say why in the same comment or right above",
  });
}

/** Words beyond the directive and the rules it names. */
function hasReason({ text, comment }: LexedLine): boolean {
  const reason = /\breason\s*=\s*"([^"]+)"/.exec(text)?.[1] ?? comment;
  const said = reason
    .replace(/(?:eslint|oxlint|stylelint|tslint|swiftlint|ktlint|rubocop|shellcheck|phpcs)[-:\s]*(?:disable|ignore)\S*/g, " ")
    .replace(
      /@ts-[\w-]+|biome-ignore\S*|(?:istanbul|c8|v8)\s+ignore\s+(?:next|if|else|file|start|stop)?(?:\s+\d+)?|(?:ruff:\s*|flake8:\s*)?noqa(?::\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?/gi,
      " ",
    )
    .replace(
      /(?:type|pyright|ty):\s*ignore(?:\[[^\]]*\])?|pylint:\s*disable=\S+|pragma:\s*no\s*(?:cover|branch)|#?nosec(?:\s+[BG]\d+)*|nolint(?::[\w,]+)?|lint:ignore|NOSONAR|NOPMD/gi,
      " ",
    )
    .replace(/[@\w]+[-/:.][\w/:.@-]*/g, " ");
  return (said.match(/[\p{L}]{2,}/gu) ?? []).length >= 2 || /[\u4e00-\u9fff]{4}/.test(said);
}

function aboveAttributes(run: readonly LexedLine[], i: number): LexedLine | undefined {
  return run.slice(0, i).findLast(({ code }) => !/^\s*(?:#!?\[|@\w)/.test(code));
}

/** A comment of its own, in words. */
function isExplanation(above: LexedLine | undefined): boolean {
  return above?.silent === true && suppressionIn(above) === undefined && (above.comment.match(/\p{L}{2,}/gu) ?? []).length >= 3;
}

function keyOf({ text }: LexedLine): string {
  return text.replace(/\s+/g, "");
}
