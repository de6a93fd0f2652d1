import { lintRules } from "./lint/lint-rules.ts";
import type { Problem } from "./problem.ts";

/** Problems for programs: without the edits of `lint --fix`, which only their words tell. */
export interface JsonReport {
  version: 1;
  errors: number;
  warnings: number;
  problems: readonly Omit<Problem, "repair">[];
}

export function toJsonReport(problems: readonly Problem[]): JsonReport {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return { version: 1, errors, warnings: problems.length - errors, problems: problems.map(({ repair: _, ...rest }) => rest) };
}

/** The problems as a SARIF 2.1.0 log, with all rules described. Paths become relative URIs. */
export function toSarif(problems: readonly Problem[], toolVersion: string): Record<string, unknown> {
  const index = new Map(lintRules.map(({ id }, i) => [id, i]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "dispatch lint", version: toolVersion, rules: lintRules.map(describe) } },
        columnKind: "utf16CodeUnits",
        results: problems.map((problem) => ({
          ruleId: problem.id,
          ruleIndex: index.get(problem.id) ?? -1,
          level: problem.severity,
          message: { text: problem.message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: relativeUri(problem.file) },
                region: { startLine: problem.line, startColumn: problem.column },
              },
            },
          ],
          properties: {
            code: problem.code,
            ...(problem.field === undefined ? {} : { field: problem.field }),
            ...(problem.fix === undefined ? {} : { fix: problem.fix }),
          },
        })),
      },
    ],
  };
}

function describe({ id, level, otherwise, english, chinese, help, fixable }: (typeof lintRules)[number]): Record<string, unknown> {
  return {
    id,
    shortDescription: { text: english },
    fullDescription: { text: `${english} ${chinese}` },
    help: { text: help },
    defaultConfiguration: { level },
    properties: { fixable, ...(otherwise === "" ? {} : { otherwise }) },
  };
}

/** A path as SARIF names it. */
export function relativeUri(file: string): string {
  return file
    .split("/")
    .map((part) => encodeURIComponent(wellFormed(part)))
    .join("/");
}

/** Half a surrogate pair cannot be encoded. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}

/** The page of the rules for docs/, in English and Chinese. */
export function describeRules(): string {
  const rows = lintRules.map(({ id, level, otherwise, english, chinese, help, fixable }) => {
    const severity = `${level === "error" ? "E" : "W"}${otherwise === "" ? "" : `; ${otherwise}`}`;
    return `| ${id} | ${severity} | ${english} ${help} | ${chinese} | ${fixable ? "yes" : ""} |`;
  });
  return [
    "# Lint rules",
    "",
    "What `dispatch lint` asks of a spec. E keeps a spec from being fed, W is shown. Words of both languages always count.",
    "A line of its output is `file:line:column id severity message`; `--fix` mends some problems of the rules marked below, without",
    "changing what a spec means. SEC001 is a scan of its own over the whole file.",
    "",
    "| Rule | Severity | Fires when, and what to do | 何时触发 | --fix |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
