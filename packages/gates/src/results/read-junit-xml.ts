import { CaseList, firstWords, type Output, type Reading, type TestOutcome } from "./test-report.ts";

const maxTag = 8000;

/** JUnit XML as vitest, jest, mocha, node, pytest, go, maven, gradle and others write it, wherever it stands in an output. */
export function readJunitXml({ text }: Output): Reading | null {
  if (!text.includes("<testsuite") && !text.includes("<testcase")) return null;
  const walk = createWalk();
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const skipped = endOfAside(text, at);
    if (skipped !== undefined) {
      at = skipped;
      continue;
    }
    const end = endOfTag(text, at);
    if (end === undefined) {
      at += maxTag;
      continue;
    }
    walk.take(text.slice(at + 1, end), () => text.slice(end + 1, end + 1500));
    at = end + 1;
  }
  return walk.end();
}

/** Behind a comment or a section of plain text. */
function endOfAside(text: string, at: number): number | undefined {
  for (const [open, close] of [
    ["<!--", "-->"],
    ["<![CDATA[", "]]>"],
  ] as const) {
    if (!text.startsWith(open, at)) continue;
    const end = text.indexOf(close, at);
    return end < 0 ? text.length : end + close.length;
  }
  return undefined;
}

/** Where the tag ends: at the first `>` outside of quotes. */
function endOfTag(text: string, at: number): number | undefined {
  let quote = "";
  for (let i = at + 1; i < Math.min(text.length, at + maxTag); i++) {
    const char = text.charAt(i);
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === ">") return i;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "<") return undefined;
  }
  return undefined;
}

interface OpenCase {
  suite: string;
  name: string;
  outcome: TestOutcome;
  message: string;
}

function createWalk(): { take(tag: string, behind: () => string): void; end(): Reading | null } {
  const cases = new CaseList();
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const claimed = { tests: 0, failed: 0, skipped: 0 };
  const suites: string[] = [];
  let open: OpenCase | null = null;
  let seen = 0;
  const close = (): void => {
    if (open === null) return;
    cases.add(open.suite, open.name, open.outcome, open.message);
    totals[open.outcome]++;
    open = null;
  };
  return {
    take(tag, behind) {
      const name = /^\/?[\w:-]+/.exec(tag)?.[0] ?? "";
      const empty = tag.endsWith("/");
      if (name === "/testcase") close();
      else if (name === "/testsuite") suites.pop();
      else if (name === "testsuite") {
        seen++;
        const attributes = attributesOf(tag);
        if (suites.length === 0) addClaims(claimed, attributes);
        if (!empty && suites.length < 100) suites.push(attributes.get("name") ?? "");
      } else if (name === "testcase") {
        close();
        seen++;
        const attributes = attributesOf(tag);
        open = { suite: suiteOf(suites, attributes.get("classname") ?? ""), name: attributes.get("name") ?? "", outcome: "passed", message: "" };
        if (empty) close();
      } else if (open !== null && (name === "failure" || name === "error")) {
        const told = attributesOf(tag).get("message") ?? "";
        open = { ...open, outcome: "failed", message: told === "" && !empty ? textBehind(behind()) : firstWords(told.split("\n")) };
      } else if (open?.outcome === "passed" && name === "skipped") open = { ...open, outcome: "skipped" };
    },
    end() {
      close();
      if (seen === 0) return null;
      // A report without its cases still says how many there were.
      if (cases.size > 0) return cases.reading(totals, claimed.failed > totals.failed);
      const { tests, failed, skipped } = claimed;
      return cases.reading({ passed: Math.max(0, tests - failed - skipped), failed, skipped }, failed > 0);
    },
  };
}

function addClaims(claimed: { tests: number; failed: number; skipped: number }, attributes: ReadonlyMap<string, string>): void {
  const number = (name: string): number => Math.max(0, Number.parseInt(attributes.get(name) ?? "0", 10) || 0);
  claimed.tests += number("tests");
  claimed.failed += number("failures") + number("errors");
  claimed.skipped += number("skipped");
}

function suiteOf(suites: readonly string[], classname: string): string {
  return classname !== "" && classname !== "test" ? classname : suites.filter((name) => name !== "").join(" > ");
}

/** What stands in an element up to its end, with or without a CDATA section. */
function textBehind(behind: string): string {
  const cdata = /^\s*<!\[CDATA\[/.exec(behind);
  const text = cdata === null ? behind.slice(0, indexOrEnd(behind, "<")) : behind.slice(cdata[0].length, indexOrEnd(behind, "]]>"));
  return firstWords(decode(text).split("\n"));
}

function indexOrEnd(text: string, mark: string): number {
  const at = text.indexOf(mark);
  return at < 0 ? text.length : at;
}

function attributesOf(tag: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", double, single] of tag.matchAll(/(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    found.set(name, decode(double ?? single ?? ""));
  }
  return found;
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));/g, (whole, name, decimal, hex) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0x10ffff ? whole : String.fromCodePoint(code);
  });
}
