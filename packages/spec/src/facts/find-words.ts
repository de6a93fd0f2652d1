import { englishLexicon, englishNegation } from "../lint/lexicon-en.ts";
import { chineseLexicon, chineseNegation } from "../lint/lexicon-zh.ts";

/** Words of one meaning. */
export interface Term {
  /** Alternatives, as the inside of a regular expression. */
  words: string;
  /** Whether case counts. */
  exact?: boolean;
  /** What may not stand right before or after the word. */
  unless?: { before?: string; after?: string };
  /** Whether a "no" or 无 before the word makes it say the opposite, so that it does not count. */
  negatable?: boolean;
}

/** What the rules about words look for. */
export type Topic = "undecided" | "person" | "personUnlessCommand" | "vague" | "severalGoals" | "failure";
export type Lexicon = Readonly<Record<Topic, readonly Term[]>>;

export interface FoundWord {
  word: string;
  /** Offset in the text. */
  at: number;
}

interface Matcher {
  pattern: RegExp;
  negatable: boolean;
}

/** The first words of a topic in a text, of both languages, in the order of the text; one for each term. */
export function findWords(topic: Topic, text: string): FoundWord[] {
  const { any, terms } = matchers[topic];
  if (!any.test(text)) return [];
  const found = terms.flatMap(({ pattern, negatable }): FoundWord[] => {
    for (const match of text.matchAll(pattern)) {
      const before = text.slice(Math.max(0, match.index - 40), match.index);
      if (negatable && (englishNegation.test(before) || chineseNegation.test(before))) continue;
      return [{ word: match[0], at: match.index }];
    }
    return [];
  });
  return found.sort((left, right) => left.at - right.at);
}

/** The text with spaces in place of code in backticks, so that offsets stay. */
export function withoutCode(text: string): string {
  if (!text.includes("`")) return text;
  const runs = [...text.matchAll(/`+/g)].map((match) => ({ at: match.index, length: match[0].length }));
  const nextOfLength = new Map<number, number>();
  const closing = runs.map(() => -1);
  for (let i = runs.length - 1; i >= 0; i--) {
    const length = runs[i]?.length ?? 0;
    closing[i] = nextOfLength.get(length) ?? -1;
    nextOfLength.set(length, i);
  }
  let result = "";
  let from = 0;
  for (let i = 0; i < runs.length; i++) {
    const open = runs[i];
    const close = runs[closing[i] ?? -1];
    if (open === undefined || close === undefined) continue;
    const end = close.at + close.length;
    result += text.slice(from, open.at) + " ".repeat(end - open.at);
    from = end;
    i = closing[i] ?? i;
  }
  return result + text.slice(from);
}

/** The terms of a topic, and one expression that matches wherever one of them could. */
interface Topical {
  any: RegExp;
  terms: readonly Matcher[];
}

function compile(): Readonly<Record<Topic, Topical>> {
  const topics: readonly Topic[] = ["undecided", "person", "personUnlessCommand", "vague", "severalGoals", "failure"];
  const entries = topics.map((topic): [Topic, Topical] => {
    const terms = [...englishLexicon[topic].map((term) => matcherOf(term, true)), ...chineseLexicon[topic].map((term) => matcherOf(term, false))];
    return [topic, { any: new RegExp(terms.map(({ pattern }) => pattern.source).join("|"), "i"), terms }];
  });
  return Object.fromEntries(entries) as Record<Topic, Topical>;
}

function matcherOf({ words, exact, unless, negatable }: Term, whole: boolean): Matcher {
  const before = unless?.before === undefined ? "" : `(?<!${unless.before})`;
  const after = unless?.after === undefined ? "" : `(?!${unless.after})`;
  const inner = `${before}(?:${words})${after}`;
  const source = whole ? `(?<![\\w-])${inner}(?![\\w]|-\\w)` : inner;
  return { pattern: new RegExp(source, exact === true ? "g" : "gi"), negatable: negatable === true };
}

const matchers = compile();
