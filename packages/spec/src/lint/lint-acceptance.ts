import { findWords } from "../facts/find-words.ts";
import { textOf } from "../facts/read-passages.ts";
import type { AcceptanceItem } from "../parse/parse-acceptance.ts";
import type { Problem } from "../problem.ts";
import { looksLikeCommand } from "../shell-words.ts";
import { problemAt, type ReadableFile } from "./lint-facts.ts";

const maxCriteria = 8;

/** AC001, AC002 and AC003: criteria that are there, can be checked, and look at more than success. */
export function lintAcceptance(file: ReadableFile): Problem[] {
  return [...lintCount(file), ...lintCheckable(file), ...lintFailure(file)];
}

function lintCount(file: ReadableFile): Problem[] {
  const { document, problems } = file.parsed;
  const count = document.acceptance.length;
  if (count > maxCriteria)
    return [
      problemAt(file, {
        id: "AC001",
        code: "acceptance-many",
        severity: "warning",
        part: `acceptance[${maxCriteria}]`,
        message: `${count} acceptance criteria are more than ${maxCriteria}; split the spec`,
      }),
    ];
  if (count > 0 || problems.some((problem) => problem.id === "AC001" || problem.code === "F22")) return [];
  return [
    problemAt(file, {
      id: "AC001",
      code: "acceptance-absent",
      part: "body.acceptance",
      message: "no acceptance criteria; an agent cannot know when to stop. Add ## Acceptance with lines - [ ] claim: command -> expected",
    }),
  ];
}

function lintCheckable(file: ReadableFile): Problem[] {
  const { document, spec } = file.parsed;
  return document.acceptance.flatMap((item, i) => {
    if (isCheckable(item, spec.type === "docs", file)) return [];
    const claim = item.text.length > 60 ? `${item.text.slice(0, 57)}...` : item.text;
    return [
      problemAt(file, {
        id: "AC002",
        code: "acceptance-uncheckable",
        part: `acceptance[${i}]`,
        message: `${item.id} "${claim}" cannot be checked; write: <claim>: <command> -> <expected>`,
      }),
    ];
  });
}

const maxWhole = 2000;
const maxScenarios = 50;

/** The criterion as written, without its list mark. */
function wholeOf(item: AcceptanceItem): string {
  return [item.text, item.command ?? "", item.expected ?? ""].join(" ").slice(0, maxWhole);
}

const codeToken = /`[^`\n]+`|\b[a-z0-9]+[A-Z]\w*|\b[A-Z][a-z0-9]+[A-Z]\w*|\b\w+_\w+\b|(?:[\w@.-]+\/)+[\w.-]+|\b[\w-]+\.[a-z]{1,4}\b/;
/** A fact of the files themselves, which a reader of the change can see without running anything. */
const staticVerb =
  /\b(?:exists?|(?:is|are) (?:exported|absent|gone|deleted|removed|present|listed|declared|defined)|exports?|contains?|declares?|defines?|lists?|names?|has|have)\b|存在|不存在|导出|包含|含有|声明|定义|列出|必须|写明|删除|移除/i;
const docsCheck = /https?:\/\/|\blinks?\b|链接|锚点/i;

function isCheckable(item: AcceptanceItem, prose: boolean, file: ReadableFile): boolean {
  if (item.command !== undefined && (looksLikeCommand(item.command, "likely") || isQuoted(item.command, item, file))) return true;
  const whole = wholeOf(item);
  if (/[(（](?:see )?(?:verify|AC|qa)\b[^)）]*[)）]|\bverify(?:\[\d+\]| \d+)/i.test(whole)) return true;
  if (file.parsed.document.qa.slice(0, maxScenarios).some(({ name }) => name !== "" && whole.includes(name))) return true;
  if (prose && docsCheck.test(whole)) return true;
  return codeToken.test(whole) && staticVerb.test(whole);
}

/** Whether the command stands in backticks before an arrow: the writer says that it is one. */
function isQuoted(command: string, item: AcceptanceItem, { parsed }: ReadableFile): boolean {
  const first = item.line - (parsed.lines[0]?.line ?? 1);
  return parsed.document.given.has("acceptance") || parsed.lines.slice(first, first + 6).some(({ text }) => text.includes(`\`${command}`));
}

const codeless = new Set(["docs", "chore", "plan", "research", "contract", "stage"]);

function lintFailure(file: ReadableFile): Problem[] {
  const { spec, document } = file.parsed;
  if (codeless.has(spec.type) || document.acceptance.length === 0) return [];
  const criteria = document.acceptance.map(wholeOf);
  const scenarios = document.qa.slice(0, maxScenarios).map((each) => `${each.name}\n${each.expected}`.slice(0, maxWhole));
  if ([...criteria, ...scenarios].some((text) => findWords("failure", text).length > 0)) return [];
  const strict = spec.priority === 0 || touchesEndpoint(file);
  return [
    problemAt(file, {
      id: "AC003",
      code: "failure-untested",
      severity: strict ? "error" : "warning",
      part: "body.acceptance",
      message: "only success is tested; add one criterion for bad input or a missing dependency",
    }),
  ];
}

export const endpointPattern = /\b(GET|POST|PUT|PATCH|DELETE)\s+(\/[A-Za-z0-9_{}:./-]+)/g;

function touchesEndpoint(file: ReadableFile): boolean {
  const { spec } = file.parsed;
  return [...spec.contract, textOf(file, ["goal"])].some((text) => text.search(endpointPattern) !== -1);
}
