import { coversPath, patternProblem } from "@dispatch/core";
import type { Problem } from "../problem.ts";
import { englishNegation } from "./lexicon-en.ts";
import { chineseNegation } from "./lexicon-zh.ts";
import type { LintCase } from "./lint-case.ts";
import { type ForbiddenTopic, problemAt, problemOn } from "./lint-facts.ts";

/** SCOPE001 and SCOPE002: what the spec must not touch is said, and is not what it has to do. */
export function lintScope(given: LintCase): Problem[] {
  return [...lintEmpty(given), ...lintOwn(given), ...lintTopics(given)];
}

function lintEmpty({ file, graph, project }: LintCase): Problem[] {
  const { spec, document, problems } = file.parsed;
  if (document.doNot !== "" || spec.forbids.length > 0 || problems.some(({ code }) => code === "F06")) return [];
  const siblings: string[] = [];
  for (const node of graph.nodes.values()) {
    if (siblings.length === 3) break;
    if (node.project === spec.project && node.specId !== spec.id && node.file !== null) siblings.push(node.specId);
  }
  const others = (project?.index?.folders ?? []).filter((folder) => ![...spec.modifies, ...spec.creates].some((own) => own.startsWith(folder)));
  const neighbours = [...siblings, ...others.slice(0, 2)];
  const advice = neighbours.length === 0 ? "add ## Do not with what is out of bounds" : `name at least the neighbours: ${neighbours.join(", ")}`;
  return [problemAt(file, { id: "SCOPE001", code: "do-not-empty", part: "body.do-not", message: `do-not list is empty; ${advice}` })];
}

/** A clause that forbids a path as a whole; one that forbids something inside a file is none. */
const forbidsPath = [
  /^(?:(?:do not|don't|never|must not|no|not|nothing)\s+)?(?:(?:change|edit|touch|modify|changes|edits)\s+)?(?:(?:of|to|in|below|under|inside|anything (?:in|below|under|inside)|any file (?:in|below|under))\s+)*`?([\w./*-]+)`?\s*(?:\([^)]*\))?[.!]?$/i,
  /^(?:不要|不|禁止|勿)(?:修改|改动|改|动|碰|触碰|触及)\s*`?([\w./*-]+)`?\s*(?:下的?(?:任何)?(?:文件|内容)?|目录|文件)?\s*(?:[(（][^)）]*[)）])?[。.]?$/,
];

function lintOwn({ file }: LintCase): Problem[] {
  const { spec, lines } = file.parsed;
  const own = [...spec.modifies, ...spec.creates, ...spec.deletes].filter((entry) => patternProblem(entry) === undefined);
  return lines.flatMap(({ kind, line, text, fenced, heading }) => {
    if (kind !== "do-not" || fenced || heading || text.length > 500) return [];
    const bare = text.replace(/^\s*(?:[-*+]|\d+[.)])\s+(?:\[.?\]\s+)?/, "");
    return bare.split(/[,;，；、]\s*|\s+(?:and|or)\s+/).flatMap((clause) => {
      const path = forbidsPath.map((pattern) => pattern.exec(clause.trim())?.[1]).find((found) => found !== undefined);
      if (path === undefined || !/[./*]/.test(path) || patternProblem(path) !== undefined) return [];
      const hit = own.find((entry) => coversPath(path, entry.replace(/\/$/, "")));
      if (hit === undefined) return [];
      const message = `the do-not list rules out ${path}, but the spec owns ${hit}; narrow one of them`;
      return [problemOn(file, { line, column: Math.max(0, text.indexOf(path)) + 1 }, { id: "SCOPE002", code: "do-not-covers-own", message })];
    });
  });
}

function lintTopics({ file, project }: LintCase): Problem[] {
  const { spec, lines } = file.parsed;
  const directions = (project?.directions ?? []).filter(({ id }) => spec.direction === null || spec.direction === id);
  const topics = directions.flatMap(({ mustNot }) => mustNot);
  return topics.flatMap((topic) => {
    for (const { kind, line, text, fenced, heading } of lines) {
      if (kind !== "goal" || fenced || heading) continue;
      const found = findTopic(topic, text);
      if (found === undefined) continue;
      const message = `goal names "${found.word}" but the direction rules out: ${topic.text}`;
      return [problemOn(file, { line, column: found.at + 1 }, { id: "SCOPE002", code: "topic-forbidden", message })];
    }
    return [];
  });
}

function findTopic({ text: whole, keywords }: ForbiddenTopic, text: string): { word: string; at: number } | undefined {
  const lower = text.toLowerCase();
  for (const keyword of keywords.length > 0 ? keywords : [whole]) {
    const word = keyword.trim().toLowerCase();
    if (word === "") continue;
    for (let at = lower.indexOf(word); at !== -1; at = lower.indexOf(word, at + 1)) {
      const inside = /\w/.test(word.charAt(0)) && /\w/.test(lower.charAt(at - 1));
      const runsOn = /\w/.test(word.at(-1) ?? "") && /\w/.test(lower.charAt(at + word.length)) && !/s/.test(lower.charAt(at + word.length));
      const before = text.slice(Math.max(0, at - 40), at);
      if (!inside && !runsOn && !englishNegation.test(before) && !chineseNegation.test(before)) return { word: text.slice(at, at + word.length), at };
    }
  }
  return undefined;
}
