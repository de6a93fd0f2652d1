import { coversAny, isGlob, patternProblem } from "@dispatch/core";
import { pathsIn } from "../facts/artefacts.ts";
import { findWords } from "../facts/find-words.ts";
import { readPassages } from "../facts/read-passages.ts";
import type { Position, Problem } from "../problem.ts";
import { isHistory, type LintCase } from "./lint-case.ts";
import { problemAt, problemOn, type ReadableFile } from "./lint-facts.ts";

const [smallMinutes, largeMinutes, hugeMinutes] = [3, 15, 30];
const maxProductFiles = 3;
const maxWords = 900;
const maxEntries = 6;
const maxLockedFiles = 25;

/** SIZE001: more than one session of an agent can hold. */
export function lintSize({ file }: LintCase): Problem[] {
  const { spec, document } = file.parsed;
  const warning = { id: "SIZE001", severity: "warning" } as const;
  const problems: Problem[] = [];
  const minutes = spec.estimateMinutes;
  if (document.given.has("estimate_min") && minutes < smallMinutes)
    problems.push(
      problemAt(file, {
        ...warning,
        code: "estimate-small",
        part: "estimate_min",
        message: `${minutes} min is less than a session is worth; join it with a neighbour`,
      }),
    );
  if (minutes > largeMinutes)
    problems.push(
      problemAt(file, {
        ...warning,
        severity: minutes > hugeMinutes ? "error" : "warning",
        code: "estimate-large",
        part: "estimate_min",
        message: `${minutes} min is more than ${minutes > hugeMinutes ? hugeMinutes : largeMinutes}; split the spec`,
      }),
    );
  const product = [...spec.modifies, ...spec.creates].filter(isProduct);
  if (product.length > maxProductFiles)
    problems.push(
      problemAt(file, {
        ...warning,
        code: "files-many",
        part: spec.modifies.length > 0 ? "modifies" : "creates",
        message: `${product.length} product files (${product.slice(0, 4).join(", ")}) are more than ${maxProductFiles}; split the spec by file`,
      }),
    );
  const words = countWords([document.preamble, ...document.sections.map(({ text }) => text)]);
  if (words > maxWords)
    problems.push(
      problemAt(file, {
        ...warning,
        code: "words-many",
        part: "body",
        message: `${words} words are more than ${maxWords}; say only what is decided`,
      }),
    );
  return [...problems, ...severalGoals(file).slice(0, 1)];
}

/** Two orders in one goal: by the words that join them, or because a later sentence orders a change of what is not owned. */
function severalGoals(file: ReadableFile): Problem[] {
  const { spec, document } = file.parsed;
  const own = [...spec.modifies, ...spec.creates, ...spec.deletes, ...spec.reads, ...document.context].filter(
    (entry) => patternProblem(entry) === undefined,
  );
  const found: { place: Position; rest: string }[] = [];
  let sentences = 0;
  for (const passage of readPassages(file)) {
    if (passage.kind !== "goal") continue;
    const joined = findWords("severalGoals", passage.text)[0];
    if (joined !== undefined) found.push({ place: passage.placeOf(joined.at), rest: passage.text.slice(joined.at, joined.at + 40).trim() });
    for (const sentence of passage.whole.matchAll(/(?:[^.。!！]|\.(?=\S))+[.。!！]?/g)) {
      sentences += 1;
      const text = sentence[0].trim();
      const foreign = sentences > 1 && order.test(text) ? pathsIn(text).find((path) => path.includes("/") && !coversAny(own, path)) : undefined;
      if (foreign !== undefined) found.push({ place: passage.placeOf(sentence.index + sentence[0].search(/\S/)), rest: text.slice(0, 40) });
    }
  }
  return found.map(({ place, rest }) =>
    problemOn(file, place, {
      id: "SIZE001",
      severity: "warning",
      code: "goals-many",
      message: `looks like 2 goals in ${spec.estimateMinutes} min; split at "${rest}"`,
    }),
  );
}

const order =
  /^(?:[-*]\s+|\d+[.)]\s+)?(?:add|build|change|create|delete|describe|document|drop|export|extend|extract|fix|implement|introduce|make|migrate|move|port|refactor|remove|rename|repair|replace|rewrite|split|support|test|update|write)\b|新增|添加|新建|创建|增加|实现|修改|修复|删除|移到|移动|替换|重写|拆分|编写|测试|把/i;

const testPath =
  /(?:^|\/)(?:tests?|__tests__|specs?|e2e|fixtures?|testdata|testing|__mocks__|__snapshots__)(?:\/|$)|(?:[._-]|^)(?:test|spec)\.|(?:^|\/)(?:test_|conftest)|_test\./i;
const productFile = /\.(?:[cm]?[jt]sx?|py|go|rs|rb|php|java|kt|swift|cs|c|h|cc|cpp|hpp|sh|sql|html?|css|scss|svelte|vue|graphql|proto)$/i;

/** Whether an entry is code that is shipped, rather than a test, a document or configuration. Folders and globs count as one. */
function isProduct(entry: string): boolean {
  if (testPath.test(entry) || /^docs\//.test(entry)) return false;
  return productFile.test(entry) || isGlob(entry) || entry.endsWith("/");
}

/** Latin words; five Chinese characters count as three words. */
function countWords(lines: readonly string[]): number {
  let words = 0;
  for (const line of lines) {
    words += line.match(/[A-Za-z0-9_]+(?:['’-][A-Za-z0-9_]+)*/g)?.length ?? 0;
    words += (line.match(/[\u4e00-\u9fff]/g)?.length ?? 0) * 0.6;
  }
  return Math.round(words);
}

/** MOD003: a lock so wide that the others would wait. */
export function lintBreadth(given: LintCase): Problem[] {
  const { file, project } = given;
  const { spec } = file.parsed;
  if (isHistory(given)) return [];
  const problems: Problem[] = [];
  const entries = [...spec.modifies, ...spec.creates, ...spec.deletes];
  if (entries.length > maxEntries)
    problems.push(
      problemAt(file, {
        id: "MOD003",
        code: "locks-many-entries",
        severity: "warning",
        part: spec.modifies.length > 0 ? "modifies" : "creates",
        message: `${entries.length} entries are locked, more than ${maxEntries}; split the spec`,
      }),
    );
  for (const field of ["modifies", "deletes"] as const) {
    for (const [i, entry] of spec[field].entries()) {
      if (patternProblem(entry) !== undefined) continue;
      const part = `${field}[${i}]`;
      const count = project?.index?.count(entry) ?? 0;
      const locks = project?.index == null ? "every file" : `${count} files`;
      if (/^\*{1,2}(?:\/\*{1,2})*$/.test(entry))
        problems.push(
          problemAt(file, {
            id: "MOD003",
            code: "locks-everything",
            part,
            message: `${part} "${entry}" locks ${locks}; every other spec would wait`,
          }),
        );
      else if (count > maxLockedFiles)
        problems.push(
          problemAt(file, {
            id: "MOD003",
            code: "locks-many-files",
            severity: "warning",
            part,
            message: `${part} "${entry}" locks ${locks}; every other spec there would wait`,
          }),
        );
    }
  }
  return problems;
}
