import { coversPath, patternProblem } from "@dispatch/core";
import type { SpecNode } from "./spec-graph.ts";

/** Words after which a goal names what is to be made. */
const verbs =
  /\b(?:add|adds|create|creates|introduce|introduces|define|defines|implement|implements|export|exports|write|provide|provides)\b|新增|添加|新建|创建|增加|实现|定义|引入|提供|编写/gi;
const clauseEnd =
  /\b(?:to|in|into|on|onto|for|from|of|that|which|using|with|as|so|where|when|whose|beside|below|under)\b|[.;:。；，：](?=\s|$|[\u4e00-\u9fff`])|,(?=\s*(?:so|that|which|and then)\b)|来|用于|供|以便/i;
const endpoint = /\b(?:GET|POST|PUT|PATCH|DELETE)\s+\/[\w{}:./-]+/g;

/** Names in backticks and words that can only be symbols. */
export function symbolsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\n]{1,120})`/g)].flatMap(
    ([, code = ""]) => /^\s*(?:\w+\.)*([A-Za-z_$][\w$]{2,})\s*(?:\(|$|<)/.exec(code)?.[1] ?? [],
  );
  const bare = text.replace(/`[^`\n]*`/g, " ").match(/[A-Za-z_$][\w$]*(?:\(\))?/g) ?? [];
  const known = bare.filter((word) => /[a-z0-9][A-Z]|[A-Za-z0-9]_[A-Za-z0-9]|\(\)$/.test(word)).map((word) => word.replace("()", ""));
  return [...new Set([...quoted, ...known])];
}

/** What a goal says it makes. */
export interface Added {
  /** Named right after a verb such as "add". */
  symbols: readonly string[];
  /** Named after the colon of such a sentence: most probably made as well. */
  details: readonly string[];
  endpoints: readonly string[];
}

const maxGoal = 4000;
const nothing: Added = { symbols: [], details: [], endpoints: [] };

export function addedBy(goal: string): Added {
  return goal
    .slice(0, maxGoal)
    .split(/(?<=[.。;；])\s*(?=[A-Z`\u4e00-\u9fff]|$)|\n\s*\n/)
    .reduce((all, sentence) => join(all, addedIn(sentence)), nothing);
}

function join(left: Added, right: Added): Added {
  return {
    symbols: [...left.symbols, ...right.symbols],
    details: [...left.details, ...right.details],
    endpoints: [...left.endpoints, ...right.endpoints],
  };
}

/** What stands between the verb and the place it is added to, and after a colon. */
function addedIn(sentence: string): Added {
  const masked = sentence.replace(/`[^`\n]*`/g, (span) => "`".repeat(span.length));
  const clauses = [...masked.matchAll(verbs)].map((verb) => {
    const start = verb.index + verb[0].length;
    const rest = masked.slice(start);
    return sentence.slice(start, start + (clauseEnd.exec(rest)?.index ?? rest.length));
  });
  if (clauses.length === 0) return nothing;
  const colon = masked.search(/[:：](?:\s|$|[\u4e00-\u9fff`])/);
  return {
    symbols: clauses.flatMap(symbolsIn),
    details: colon === -1 ? [] : symbolsIn(sentence.slice(colon)),
    endpoints: clauses.flatMap(endpointsIn),
  };
}

/** Endpoints named as `POST /x`. */
export function endpointsIn(text: string): string[] {
  return [...new Set([...text.matchAll(endpoint)].map(([found]) => found.replace(/\s+/, " ").replace(/[.:]$/, "")))];
}

/** Words of a text that are paths. */
export function pathsIn(text: string): string[] {
  const words = text.match(/[\w@.-]+(?:\/[\w@.*{}-]+)+|\b[\w-]+\.(?:[cm]?[jt]sx?|py|go|rs|rb|sql|json|ya?ml|md|sh|css|html)\b/g) ?? [];
  return [...new Set(words.map((word) => word.replace(/[.]+$/, "").replace(/^\.\//, "")))];
}

/** What the specs of a project bring, by name: for looking up what another one uses. */
export interface Bringers {
  /** The one spec that adds a symbol; symbols that several add tell nothing and are left out. */
  ofSymbol(symbol: string): SpecNode | undefined;
  ofEndpoint(endpoint: string): SpecNode | undefined;
  /** The specs that create a path, or a folder around it. */
  ofPath(path: string): readonly SpecNode[];
}

export function indexBringers(nodes: Iterable<SpecNode>): Bringers {
  const symbols = new Map<string, SpecNode | null>();
  const details = new Map<string, SpecNode | null>();
  const endpoints = new Map<string, SpecNode | null>();
  const paths = new Map<string, SpecNode[]>();
  const note = (map: Map<string, SpecNode | null>, name: string, node: SpecNode) =>
    map.set(name, map.has(name) && map.get(name) !== node ? null : node);
  for (const node of nodes) {
    const added = addedBy(node.goal);
    for (const symbol of added.symbols) note(symbols, symbol, node);
    for (const symbol of added.details) note(details, symbol, node);
    for (const name of added.endpoints) note(endpoints, name, node);
    for (const entry of node.creates) {
      if (patternProblem(entry) !== undefined) continue;
      const bare = entry.replace(/\/$/, "");
      paths.set(bare, [...(paths.get(bare) ?? []), node]);
    }
  }
  return {
    ofSymbol: (symbol) => (symbols.has(symbol) ? symbols : details).get(symbol) ?? undefined,
    ofEndpoint: (name) => endpoints.get(name) ?? undefined,
    ofPath: (path) => {
      const found: SpecNode[] = [];
      for (let at = path; at !== ""; at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "") {
        for (const node of paths.get(at) ?? []) if (node.creates.some((entry) => coversPath(entry, path))) found.push(node);
      }
      return found;
    },
  };
}
