import { canonicalJson, contentDigest } from "./content-digest.ts";

/** One entry of a shared contract: an endpoint, an event or a type. */
export interface ContractAnchor {
  /** `POST /schedule`, `event post.created`, `type ScheduleItem`, as references cite it. */
  anchor: string;
  /** 1-based line of its heading or key. */
  line: number;
  /** Whether its request is given by an example; also true where there can be none (GET, DELETE, events, types, "no request body"). */
  request: boolean;
  /** Whether its response (or, of an event or a type, its content) is given by an example. */
  response: boolean;
  /** Of the content without layout: two anchors with the same digest say the same. */
  digest: string;
}

export interface ContractProblem {
  /** 1-based. */
  line: number;
  code: "json" | "yaml" | "anchor-twice" | "no-entry";
  message: string;
}

/** What the text of a contract file holds. */
export interface ContractReading {
  anchors: readonly ContractAnchor[];
  problems: readonly ContractProblem[];
}

/** Anchors that say something else in `after`, by their name there or, of removed ones, in `before`. */
export function changedAnchors(
  before: Pick<ContractReading, "anchors">,
  after: Pick<ContractReading, "anchors">,
): { added: string[]; changed: string[]; removed: string[] } {
  const old = new Map(before.anchors.map((entry) => [anchorKey(entry.anchor), entry]));
  const now = new Map(after.anchors.map((entry) => [anchorKey(entry.anchor), entry]));
  return {
    added: [...now].filter(([key]) => !old.has(key)).map(([, { anchor }]) => anchor),
    changed: [...now].filter(([key, { digest }]) => old.has(key) && old.get(key)?.digest !== digest).map(([, { anchor }]) => anchor),
    removed: [...old].filter(([key]) => !now.has(key)).map(([, { anchor }]) => anchor),
  };
}

/** One spelling for an anchor: `post  /a/:id/` and `POST /a/{id}` are the same entry. */
export function anchorKey(anchor: string): string {
  const [first = "", ...rest] = anchor.replace(/[`*]/g, "").trim().split(/\s+/);
  const word = kinds.get(first.toLowerCase()) ?? first.toUpperCase();
  const name = rest.join(" ");
  if (!name.startsWith("/")) return `${word} ${name}`.trim();
  const path = name.replace(/:[A-Za-z_]\w*|\{[^}/]*\}|<[^>/]*>/g, "{}").replace(/(?<=.)\/$/, "");
  return `${word} ${path}`;
}

/** Which examples an entry lacks, in words; empty when it has what it needs. */
export function missingExamples({ anchor, request, response }: ContractAnchor): string {
  if (!/^[A-Z]+ /.test(anchor)) return response ? "" : "JSON";
  return [...(request ? [] : ["request"]), ...(response ? [] : ["response"])].join(" and no ");
}

const kinds = new Map([
  ["event", "event"],
  ["事件", "event"],
  ["type", "type"],
  ["schema", "type"],
  ["类型", "type"],
]);

const headingPattern = /^ {0,3}(#{1,6})[ \t]+(\S.{0,300}?)[ \t#]*$/;
const endpointPattern = /\b(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+(\/[^\s`)，。]*)/;
const namedPattern = /(?:^|[\s:：/])(event|type|schema|事件|类型)\s*[:：]?\s+([A-Za-z_$][\w$.:/-]*)\s*$/i;
const requestWord = /request|请求/gi;
const responseWord = /response|响应|返回|应答/gi;
const noRequest = /no (?:request )?body|without (?:a )?(?:request )?body|no request|无请求体|没有请求体|无需请求体/i;

interface Entry {
  anchor: string;
  line: number;
  level: number;
  request: boolean;
  response: boolean;
  /** Text since the last block, in which the word before the next block is looked for. */
  label: string;
  blocks: number;
  content: string[];
}

/** Reads Markdown with headings such as `### POST /schedule`. Never throws. */
export function readMarkdownContract(text: string): ContractReading {
  const problems: ContractProblem[] = [];
  const entries: Entry[] = [];
  let current: Entry | undefined;
  const rows = text.split("\n");
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? "";
    const fence = /^\s*(`{3,}|~{3,})\s*(\w*)/.exec(row);
    if (fence !== null) {
      const end = closingRow(rows, i, fence[1] ?? "```");
      if (current !== undefined) takeBlock(current, { lang: fence[2] ?? "", text: rows.slice(i + 1, end).join("\n"), line: i + 1 }, problems);
      i = end;
      continue;
    }
    const heading = headingPattern.exec(row);
    const level = heading?.[1]?.length ?? 0;
    const anchor = heading === null ? undefined : anchorOf(heading[2] ?? "");
    if (anchor !== undefined) {
      current = { anchor, line: i + 1, level, request: needsNoRequest(anchor), response: false, label: "", blocks: 0, content: [] };
      entries.push(current);
    } else if (heading !== null && current !== undefined && level <= current.level) current = undefined;
    else if (current !== undefined && row.trim() !== "") {
      current.label += `\n${row}`;
      current.content.push(row.trim().replace(/\s+/g, " "));
      if (noRequest.test(row)) current.request = true;
    }
  }
  const anchors = entries.map(({ anchor, line, request, response, content }) => ({
    anchor,
    line,
    request,
    response,
    digest: contentDigest(`${anchorKey(anchor)}\n${content.join("\n")}`),
  }));
  return { anchors, problems };
}

function anchorOf(heading: string): string | undefined {
  const bare = heading.replace(/[`*]/g, "").trim();
  const endpoint = endpointPattern.exec(bare);
  if (endpoint !== null) return `${endpoint[1]} ${endpoint[2]}`;
  const named = namedPattern.exec(bare);
  return named === null ? undefined : `${kinds.get((named[1] ?? "").toLowerCase()) ?? "type"} ${named[2]}`;
}

function needsNoRequest(anchor: string): boolean {
  return !/^(POST|PUT|PATCH) /.test(anchor);
}

function closingRow(rows: readonly string[], from: number, mark: string): number {
  for (let i = from + 1; i < rows.length; i++) {
    const row = (rows[i] ?? "").trim();
    if (row.startsWith(mark) && row.replaceAll(mark.charAt(0), "") === "") return i;
  }
  return rows.length;
}

/** A block counts for the side whose word stands nearest before it; without a word the first is the request, the second the response. */
function takeBlock(entry: Entry, block: { lang: string; text: string; line: number }, problems: ContractProblem[]): void {
  const json = /^jsonc?5?$/i.test(block.lang) || (block.lang === "" && /^\s*[[{]/.test(block.text));
  const label = entry.label;
  entry.label = "";
  if (!json) {
    entry.content.push(block.text.trim());
    return;
  }
  try {
    entry.content.push(canonicalJson(JSON.parse(block.text)));
  } catch {
    entry.content.push(block.text.trim());
    problems.push({ line: block.line, code: "json", message: `an example of ${entry.anchor} is not valid JSON; an agent cannot build on it` });
    return;
  }
  const first = entry.blocks === 0;
  entry.blocks += 1;
  const side = lastWord(label) ?? (first && !needsNoRequest(entry.anchor) && !entry.request ? "request" : "response");
  entry[side] = true;
}

function lastWord(label: string): "request" | "response" | undefined {
  const last = (pattern: RegExp) => [...label.matchAll(pattern)].at(-1)?.index ?? -1;
  const [request, response] = [last(requestWord), last(responseWord)];
  if (request === -1 && response === -1) return undefined;
  return request > response ? "request" : "response";
}
