import { type FileText, positionAt } from "../file-text.ts";
import type { Remark } from "../problem.ts";

const maxFile = 512 * 1024;
const maxFrontMatter = 64 * 1024;
/** Deeper nesting than any spec has, and far less than what exhausts the YAML reader's stack. */
const maxNesting = 64;

export type FrontMatterSplit =
  | { outcome: "split"; yaml: string; yamlOffset: number; bodyOffset: number }
  | { outcome: "refused"; remarks: readonly Remark[] };

/** Cuts a spec file at its two `---` lines. */
export function splitFrontMatter(file: FileText): FrontMatterSplit {
  const { text } = file;
  const refuse = (offset: number, code: Remark["code"], message: string): FrontMatterSplit => ({
    outcome: "refused",
    remarks: [{ ...positionAt(file, offset), id: "FM001", severity: "error", code, message }],
  });
  if (text.length > maxFile)
    return refuse(0, "file-too-large", `the file has ${text.length} characters; a spec has at most ${maxFile}; name other files in context instead`);
  const opening = /^---[ \t]*(\n|$)/.exec(text);
  if (opening === null) return refuse(0, "front-matter-absent", absentMessage(text));
  const yamlOffset = opening[0].length;
  const closing = /^(---|\.\.\.)[ \t]*$/gm;
  closing.lastIndex = yamlOffset;
  const end = closing.exec(text);
  if (end === null) return refuse(0, "front-matter-open", "front matter: the --- of line 1 is never closed; add a line --- after the last field");
  const yaml = text.slice(yamlOffset, end.index);
  if (yaml.length > maxFrontMatter)
    return refuse(yamlOffset, "file-too-large", `the front matter has ${yaml.length} characters, at most ${maxFrontMatter}; move text into the body`);
  const deep = tooDeepAt(yaml);
  if (deep !== undefined)
    return refuse(yamlOffset + deep, "nesting", `front matter: nested more than ${maxNesting} deep; fields are texts, lists and small maps`);
  const bodyOffset = Math.min(text.length, end.index + end[0].length + 1);
  const second = secondDocument(text, bodyOffset);
  if (second !== undefined)
    return refuse(second, "second-document", "a second spec starts here; one file holds one spec, so move it into a file of its own");
  return { outcome: "split", yaml, yamlOffset, bodyOffset };
}

function absentMessage(text: string): string {
  if (text.trim() === "") return "the file is empty; a spec starts with front matter between two --- lines";
  if (/^\s*(```|~~~)/.test(text)) return "the file starts with a code fence; remove the fence lines, so that line 1 is ---";
  if (/^\s+---[ \t]*$/m.test(text.slice(0, 200))) return "front matter: line 1 must be ---; remove the empty lines and spaces above and before it";
  if (/^---/.test(text)) return "front matter: line 1 must be --- and nothing else; put the first field on line 2";
  return "front matter is absent; line 1 must be ---, then fields such as task_id: S01-example, then a line ---";
}

function secondDocument(text: string, bodyOffset: number): number | undefined {
  const start = /^(?:task_id|id)[ \t]*:/gm;
  start.lastIndex = bodyOffset;
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    const before = text.slice(Math.max(bodyOffset, match.index - 200), match.index);
    if (/^\s*$/.test(before) && match.index - bodyOffset < 200) return match.index;
    if (/(^|\n)---[ \t]*\n+$/.test(before)) return match.index;
  }
  return undefined;
}

/** Offset where the text nests too deeply. Counts brackets and indicators as they stand, also in quotes: an upper bound. */
function tooDeepAt(yaml: string): number | undefined {
  let brackets = 0;
  let indicators = 0;
  for (let i = 0; i < yaml.length; i++) {
    const char = yaml.charAt(i);
    if (char === "[" || char === "{") brackets++;
    else if (char === "]" || char === "}") brackets = Math.max(0, brackets - 1);
    else if (char === "\n") indicators = 0;
    else if ((char === "-" || char === "?" || char === ":") && /^\s?$/.test(yaml.charAt(i + 1))) indicators++;
    if (brackets > maxNesting || indicators > maxNesting) return i;
  }
  return undefined;
}
