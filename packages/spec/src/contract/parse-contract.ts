import { anchorKey, type ContractProblem, type ContractReading, readMarkdownContract } from "@dispatch/core";
import { readFileText } from "../file-text.ts";
import { parseOpenApi } from "./parse-open-api.ts";

/** Reads a contract file: Markdown with headings such as `### POST /schedule`, or OpenAPI as YAML or JSON. Never throws. */
export function parseContract(file: string, text: string): ContractReading {
  const plain = readFileText(text).text;
  const parsed = /\.(ya?ml|json)$/i.test(file) ? parseOpenApi(plain) : readMarkdownContract(plain);
  const seen = new Map<string, number>();
  const twice: ContractProblem[] = [];
  for (const { anchor, line } of parsed.anchors) {
    const first = seen.get(anchorKey(anchor));
    if (first === undefined) seen.set(anchorKey(anchor), line);
    else twice.push({ line, code: "anchor-twice", message: `${anchor} is described in line ${first} already; keep one` });
  }
  const none: ContractProblem[] =
    parsed.anchors.length === 0 && parsed.problems.length === 0
      ? [
          {
            line: 1,
            code: "no-entry",
            message: "no entry was found; give each a heading such as ## POST /schedule, ## event post.created or ## type Post",
          },
        ]
      : [];
  return { anchors: parsed.anchors, problems: [...parsed.problems, ...twice, ...none].sort((left, right) => left.line - right.line) };
}
