import { type FoundWord, findWords } from "../facts/find-words.ts";
import { type Passage, readPassages } from "../facts/read-passages.ts";
import type { Problem } from "../problem.ts";
import { looksLikeCommand } from "../shell-words.ts";
import { problemAt, problemOn, type ReadableFile } from "./lint-facts.ts";

/** AMB001, AMB002 and VER005: words that leave something open, measure nothing, or ask for a person. */
export function lintWords(file: ReadableFile): Problem[] {
  const passages = readPassages(file);
  return [...undecided(file, passages), ...ellipses(file), ...vague(file, passages), ...persons(file, passages)];
}

/** What stands under these headings is not an order to the agent. */
const aside = new Set<Passage["kind"]>(["do-not", "references"]);
const openPlaceholder =
  /<(?:fill|todo|tbd|your|insert|replace|placeholder|xxx|填写|待填|占位)[^>\n]{0,60}>|\?{3,}|\[(?:DECISION NEEDED|NEEDS CLARIFICATION|TBD|待定|待确认)[^\]\n]{0,80}\]?/gi;

function undecided(file: ReadableFile, passages: readonly Passage[]): Problem[] {
  return passages.flatMap((passage) => {
    if (aside.has(passage.kind)) return [];
    const marks = [...passage.text.matchAll(openPlaceholder)].map((match): FoundWord => ({ word: match[0], at: match.index }));
    const words = findWords("undecided", passage.text).filter(({ at }) => !marks.some((mark) => at >= mark.at && at < mark.at + mark.word.length));
    return [...marks, ...words].map(({ word, at }) =>
      problemOn(file, passage.placeOf(at), {
        id: "AMB001",
        code: "undecided",
        message: `${where(passage)} "${word.trim()}"; decide it, or ask it as a question`,
      }),
    );
  });
}

/** `./...` is every package of Go, `a...b` a range of commits and `[...x]` a spread: only an ellipsis that stands for left-out text counts. */
const leftOut = /(?<![\w/.\])])(?:\.\.\.|…)(?![\w./[({$"'])|-\.\.\.(?=["'\s]|$)/;

function ellipses(file: ReadableFile): Problem[] {
  const { spec, document, lines } = file.parsed;
  const inVerify = spec.verify.flatMap(({ run }, i) =>
    leftOut.test(run.slice(0, maxCommand)) ? [problemAt(file, { ...ellipsis(`verify[${i}]`, run), part: `verify[${i}]` })] : [],
  );
  const inBody = lines.flatMap(({ line, kind, text, fenced, heading }) => {
    if (fenced || heading || kind === "do-not") return [];
    return [...text.matchAll(/(`+)(?!`)([^`]+)\1/g)].flatMap((span) => {
      const code = span[2] ?? "";
      const arrow = /^\s*(?:->|→|=>)/.test(text.slice(span.index + span[0].length));
      const at = leftOut.exec(code)?.index;
      if (at === undefined || !(arrow || looksLikeCommand(code, "likely"))) return [];
      const item = kind === "acceptance" ? document.acceptance.findLast((each) => each.line <= line) : undefined;
      const place = { line, column: span.index + (span[1]?.length ?? 1) + at + 1 };
      return [problemOn(file, place, ellipsis(item?.id ?? "the command", code))];
    });
  });
  const bare = document.acceptance.flatMap((item, i) => {
    const command = item.command ?? "";
    const first = item.line - (lines[0]?.line ?? 1);
    const quoted = lines.slice(first, first + 4).some(({ text }) => text.includes(`\`${command}\``));
    return command === "" || quoted || !leftOut.test(command) ? [] : [problemAt(file, { ...ellipsis(item.id, command), part: `acceptance[${i}]` })];
  });
  return [...inVerify, ...inBody, ...bare];
}

function ellipsis(name: string, command: string) {
  const code = "ellipsis-in-command" as const;
  return {
    id: "AMB001" as const,
    code,
    message: `${name} contains "${command.includes("…") ? "…" : "..."}"; an agent cannot run it, write the whole command`,
  };
}

const measured =
  /(?:<=?|>=?|≤|≥|under|below|above|within|at (?:most|least)|less than|more than|up to|不超过|小于|大于|低于|高于|至多|至少|最多|最少|以内|不少于)\s*\d|\d\s*(?:ms|µs|s|sec|seconds?|min|minutes?|%|kB|KB|MB|GB|MiB|GiB|B|bytes?|px|fps|rps|qps|req|毫秒|秒|分钟|条|次|个|像素|字节|倍)(?![a-z])|\d+(?:\.\d+)?\s*(?:以内|以下|以上)/i;
const vagueIn = new Set<Passage["kind"]>(["goal", "constraints", "acceptance"]);
const measureReach = 60;

function vague(file: ReadableFile, passages: readonly Passage[]): Problem[] {
  return passages.flatMap((passage) => {
    if (!vagueIn.has(passage.kind)) return [];
    const expected = passage.item?.expected ?? "";
    return findWords("vague", passage.text).flatMap(({ word, at }) => {
      const near = passage.text.slice(Math.max(0, at - measureReach), at + word.length + measureReach);
      if (measured.test(near) || (passage.item !== undefined && measured.test(expected))) return [];
      const severity = passage.kind === "acceptance" ? "error" : "warning";
      const phrase = around(passage.text, at, word.length);
      return [
        problemOn(file, passage.placeOf(at), {
          id: "AMB002",
          code: "vague",
          severity,
          message: `"${phrase}" has no number; say how much, or what is seen`,
        }),
      ];
    });
  });
}

const maxCommand = 4000;

function persons(file: ReadableFile, passages: readonly Passage[]): Problem[] {
  const { spec, document } = file.parsed;
  const told = (name: string, word: string) => ({
    id: "VER005" as const,
    code: "needs-person" as const,
    message: `${name} needs a human ("${word.trim()}"); use a command or a screenshot check`,
  });
  const inVerify = spec.verify.flatMap(({ run }, i) =>
    findWords("person", run.slice(0, maxCommand))
      .slice(0, 1)
      .map(({ word }) => problemAt(file, { ...told(`verify[${i}]`, word), part: `verify[${i}]` })),
  );
  const inCriteria = passages.flatMap((passage) => {
    if (passage.kind !== "acceptance") return [];
    const runs = passage.item?.command !== undefined && looksLikeCommand(passage.item.command, "likely");
    const words = [...findWords("person", passage.text), ...(runs ? [] : findWords("personUnlessCommand", passage.text))];
    return words.slice(0, 1).map(({ word, at }) => problemOn(file, passage.placeOf(at), told(passage.item?.id ?? "a criterion", word)));
  });
  const inScenarios = document.qa.flatMap((scenario) => {
    const text = [scenario.tool, ...scenario.steps, ...scenario.asserts, scenario.expected].join("\n").slice(0, maxCommand);
    return [...findWords("person", text), ...findWords("personUnlessCommand", scenario.tool)]
      .slice(0, 1)
      .map(({ word }) => problemOn(file, { line: scenario.line, column: 1 }, told(`scenario "${scenario.name}"`, word)));
  });
  return [...inVerify, ...inCriteria, ...inScenarios];
}

function where(passage: Passage): string {
  if (passage.item !== undefined) return `${passage.item.id} contains`;
  return passage.kind === "other" ? "the text contains" : `${passage.kind} contains`;
}

/** The word with what stands around it, up to the next comma or 20 characters. */
function around(text: string, at: number, length: number): string {
  const before = /[^,.;:，。；：(（\]]{0,20}$/.exec(text.slice(Math.max(0, at - 40), at))?.[0] ?? "";
  const after = /^[^,.;:，。；：)）]{0,20}/.exec(text.slice(at + length))?.[0] ?? "";
  return `${before.replace(/^\S*\s(?=\S)/, "")}${text.slice(at, at + length)}${after}`.trim();
}
