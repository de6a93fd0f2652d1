import { looksLikeCommand } from "../shell-words.ts";
import type { BodySection } from "./split-sections.ts";

/** One way to see that the work is done. */
export interface AcceptanceItem {
  /** `AC1`, `AC2`, … in the order of the file unless the file names its own. */
  id: string;
  /** The claim. */
  text: string;
  command?: string;
  /** What the command shows, as written: `exit 0`, `HTTP 401`, `contains "x"`. */
  expected?: string;
  kind?: string;
  /** 1-based line in the file. */
  line: number;
}

const itemPattern = /^(\s*)(?:[-*+]|\d+[.)])\s+(?:\[[^\]\n]?\]\s*)?(.*)$/;
const bareItemPattern = /^(\s*)(?:[-*+]|\d+[.)])(?:\s+\[[^\]\n]?\])?\s*$/;
/** Longer items are prose; taking them apart would cost quadratic time. */
const maxSplit = 4000;
const ownId = /^\**(AC-?\d+)\**\s*[:：.)]\s*/i;

/** The list items of acceptance sections. Deeper and continuing lines belong to the item above them; items without text are told apart. */
export function parseAcceptance(sections: readonly BodySection[]): { items: AcceptanceItem[]; empty: number[] } {
  const empty: number[] = [];
  const found: { line: number; text: string }[] = [];
  for (const section of sections) {
    let indent: number | null = null;
    let open = false;
    for (const { line, text, fence } of section.lines) {
      if (fence !== 0) continue;
      if (text.trim() === "") {
        open = false;
        continue;
      }
      const bare = bareItemPattern.exec(text);
      const match = bare ?? itemPattern.exec(text);
      const depth = match?.[1]?.length ?? /^\s*/.exec(text)?.[0].length ?? 0;
      const last = found.at(-1);
      if (match !== null && (indent === null || depth <= indent + 1)) {
        indent ??= depth;
        open = true;
        if (bare !== null) {
          empty.push(line);
          open = false;
        } else found.push({ line, text: match[2] ?? "" });
      } else if (open && last !== undefined) last.text += ` ${(match?.[2] ?? text).trim()}`;
    }
  }
  return { items: found.map(({ line, text }, i) => readItem(text, i + 1, line)), empty };
}

function readItem(written: string, n: number, line: number): AcceptanceItem {
  const named = ownId.exec(written);
  const text = named === null ? written.trim() : written.slice(named[0].length).trim();
  const id = named?.[1] === undefined ? `AC${n}` : named[1].toUpperCase().replace("-", "");
  return { id, ...splitClaim(text), line };
}

/** Takes `claim: command -> expected` apart; what cannot be told apart stays in the claim. */
export function splitClaim(written: string): { text: string; command?: string; expected?: string } {
  if (written.length > maxSplit) return { text: written };
  return quotedCommand(written) ?? plainCommand(written) ?? { text: written };
}

/** The command in backticks: the span before the arrow, or a span that begins like a command. */
function quotedCommand(written: string): { text: string; command: string; expected?: string } | undefined {
  for (const span of [...written.matchAll(/(`+)(.+?)\1(?!`)/g)].reverse()) {
    const command = (span[2] ?? "").trim();
    const rest = written.slice(span.index + span[0].length).trim();
    const arrow = /^(?:->|→|=>)\s*(.+)$/.exec(rest);
    if (command === "" || (arrow === null && !looksLikeCommand(command, "likely"))) continue;
    const claim = written.slice(0, span.index).replace(/[:：\s]+$/, "");
    const expected = arrow?.[1]?.trim() ?? rest.replace(/^[,;，；:：]\s*/, "");
    return { text: claim === "" ? command : claim, command, ...(expected === "" ? {} : { expected }) };
  }
  return undefined;
}

function plainCommand(written: string): { text: string; command: string; expected?: string } | undefined {
  const arrow = /^(.*\S)\s*(?:->|→|=>)\s+(\S.*)$/.exec(written);
  const before = arrow?.[1] ?? written;
  const certainty = arrow === null ? "sure" : "likely";
  const expected = arrow?.[2]?.trim();
  if (looksLikeCommand(before, certainty)) {
    if (expected !== undefined) return { text: before, command: before, expected };
    const green = /^(.*\S)\s+((?:is |are )?(?:all )?(?:green|passes|pass|succeeds|exits 0)|(?:全绿|全部通过|通过|成功))[.。]?$/.exec(before);
    const command = green?.[1] ?? before;
    return { text: before, command, ...(green?.[2] === undefined ? {} : { expected: green[2] }) };
  }
  for (const colon of before.matchAll(/[:：]\s*/g)) {
    if (colon[0] === ":") continue;
    const command = before.slice(colon.index + colon[0].length).trim();
    if (command === "" || !looksLikeCommand(command, certainty)) continue;
    return { text: before.slice(0, colon.index).trim(), command, ...(expected === undefined ? {} : { expected }) };
  }
  const colon = /^(.*?\S)(?::\s|：)\s*(\S.*)$/.exec(before);
  if (expected === undefined || colon === null) return undefined;
  return { text: colon[1] ?? "", command: colon[2] ?? "", expected };
}
