import type { Language } from "./language.ts";
import { type LexedLine, longestLine } from "./lex-lines.ts";

/** A word in a line that says the work is not done, and the text from there on, by which an old one is known again. */
export interface Mark {
  word: string;
  rest: string;
}

const tag = /(?<![\w-])(?<!\w[./])(?:TODO|FIXME|HACK)(?![\w-]|\.(?:md|txt|org|rst)\b)|(?<![\w\-./\\{<$%])XXX(?![\w\-./}>])/;
/** `TODO list`, `no TODO`, `TODO, FIXME`: the line speaks about such marks or about an app for them. */
const aboutTags =
  /\bTODO[ -](?:list|lists|app|apps|application|item|items|board|column|entry|entries|comment|comments|mark|marks|marker|markers|tag|tags)\b(?!\s*:)|\b(?:no|any|without)\s+(?:TODO|FIXME)\b|(?:TODO|FIXME|XXX|HACK)["'`]?\s*[|,/]\s*["'`]?(?:TODO|FIXME|XXX|HACK)\b(?!\s*:)/i;
const lowerTag = /^\W*(?:@todo\b|(?:todo|fixme)\s*(?:\([^)]*\))?\s*:)/i;
const twoWordsAfter = /^(?:\([^)]*\))?\s*[:\-–]?\s+[A-Za-z\u4e00-\u9fff][\w']*\s+[A-Za-z\u4e00-\u9fff]/;
const aloneAfterColon = /^\s*(?:TODO|FIXME|XXX|HACK)\s*:\s*[A-Za-z\u4e00-\u9fff][\w ]*\.?\s*$/;

const unfinished =
  /\bnot\s+(?:yet\s+)?implemented\b(?!\s+by\b)|\bimplement(?:ed)?\s+(?:this\s+|it\s+|that\s+|me\s+)?later\b|\bto\s+be\s+implemented\b/i;
const elision =
  /(?:\.\.\.|…)\s*(?:rest of (?:the )?\w+|existing code|remaining (?:code|implementation)|other (?:code|methods))|\b(?:your|add|insert|put)\s+(?:your\s+|the\s+)?(?:code|logic|implementation)\s+(?:goes\s+)?here\b|\bimplementation\s+goes\s+here\b/i;
const chinese = /待实现|稍后实现|待补充/;
const chineseInCode = /(?:尚|暂)?未实现/;

/** The word as what the comment says of the code: at its start, or after `a`, `is`, `return` … */
const placeholderAtStart =
  /(?:^|[.:;(]\s)[^\w]*(?:(?:this|it|that|just|only|simple|temporary|dummy|mock|basic|empty|minimal|stub|an?|is|for|now)[\s,:]+)*placeholder\b/i;
const placeholderAfterWord =
  /\b(?:an?|as|is|are|return|returns|returning|use|uses|using|with|currently|just|only|add|insert)\s+(?:\w+\s+)?placeholder\b/i;
const placeholderOfInterface =
  /::placeholder|`placeholder|["']placeholder["']|\bplaceholder\s*=|\bplaceholder:\s*["'`{]|placeholder[-:]\w|[\w$]\.placeholder|\b(?:the|input|text|textarea|field|search|select|form|css|html|jsx|react|image|img|avatar|loading|sql|query|bind|param|parameter|named|positional|format|template|string|url|path|route|i18n|translation|its|each|every|any|same|their|email|password|username|date|name|label|default|localized|localised|custom|editor)\s+placeholder\b|\bplaceholder\s+(?:texts?|attributes?|attr|props?|property|colou?r|image|img|icon|avatar|element|node|token|string|style|styling|label|option|param|parameter|names?|expression|pattern|variables?|tags?|keys?|opacity|visible|visibility|shown|selector|syntax|characters?|chars?|markers?|index|position|format|in|inside|copy|class|pseudo|arguments?|args?|substitution|replacement|row|tile|skeleton|type|that|which|so|while|during|when|if|is|are|was|should|must|will|gets|has|can|from|within|at|size|width|height|space|slot|hint|translation)\b/i;
const placeholderForWork =
  /\bplaceholder\s+(?:implementation|impl|logic|code|function|method|body|stub|handler|tests?|until|for\s+now|to\s+be)\b|\b(?:just|only|simply|temporary|dummy|mere)\s+(?:a\s+)?placeholder\b|\bplaceholder\s*[,;:.(–—-]*\s*(?:for\s+now|until|replace|not\s+implemented|tbd|fix|real|actual)\b|\b(?:replace|remove|swap)\b.{0,40}\bplaceholder\b.{0,40}\b(?:later|once|real|actual)\b/i;

/** What surrounds a line: its neighbours tell a state named TODO from a mark, and where a sentence began. */
export interface Surroundings {
  near: readonly string[];
  above: LexedLine | undefined;
}

/** The first mark in a line, or undefined. */
export function findMark(line: LexedLine, language: Language, { near, above }: Surroundings, extra: RegExp | undefined): Mark | undefined {
  if (language === "generated") return undefined;
  if (line.text.length > longestLine)
    return markAt(line.text, /\b(?:TODO|FIXME)\b\s*:/) ?? (extra === undefined ? undefined : markAt(line.text, extra));
  const comment = language === "prose" || line.comment.includes("`") ? line.comment.replace(/`[^`]*`/g, "``") : line.comment;
  return (
    (comment === "" ? undefined : markInText(comment, language, sentenceGoesOn(above), isSample(line))) ??
    markInStrings(line, near) ??
    markInCode(line, language, near) ??
    (extra === undefined ? undefined : markAt(line.text, extra))
  );
}

function markAt(text: string, pattern: RegExp): Mark | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return { word: match[0].trim(), rest: text.slice(match.index).replace(/\s+/g, " ").trim() };
}

/** Whether the comment of the line above breaks off in the middle of a sentence. */
function sentenceGoesOn(above: LexedLine | undefined): boolean {
  return above?.silent === true && /[\w,)`'"-]\s*$/.test(above.comment);
}

/** A comment inside a documentation comment belongs to an example. */
function isSample(line: LexedLine): boolean {
  return /^\s*(?:\*|\/\/\/)/.test(line.text) && /^\s*(?:\/\/|#)/.test(line.comment.replace(/^\s*[*/](?=\s)/, ""));
}

function markInText(text: string, language: Language, goesOn: boolean, sample: boolean): Mark | undefined {
  const tagged = aboutTags.test(text) ? undefined : markAt(text, tag);
  const found = tagged ?? markAt(text, lowerTag) ?? (sample ? undefined : markAt(text, elision)) ?? markAt(text, chinese);
  if (found !== undefined) return found;
  if (language === "prose" || language === "unknown") return proseMark(text);
  return markAt(text, unfinished) ?? markAt(text, chineseInCode) ?? placeholderMark(text, language, goesOn);
}

/** Documentation may say that something does not exist; only what reads as a gap in the text itself counts. */
function proseMark(text: string): Mark | undefined {
  const gap =
    /\bnot\s+yet\s+implemented\b|\bnot\s+implemented\s+yet\b|\bimplement(?:ed)?\s+(?:this\s+|it\s+)?later\b|^[\W_]*not\s+implemented\b|\(not\s+implemented\)/i;
  return markAt(text, gap) ?? markAt(text, placeholderForWork) ?? markAt(text, /^[\W_]*placeholder[\W_]*$/i);
}

function placeholderMark(text: string, language: Language, goesOn: boolean): Mark | undefined {
  const forWork = markAt(text, placeholderForWork);
  if (forWork !== undefined) return forWork;
  if (language === "css" || placeholderOfInterface.test(text)) return undefined;
  const whole = markAt(text, /^[\W_]*placeholder[\W_]*$/i);
  if (whole !== undefined) return whole;
  return (goesOn ? undefined : markAt(text, placeholderAtStart)) ?? markAt(text, placeholderAfterWord);
}

const stateWords = /\b(?:DONE|DOING|IN[_ -]?PROGRESS|COMPLETED?|BACKLOG|IN[_ -]?REVIEW|BLOCKED|CLOSED|STARTED)\b/i;
const stateKey = /\b(?:status|state|column|stage|lane|phase|kind|type|label|tag|tags|id|category)\w*["']?\s*[:=]/i;
const comparison = /[!=]==?\s*""|""\s*[!=]==?|\bcase\s+""|\bincludes\(|\bis\b|\bin\b|\||<\s*""/;
const assertion = /\b(?:expect|assert\w*|toThrow\w*|raises|rejects|should|throwsA?)\b|\.(?:toThrow|match|toMatch|include|Throws)\w*\(/;

function markInStrings(line: LexedLine, near: readonly string[]): Mark | undefined {
  for (const text of line.strings) {
    const bare = text.trim();
    if (/^(?:TODO|FIXME|XXX|HACK)$/.test(bare)) {
      if (bare === "XXX" && !/(?:\breturn|=>|[^=!<>]=|:)\s*""/.test(line.code)) continue;
      const isState = stateKey.test(line.bare) || comparison.test(line.code) || near.some((each) => stateWords.test(each));
      if (!isState && !aboutTags.test(line.bare)) return { word: bare, rest: line.bare.trim() };
      continue;
    }
    const found = markInString(text, line);
    if (found !== undefined) return found;
  }
  return undefined;
}

function markInString(text: string, line: LexedLine): Mark | undefined {
  const tagged = aboutTags.test(text) || aboutTags.test(line.bare) ? undefined : markAt(text, tag);
  if (tagged !== undefined && (tagged.word !== "XXX" || /^XXX\s*:/.test(tagged.rest))) return tagged;
  const said = markAt(text, elision) ?? markAt(text, chinese) ?? markAt(text, placeholderForWork);
  if (said !== undefined) return said;
  if (/^placeholder$/i.test(text.trim()) && /\breturn\s+""|=>\s*""/.test(line.code)) return { word: text.trim(), rest: line.bare.trim() };
  if (assertion.test(line.code) || isStatusTable(line.bare)) return undefined;
  return markAt(text, unfinished) ?? markAt(text, chineseInCode);
}

/** `501: "Not Implemented"` is the name of an HTTP status. */
function isStatusTable(bare: string): boolean {
  return /501["']?\s*(?::|=>|,|=)\s*\(?["'`]Not Implemented["'`]/.test(bare) || /NOT_?IMPLEMENTED\w*["']?\s*[=:(,]/i.test(bare);
}

/** In code a mark is a name, unless it reads as text: then the comment it stands in was opened above the lines we see. */
function markInCode(line: LexedLine, language: Language, near: readonly string[]): Mark | undefined {
  const { code } = line;
  const kotlin = language === "kotlin" ? markAt(code, /\bTODO\s*\(/) : undefined;
  if (kotlin !== undefined) return kotlin;
  const found = aboutTags.test(code) ? undefined : markAt(code, tag);
  if (found === undefined) return undefined;
  const after = code.slice(code.indexOf(found.word) + found.word.length);
  if (twoWordsAfter.test(after) || aloneAfterColon.test(code)) return found;
  const isValue = language === "hash" && /^\s*[\w.-]+\s*[:=]\s*(?:TODO|FIXME|XXX)\s*$/.test(code);
  return isValue && !stateKey.test(code) && !near.some((each) => stateWords.test(each)) ? found : undefined;
}
