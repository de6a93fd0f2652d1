import type { CommandResult } from "@dispatch/core";
import { cleanOutput } from "./clean-output.ts";

/** Whether a result is what was expected. `unread`: words of the expectation that no program can compare. */
export interface Comparison {
  met: boolean;
  unread: string;
}

/** One thing that is asked of a result. */
type Check = (result: CommandResult, output: string) => boolean;

const succeeds: Check = ({ exitCode }) => exitCode === 0;

/**
 * Compares a result with what a spec expects: `exit N`, `equals "x"`, `contains "x"`, `matches /re/`, `HTTP 401`, `> 0`,
 * several joined with "and". What says nothing of the exit code and shows nothing else asks for 0. A command that did not
 * end by itself meets nothing.
 */
export function meetsExpectation(expected: string, result: CommandResult): Comparison {
  const checks: Check[] = [];
  const unread: string[] = [];
  for (const clause of clausesOf(expected)) {
    const check = readClause(clause);
    if (check === undefined) unread.push(clause);
    else checks.push(check);
  }
  if (checks.length === 0) checks.push(succeeds);
  const output = cleanOutput(result.outputTail);
  return { met: result.outcome === "exited" && checks.every((check) => check(result, output)), unread: unread.join("; ") };
}

/** Parts that are joined with "and" or a comma, outside of quotes. */
function clausesOf(expected: string): string[] {
  const parts = expected.slice(0, 1000).match(/(?:"[^"]*"|“[^”]*”|`[^`]*`|\/[^/\n]+\/|(?!\s(?:and|且|并且)\s|[,，;；]).)+/gs) ?? [];
  return parts.map((part) => part.replace(/^\s*(?:and|且|并且)\s/i, "").trim()).filter((part) => part !== "" && !/^[,，;；.。]+$/.test(part));
}

const green = /^(?:(?:is |are )?(?:all )?(?:green|pass(?:es|ed)?|succeeds?|ok)|全绿|全部通过|通过|成功)[.。]?$/i;

function readClause(clause: string): Check | undefined {
  if (green.test(clause)) return succeeds;
  if (/^(?:exits? )?(?:with )?(?:(?:a )?non-?zero(?: exit)?(?: code)?|fails?|失败)$|^exit (?:code )?(?:!=|≠) ?0$/i.test(clause))
    return ({ exitCode }) => exitCode !== 0;
  const exit = /^(?:exits?|exit (?:code|status)|exits? with|退出码)(?: code| with(?: code)?)?[ :=]*(\d{1,3})$/i.exec(clause)?.[1];
  if (exit !== undefined) return ({ exitCode }) => exitCode === Number(exit);
  const status = /^(?:returns? |gives? |status |返回 ?)?(?:HTTP(?:\/[\d.]+)?|status(?: code)?)?[ :=]*([1-5]\d\d)$/i.exec(clause)?.[1];
  if (status !== undefined) return (_, output) => new RegExp(`(?<!\\d)${status}(?!\\d)`).test(output);
  return readText(clause) ?? readNumber(clause);
}

function readText(clause: string): Check | undefined {
  const pattern = /^matches \/(.+)\/([ims]*)$/s.exec(clause);
  if (pattern !== null) return matchCheck(pattern[1] ?? "", pattern[2] ?? "");
  const texts = [...clause.matchAll(/"([^"]*)"|“([^”]*)”|`([^`]*)`/g)].map(([, double, curly, ticks]) => double ?? curly ?? ticks ?? "");
  const words = clause.replace(/"[^"]*"|“[^”]*”|`[^`]*`/g, "").trim();
  if (texts.length === 0) return undefined;
  if (/^(?:(?:is |equals?|=|==|prints exactly|等于)\s*)(?:or\s*)*$|^(?:or\s*)*$/i.test(words)) return (_, output) => texts.includes(output.trim());
  if (/^(?:not|no|does not contain|without|不包含)\s*(?:or\s*)*$/i.test(words)) return (_, output) => texts.every((text) => !output.includes(text));
  if (/^(?:contains?|prints?|outputs?|shows?|includes?|says|包含|输出|显示)\s*(?:\bor\b\s*|或\s*)*$/i.test(words))
    return (_, output) => texts.some((text) => output.includes(text));
  return undefined;
}

const compared = { lines: 400, width: 300 };

/** Line by line and in bounds: the pattern is the spec's, but the text is the agent's. */
function matchCheck(source: string, flags: string): Check | undefined {
  try {
    const pattern = new RegExp(source, flags.replace("s", ""));
    return (_, output) => {
      const lines = output.split("\n").slice(-compared.lines);
      return lines.some((line) => pattern.test(line.slice(0, compared.width)));
    };
  } catch {
    return undefined;
  }
}

/** Compares the last number that was printed. */
function readNumber(clause: string): Check | undefined {
  const [, sign, digits] = /^(?:(?:an? )?(?:integer|number|count) )?(<=?|>=?|≤|≥|==?|!=|≠) ?(-?\d+(?:\.\d+)?)$/.exec(clause) ?? [];
  if (sign === undefined) return undefined;
  const limit = Number(digits);
  return (_, output) => {
    const last = output
      .slice(-2000)
      .match(/-?\d+(?:\.\d+)?/g)
      ?.at(-1);
    if (last === undefined) return false;
    const value = Number(last);
    switch (sign) {
      case "<":
        return value < limit;
      case "<=":
      case "≤":
        return value <= limit;
      case ">":
        return value > limit;
      case ">=":
      case "≥":
        return value >= limit;
      case "!=":
      case "≠":
        return value !== limit;
      default:
        return value === limit;
    }
  };
}
