import type { Position, Remark } from "../problem.ts";
import type { SectionKind } from "./heading-kind.ts";
import { type AcceptanceItem, parseAcceptance } from "./parse-acceptance.ts";
import { parseScenarios, type QaScenario } from "./parse-scenarios.ts";
import { type Body, type BodySection, splitSections, visibleText } from "./split-sections.ts";

export interface BodyReading {
  title: string | null;
  preamble: string;
  sections: readonly BodySection[];
  /** Text of all sections of a kind, without comments. */
  textOf(kind: SectionKind): string;
  acceptance: readonly AcceptanceItem[];
  qa: readonly QaScenario[];
  lang: "zh" | "en";
  positions: ReadonlyMap<string, Position>;
  remarks: readonly Remark[];
  lines: readonly SpecLine[];
}

/** A line below the front matter, as rules about words read it. */
export interface SpecLine {
  /** 1-based line in the file. */
  line: number;
  /** The section it is in; a heading is in the section it opens, the text before all of them in `other`. */
  kind: SectionKind;
  /** The first 1,000 characters, with spaces in place of HTML comments; columns are those of the file. */
  text: string;
  /** Whether the line is inside a code fence, or opens or closes one. */
  fenced: boolean;
  heading: boolean;
}

/** Reads the Markdown below the front matter, whose first line is `firstLine` of the file. */
export function readBody(text: string, firstLine: number): BodyReading {
  const body = splitSections(text, firstLine);
  const of = (kind: SectionKind) => body.sections.filter((section) => section.kind === kind);
  const textOf = (kind: SectionKind) =>
    of(kind)
      .map(visibleText)
      .filter((part) => part !== "")
      .join("\n\n");
  const acceptance = parseAcceptance(of("acceptance"));
  const qa = parseScenarios(body);
  const positions = new Map<string, Position>([["body", { line: firstLine, column: 1 }]]);
  for (const section of body.sections)
    if (section.kind !== "other" && !positions.has(`body.${section.kind}`)) positions.set(`body.${section.kind}`, { line: section.line, column: 1 });
  for (const [i, item] of acceptance.items.entries()) positions.set(`acceptance[${i}]`, { line: item.line, column: 1 });
  const remarks = [
    ...body.openFences.map(
      (line): Remark => ({
        line,
        column: 1,
        id: "FM001",
        severity: "warning",
        code: "fence-open",
        message: "this code fence never closes and is read as text; add the closing fence",
      }),
    ),
    ...acceptance.empty.map(
      (line): Remark => ({
        line,
        column: 1,
        id: "AC001",
        severity: "error",
        code: "acceptance-item-empty",
        message: "this acceptance item is empty; write - [ ] claim: command -> expected, or remove it",
      }),
    ),
    ...unreadSections(of("acceptance"), acceptance.items.length + acceptance.empty.length, textOf("acceptance")),
    ...unreadScenarios(of("qa"), qa, textOf("qa")),
  ];
  return {
    title: body.title,
    preamble: body.preamble,
    sections: body.sections,
    textOf,
    acceptance: acceptance.items,
    qa,
    lang: languageOf(text),
    positions,
    remarks,
    lines: withKinds(body),
  };
}

/** Rules about words read no further in a line: some of their expressions take quadratic time. */
const maxShown = 1000;

function withKinds(body: Body): SpecLine[] {
  const starts = new Map(body.sections.map((section) => [section.line, section.kind]));
  let kind: SectionKind = "other";
  return body.lines.map(({ line, shown, fence, mark }) => {
    const opened = starts.get(line);
    kind = opened ?? kind;
    return { line, kind, text: shown.slice(0, maxShown), fenced: fence !== 0 || mark, heading: opened !== undefined };
  });
}

function unreadSections(sections: readonly BodySection[], items: number, text: string): Remark[] {
  const first = sections[0];
  if (first === undefined || items > 0 || text === "") return [];
  return [
    {
      line: first.line,
      column: 1,
      id: "AC001",
      severity: "error",
      code: "acceptance-unread",
      message: `"${first.heading}" has text but no list item; write each criterion as - [ ] claim: command -> expected`,
    },
  ];
}

function unreadScenarios(sections: readonly BodySection[], scenarios: readonly QaScenario[], text: string): Remark[] {
  const first = sections[0];
  if (first !== undefined && scenarios.length === 0 && text !== "")
    return [
      {
        line: first.line,
        column: 1,
        id: "FM001",
        severity: "error",
        code: "F23",
        field: "qa",
        message: `"${first.heading}" has text but no scenario; begin each with Scenario: and give Tool:, Steps: and Expected Result:`,
      },
    ];
  return scenarios.flatMap((scenario): Remark[] => {
    const missing = [
      ...(scenario.name === "" ? ["name"] : []),
      ...(scenario.tool === "" ? ["Tool"] : []),
      ...(scenario.steps.length === 0 ? ["Steps"] : []),
      ...(scenario.expected === "" ? ["Expected Result"] : []),
    ];
    if (missing.length === 0) return [];
    return [
      {
        line: scenario.line,
        column: 1,
        id: "FM001",
        severity: "error",
        code: "F23",
        field: "qa",
        message: `scenario "${scenario.name}" has no ${missing.join(", no ")}`,
      },
    ];
  });
}

/** Chinese when at least a tenth of the letters are Chinese characters. */
function languageOf(text: string): "zh" | "en" {
  const chinese = text.match(/[\u4e00-\u9fff]/g)?.length ?? 0;
  const latin = text.match(/[A-Za-z]/g)?.length ?? 0;
  return chinese > 0 && chinese * 9 >= latin ? "zh" : "en";
}
